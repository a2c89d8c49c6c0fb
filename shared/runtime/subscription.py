"""A subscription: which topic a service reads, with which handler, under which rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.contract.envelope import Envelope, Event
from shared.contract.topics import Topic
from shared.runtime.kafka import Record
from shared.runtime.postgres import Transaction


class Park(Exception):
    """This event needs a fact that is not here yet: its subject waits (`runtime.md` 11)."""

    def __init__(self, envelope_id: str, why: str) -> None:
        super().__init__(why)
        self.envelope_id, self.why = envelope_id, why


class Quarantine(Exception):
    """This event is bad data: it is set aside (`runtime.md` 5)."""

    def __init__(self, envelope_id: str, why: str) -> None:
        super().__init__(why)
        self.envelope_id, self.why = envelope_id, why


class BatchHandler(Protocol):
    """Makes a batch take effect."""

    async def __call__(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        """Store what follows from `batch` in `tx`; return what to emit.

        `batch` is decoded, without repeats, in order. The handler may be called again with
        another slice of it (retry, bisection), so `tx` is its only effect, and only SQL is
        awaited. May raise `Park` and `Quarantine`.
        """


class RawHandler(Protocol):
    """Takes records as they lie on a topic."""

    async def __call__(self, records: Sequence[Record]) -> None:
        """Do what they ask for; returning acknowledges all, raising has them repeated."""


def _nothing() -> None:
    """What follows a commit unless a subscription says otherwise."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One topic of ours, read in batches.

    `group` is `service.topic` unless given. `ignored` lists the types that are skipped; a type
    or version that the contract's table does not have on this topic parks its subject (24).
    `sequenced`: repeats and gaps are known by `sequence` (9), else by the inbox (10).
    `gated` lists the types that wait until `intake.events.v1` has passed their time (12).
    `pace_s`: while few records come, a batch begins so long after the last one at the earliest.
    For what nobody waits for: a transaction costs the same for one record as for ten.
    `after_commit` is called when a batch has been committed (to wake a loop, not to do work).
    `members`: how many of its group one process is: while one waits for the database, another
    decides.
    """

    topic: Topic
    handler: BatchHandler
    group: str | None = None
    ignored: frozenset[type[Event]] = frozenset()
    gated: frozenset[type[Event]] = frozenset()
    sequenced: bool = True
    pace_s: float = 0
    after_commit: Callable[[], None] = _nothing
    members: int = 1

    @property
    def name(self) -> str:
        """How its parked and quarantined events are filed."""
        return self.group or self.topic.name


@dataclass(frozen=True, slots=True)
class RawSubscription:
    """Topics of the outside, read as bytes; offsets are committed after the handler returned."""

    topics: tuple[Topic, ...]
    handler: RawHandler
    group: str | None = None
