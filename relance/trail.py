"""A trail: what was said since an instant, one narrow row an event, on disk and not in memory.

The audit of a running system asks it in SQL; how much was said is bounded by the disk alone.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.contract.envelope import Envelope, Event
from shared.contract.notifications import MessageEvent
from shared.contract.pipeline import DeadlineSet, LeadLinked, NotificationRequested
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue

AT_ONCE = 500
"""Ids in one question to a database."""

_CACHE_KB = 16_384
_TABLE = """
CREATE TABLE event (
  place INTEGER PRIMARY KEY,   -- in the order of each partition
  topic TEXT, id TEXT, type TEXT, subject TEXT, sequence INTEGER, cause TEXT,
  ref TEXT,                    -- the deadline's setting, message or occasion it speaks of
  at REAL,                     -- when it was published, seconds since 1970
  time REAL,                   -- the instant it speaks of
  due REAL                     -- for which instant a deadline is planned
);
-- Without those that were published again after a crash: readers drop them.
CREATE VIEW first AS
  SELECT min(place) AS place, topic, subject, id, sequence FROM event
  WHERE sequence IS NOT NULL GROUP BY topic, subject, id, sequence;
"""
_INDEXES = """
CREATE INDEX IF NOT EXISTS event_id ON event (id);
CREATE INDEX IF NOT EXISTS event_subject ON event (topic, subject, place);
CREATE INDEX IF NOT EXISTS event_cause ON event (cause);
CREATE INDEX IF NOT EXISTS event_ref ON event (ref, type);
"""
_ADD = "INSERT INTO event VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Said:
    """A record: its topic, when it was published, and what it says."""

    topic: str
    at: datetime
    envelope: Envelope


class Trail:
    """A context manager; its file is gone afterwards."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="relance-audit-")
        self._file = Path(self._folder.name) / "trail"
        self._rows = sqlite3.connect(self._file, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute("PRAGMA synchronous = OFF")
        self._rows.execute("PRAGMA temp_store = FILE")
        self._rows.execute(f"PRAGMA cache_size = -{_CACHE_KB}")
        self._rows.executescript(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rows.close()
        self._folder.cleanup()

    def add(self, records: Iterable[Said]) -> None:
        """Records in the order of each partition."""
        self._rows.execute("BEGIN")
        self._rows.executemany(_ADD, map(_row, records))
        self._rows.execute("COMMIT")

    def index(self) -> None:
        """To be called before it is asked."""
        self._rows.executescript(_INDEXES)

    def ask(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """The rows of a question."""
        yield from self._rows.execute(sql, values)

    def many(self, sql: str, *values: object) -> int:
        """The one number that a question is answered with."""
        return int(next(self.ask(sql, *values))[0] or 0)

    def pieces(self, sql: str, *values: object) -> Iterator[Sequence[tuple[Any, ...]]]:
        """The rows of a question, so many at a time as a database is asked about at once."""
        cursor = self._rows.execute(sql, values)
        while piece := cursor.fetchmany(AT_ONCE):
            yield piece


def _row(said: Said) -> tuple[object, ...]:
    event = said.envelope
    due = event.data.due_at if isinstance(event.data, DeadlinePlanned) else None
    return (
        said.topic,
        event.id,
        _kind(event.data),
        event.subject,
        event.sequence,
        event.causationid,
        _ref(event),
        seconds(said.at),
        seconds(event.time),
        None if due is None else seconds(due),
    )


def _kind(data: Event) -> str:
    """The class; two leads that turned out to be one are no link of an input."""
    joined = isinstance(data, LeadLinked) and data.other is not None
    return "LeadsJoined" if joined else type(data).__name__


def _ref(event: Envelope) -> str | None:
    match event.data:
        case DeadlineSet(due=due):  # a `before` that has passed may be left out
            skipped = due.before is not None and due.if_past == "skip"
            return None if skipped else event.id
        case NotificationRequested(to=to, template=template, occasion=occasion):
            return json.dumps([event.tenant, f"{to.kind}:{to.id}", template, occasion])
        case DeadlinePlanned() | DeadlineReached() | LeadOverdue():
            return event.data.deadline_set
        case MessageEvent():
            return event.data.notification
    return None


def seconds(instant: datetime) -> float:
    """Since 1970."""
    return instant.astimezone(UTC).timestamp()
