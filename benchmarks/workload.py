"""What both sides of the benchmark are given: LeadReceived events of 1 KB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from shared.contract.directory import Document, key_of
from shared.contract.envelope import Envelope, derived_id
from shared.contract.intake import ContactPoint, LeadReceived
from shared.contract.topics import Topic

EVENT_BYTES = 1024
NEW, LINKED = "new", "linked"
EFFECTS = {NEW: 6, LINKED: 1}
NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
AFTER = {NEW: timedelta(), LINKED: timedelta(hours=1)}
_APART = timedelta(milliseconds=1)
"""One comes in after the other: all at one instant, indexes by time would be indexes by chance."""

TENANT, SITE = "axelerator", "minsk"


@dataclass(frozen=True, slots=True)
class Workload:
    """`many` people write once each, from number `first` on, in this `run`: nobody knows them
    yet (`NEW`), or they write once more, an hour later (`LINKED`).

    `among`: so many people take turns, each `stride`-th of them; else each writes once.
    """

    kind: str
    many: int
    run: str
    first: int
    among: int | None = None
    stride: int = 1

    @classmethod
    def of(cls, kind: str, many: int, first: int) -> Workload:
        """Of people nobody knows yet (`NEW`), or of the same people once more (`LINKED`)."""
        return cls(kind, many, run=f"{kind} {uuid4()}", first=first)

    @property
    def effects(self) -> int:
        """How many events pipeline says of each; both sides must say exactly so many."""
        return EFFECTS[self.kind]

    def events(self) -> Iterator[Envelope]:
        """The events, in order."""
        among = self.among or self.many
        for number in range(self.many):
            person = self.first + number * self.stride % among
            data = LeadReceived(
                channel="form",
                source="site",
                site=SITE,
                name=f"Человек {person}",
                points=(ContactPoint(kind="phone", value=f"+37529{person:07d}"),),
                tags=("amoCRM",),
            )
            envelope = Envelope(
                id=derived_id("bench", self.run, str(number)),
                source="/intake",
                type=data.type,
                subject=f"{self.run}-{number}",
                time=NOW + AFTER[self.kind] + person * _APART,
                tenant=TENANT,
                data=data,
            )
            room = EVENT_BYTES - len(envelope.to_bytes()) - len(',"text":""')
            text = data.model_copy(update={"text": "x" * room})
            yield envelope.model_copy(update={"data": text})


def directory_events(documents: Iterable[Document]) -> Iterator[Envelope]:
    """The company's directory: its site must be known before anybody writes to it."""
    for document in documents:
        key = key_of(TENANT, document)
        yield Envelope(
            id=derived_id("bench", key), source="/intake", type=document.type, subject=key,
            time=NOW, tenant=TENANT, data=document,
        )  # fmt: skip


async def publish(kafka: str, topic: Topic, events: Iterable[Envelope]) -> int:
    """Put them on `topic`; how many there were."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5)
    await producer.start()
    many = 0
    try:
        for envelope in events:
            await producer.send(topic.name, envelope.to_bytes(), envelope.subject.encode())
            many += 1
        await producer.flush()
    finally:
        await producer.stop()
    return many
