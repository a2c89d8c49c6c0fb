"""How many inputs a sender may hand in: a token bucket. Pure: time comes in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Buckets:
    """One bucket a name: `burst` tokens when full, refilled at `rate_per_s`."""

    rate_per_s: float
    burst: float
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def take(self, name: str, now_s: float) -> int:
        """Take one token: 0, or after how many whole seconds there will be one."""
        level, since_s = self._levels.get(name, (self.burst, now_s))
        level = min(self.burst, level + max(0.0, now_s - since_s) * self.rate_per_s)
        if level >= 1:
            self._levels[name] = (level - 1, now_s)
            return 0
        self._levels[name] = (level, now_s)
        return max(1, math.ceil((1 - level) / self.rate_per_s))
