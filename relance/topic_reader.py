"""Reads topics from their beginning to their end, without a group: nothing is committed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contract.envelope import Envelope
from shared.contract.topics import UnknownEvent, decode

_POLL_MS = 500


async def read_to_end(bootstrap: str, topics: Iterable[str]) -> dict[str, list[Envelope]]:
    """Every typed event now on `topics`, in the order of each partition.

    Records that are no event of this release are left out: they are dead letters' business.
    """
    names = tuple(topics)
    events: dict[str, list[Envelope]] = {name: [] for name in names}
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        async for topic, envelope in _records(consumer, names):
            events[topic].append(envelope)
    finally:
        await consumer.stop()
    return events


async def _records(
    consumer: AIOKafkaConsumer, names: tuple[str, ...]
) -> AsyncIterator[tuple[str, Envelope]]:
    await consumer.client.set_topics(names)
    partitions = [
        TopicPartition(name, number)
        for name in names
        for number in sorted(consumer.partitions_for_topic(name) or ())
    ]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    left = {at for at in partitions if ends[at] > await consumer.position(at)}
    while left:
        batches = await consumer.getmany(*left, timeout_ms=_POLL_MS)
        for at, records in batches.items():
            for record in records:
                if record.offset < ends[at] and (envelope := _typed(record.value)) is not None:
                    yield at.topic, envelope
        left = {at for at in left if await consumer.position(at) < ends[at]}


def _typed(value: bytes | None) -> Envelope | None:
    try:
        return decode(value) if value is not None else None
    except (UnknownEvent, ValueError):
        return None
