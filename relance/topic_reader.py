"""Reads topics as an onlooker does: from the beginning, without a group, nothing committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiokafka import TopicPartition

from relance.database import CannotDo
from relance.trail import Said
from shared.contract.envelope import Envelope
from shared.contract.topics import Topic, UnknownEvent, decode
from shared.runtime import kafka
from shared.runtime.settings import Settings

_POLL_MS = 200
_MOST = 2_000


class NoTopics(CannotDo):
    """Which topics there are not."""


class TopicReader:
    """All events of some topics, in the order of each partition; an async context manager.

    How to talk to Kafka (TLS, SASL) is taken from the environment, as services do. Entering
    raises `NoTopics`, and Kafka's errors.
    """

    def __init__(
        self, bootstrap: str, topics: Iterable[Topic], since: datetime | None = None
    ) -> None:
        """`since`: what was published before is left out."""
        self._bootstrap, self._since = bootstrap, since
        self._consumer = kafka.reader(Settings(kafka=bootstrap))
        self._partitions = [
            TopicPartition(topic.name, number)
            for topic in topics
            for number in range(topic.partitions)
        ]

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
            await self._find_topics()
        except BaseException:
            await self._consumer.stop()
            raise
        self._consumer.assign(self._partitions)
        if self._since is None:
            await self._consumer.seek_to_beginning(*self._partitions)
        else:
            await self._seek_to(self._since)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._consumer.stop()

    async def _seek_to(self, since: datetime) -> None:
        ms = int(since.timestamp() * 1000)
        found = await self._consumer.offsets_for_times(dict.fromkeys(self._partitions, ms))
        ends = await self._consumer.end_offsets(self._partitions)
        for at in self._partitions:
            self._consumer.seek(at, found[at].offset if found.get(at) else ends[at])

    async def _find_topics(self) -> None:
        """Reading a topic that is not there would wait for it without end."""
        missing = {at.topic for at in self._partitions} - await self._consumer.topics()
        if missing:
            raise NoTopics(
                f"Kafka at {self._bootstrap} has no {', '.join(sorted(missing))}: "
                "start the services once, or give the address of another cluster."
            )

    async def new(self) -> list[tuple[str, Envelope]]:
        """What came since the last call, up to now, with its topic.

        Records that are no event of this release are left out: dead letters tell of those.
        """
        return [(said.topic, said.envelope) async for piece in self.pieces() for said in piece]

    async def pieces(self) -> AsyncIterator[list[Said]]:
        """The same a piece at a time, however much it is; each partition in order."""
        ends = await self._consumer.end_offsets(self._partitions)
        while left := [
            at for at in self._partitions if await self._consumer.position(at) < ends[at]
        ]:
            got = await self._consumer.getmany(*left, timeout_ms=_POLL_MS, max_records=_MOST)
            for at, records in got.items():
                yield [
                    Said(at.topic, datetime.fromtimestamp(record.timestamp / 1000, UTC), envelope)
                    for record in records
                    if (envelope := _typed(record.value)) is not None
                ]


async def read_to_end(bootstrap: str, topics: Sequence[Topic]) -> dict[str, list[Envelope]]:
    """Every event now on `topics`, by the topic's name."""
    events: dict[str, list[Envelope]] = {topic.name: [] for topic in topics}
    async with TopicReader(bootstrap, topics) as reader:
        for topic, envelope in await reader.new():
            events[topic].append(envelope)
    return events


def _typed(value: bytes | None) -> Envelope | None:
    try:
        return decode(value) if value is not None else None
    except (UnknownEvent, ValueError):
        return None
