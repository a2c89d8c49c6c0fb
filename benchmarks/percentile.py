"""Percentiles, as people expect them: a value that was really seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed; raises ValueError for none."""
    if not values:
        raise ValueError("nothing was seen")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]
