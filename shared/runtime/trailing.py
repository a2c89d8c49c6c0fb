"""A trailing watermark: where a scan for the lowest row may begin (`runtime.md` 18)."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

SWEEP_EVERY_S = 60.0
"""A full sweep so often, in seconds; no transaction of ours lives as long."""

T = TypeVar("T")


class Trailing(Generic[T]):
    """Keeps scans off rows that are done: while somebody holds an old snapshot they stay in the
    index, and a scan from its beginning would read all of them, each time.

    The bound is what a full sweep a minute ago found to be the lowest: whatever was being written
    then is committed by now. A row that comes in below it all the same waits for the next sweep.
    """

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._bound: T | None = None
        self._coming: T | None = None
        self._swept_at_s: float | None = None

    def bound(self) -> T | None:
        """Where the next scan begins; None: it is to be a full sweep, told of by `swept`."""
        is_due = self._swept_at_s is None or self._now_s() - self._swept_at_s >= SWEEP_EVERY_S
        return None if is_due else self._bound

    def swept(self, lowest: T | None) -> None:
        """A scan without a bound found nothing below `lowest`; None where nothing is known."""
        now_s = self._now_s()
        if self._swept_at_s is None or now_s - self._swept_at_s >= SWEEP_EVERY_S:
            self._bound, self._coming = self._coming, lowest
            self._swept_at_s = now_s
