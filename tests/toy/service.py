"""A toy service: it writes down what it is told, counts it, and may pass it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from shared.contract.envelope import Envelope, caused
from shared.contract.pipeline import NoteAdded
from shared.contract.topics import MIB, Topic
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service, Subscription
from shared.runtime.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"

_TELL = """
insert into told (event, source, subject, sequence, text, told_at)
select *
from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[])
"""
_TALLY = """
insert into tally (subject, many)
select subject, count(*) from unnest($1::text[]) as n (subject) group by subject order by subject
on conflict (subject) do update set many = tally.many + excluded.many
"""


def toy_topic(name: str, partitions: int = 4, max_bytes: int = MIB) -> Topic:
    """A topic that lies beside those of the table."""
    return Topic(
        name, "toy", "subject", partitions=partitions, max_bytes=max_bytes, events=(NoteAdded,)
    )


def toy_topics(service: str, partitions: int = 4) -> tuple[Topic, Topic]:
    """What a toy service writes: its events and its dead letters."""
    letters = toy_topic(f"{service}.dead-letters.v1", 1, 8 * MIB)
    return toy_topic(f"{service}.events.v1", partitions), letters


class Toy(Service):
    """Refuses, by raising what `refuse` returns, the batch that holds such an event."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        reads: Sequence[Topic],
        *,
        sequenced: bool = True,
        echo: bool = False,
        refuse: Callable[[Envelope], Exception | None] = lambda _: None,
        members: int = 2,
    ) -> None:
        super().__init__(name, settings, migrations=MIGRATIONS)
        self.echo = echo
        self.refuse = refuse
        self.batches: list[int] = []
        self.subscriptions += [
            Subscription(topic, self.take, sequenced=sequenced, members=members) for topic in reads
        ]

    async def take(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        """Write down, count, pass on."""
        self.batches.append(len(batch))
        for envelope in batch:
            error = self.refuse(envelope)
            if error is not None:
                raise error
        await write_down(tx, batch)
        return [self.passed_on(envelope) for envelope in batch] if self.echo else []

    def passed_on(self, envelope: Envelope) -> Envelope:
        """The same note, told by this service."""
        return caused(
            envelope, source=self.source, index=0, subject=envelope.subject, data=envelope.data
        )


async def write_down(tx: Transaction, batch: Sequence[Envelope]) -> None:
    """The effect that a repeat would double."""
    notes = [envelope.data for envelope in batch]
    await tx.execute(
        _TELL,
        [envelope.id for envelope in batch],
        [envelope.source for envelope in batch],
        [envelope.subject for envelope in batch],
        [envelope.sequence for envelope in batch],
        [note.text if isinstance(note, NoteAdded) else "" for note in notes],
        [envelope.time for envelope in batch],
    )
    await tx.execute(_TALLY, [envelope.subject for envelope in batch])
