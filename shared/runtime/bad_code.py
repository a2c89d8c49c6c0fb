"""Bad code stops: one fault on many subjects is no bad data (`runtime.md` 7)."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from time import monotonic

import asyncpg

SUBJECTS = 20
WITHIN_S = 600.0

_DATA = ("22", "23")
"""SQLSTATE classes of values that PostgreSQL does not take: bad data, however often."""


class BadCode(Exception):
    """The same exception on so many subjects: going on would set everything aside."""


class Fingerprints:
    """Counts on how many subjects an exception was seen lately, by kind and place."""

    def __init__(self, now_s: Callable[[], float] = monotonic) -> None:
        self._now_s = now_s
        self._seen: dict[str, dict[str, float]] = {}

    def note(self, error: Exception, subject: str) -> None:
        """One more; raises `BadCode` at the 20th subject within ten minutes."""
        if isinstance(error, asyncpg.PostgresError) and str(error.sqlstate)[:2] in _DATA:
            return
        now_s = self._now_s()
        mark = fingerprint(error)
        recent = {s: at for s, at in self._seen.get(mark, {}).items() if now_s - at < WITHIN_S}
        recent[subject] = now_s
        self._seen[mark] = recent
        if len(recent) >= SUBJECTS:
            raise BadCode(
                f"{mark} on {len(recent)} subjects within {WITHIN_S / 60:.0f} minutes: this is "
                "the program, not the data; nothing of this batch has taken effect"
            ) from error


def fingerprint(error: Exception) -> str:
    """The kind of an exception and the line it was raised at."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{at}"
