"""Durations as rulebooks write them: `30m`, `2h`, `1d`, `1w`, `3mo`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Literal, cast

from shared.contract.due import Of

Unit = Literal["m", "h", "d", "w", "mo"]

_SHAPE = re.compile(r"([0-9]{1,5})(mo|m|h|d|w)", re.ASCII)
_LENGTH: dict[Unit, timedelta] = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "mo": timedelta(days=30),
}
_LONGEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Duration:
    """So many minutes, hours, days, weeks or months.

    Minutes and hours are exact; days, weeks and months are dates: they keep the local time of
    day over a change of the clock (`local_time.moved`).
    """

    count: int
    unit: Unit

    @property
    def is_exact(self) -> bool:
        """Whether it is minutes or hours."""
        return self.unit in ("m", "h")

    @property
    def minutes(self) -> int:
        """The minutes of an exact duration; `ValueError` for days, weeks and months."""
        if not self.is_exact:
            raise ValueError(f"{self} has no fixed number of minutes: write it in m or h")
        return self.count * (60 if self.unit == "h" else 1)

    @property
    def length(self) -> timedelta:
        """How long it is, a month taken as 30 days: to compare and to limit, not to plan."""
        return self.count * _LENGTH[self.unit]

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"


@lru_cache(maxsize=1024)  # a rulebook's own: each due time asks for them again
def parse(text: str) -> Duration:
    """The duration that `text` writes; `ValueError` says what was expected."""
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration: write 30m, 2h, 1d, 1w or 3mo")
    duration = Duration(int(found[1]), cast(Unit, found[2]))
    if duration.length > _LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return duration


def mismatch(duration: Duration, of: Of) -> str | None:
    """Why `duration` cannot be counted by `of`, in a sentence; None if it can.

    Open hours are counted in minutes and hours, working days in days; elapsed time in any unit.
    """
    if of == "open_hours" and not duration.is_exact:
        return f'{duration} of open_hours: write m or h, or days of = "working_days"'
    if of == "working_days" and duration.unit != "d":
        return f"{duration} of working_days: write the number of days, such as 5d"
    return None
