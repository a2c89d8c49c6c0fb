"""Reads topics as an onlooker does: from the beginning, without a group, nothing committed."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contract.envelope import Envelope
from shared.contract.topics import UnknownEvent, decode

_POLL_MS = 200


class TopicReader:
    """All events of some topics, in the order of each partition; an async context manager."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        self._topics = tuple(topics)
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
        self._partitions: list[TopicPartition] = []

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        await self._consumer.client.set_topics(self._topics)
        self._partitions = [
            TopicPartition(topic, number)
            for topic in self._topics
            for number in sorted(self._consumer.partitions_for_topic(topic) or ())
        ]
        self._consumer.assign(self._partitions)
        await self._consumer.seek_to_beginning(*self._partitions)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._consumer.stop()

    async def new(self) -> list[tuple[str, Envelope]]:
        """What came since the last call, up to now, with its topic.

        Records that are no event of this release are left out: dead letters tell of those.
        """
        events = []
        ends = await self._consumer.end_offsets(self._partitions)
        while left := [
            at for at in self._partitions if await self._consumer.position(at) < ends[at]
        ]:
            for at, records in (await self._consumer.getmany(*left, timeout_ms=_POLL_MS)).items():
                events += [
                    (at.topic, envelope)
                    for record in records
                    if (envelope := _typed(record.value)) is not None
                ]
        return events


async def read_to_end(bootstrap: str, topics: Iterable[str]) -> dict[str, list[Envelope]]:
    """Every event now on `topics`, by topic."""
    names = tuple(topics)
    events: dict[str, list[Envelope]] = {name: [] for name in names}
    async with TopicReader(bootstrap, names) as reader:
        for topic, envelope in await reader.new():
            events[topic].append(envelope)
    return events


def _typed(value: bytes | None) -> Envelope | None:
    try:
        return decode(value) if value is not None else None
    except (UnknownEvent, ValueError):
        return None
