"""Outbox rows on their way to Kafka: whole batches, each partition's rows in order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTimestampError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedForMessageFormatError,
)

from shared.runtime import kafka
from shared.runtime.outbox import headers_from_json

FOR_GOOD = (
    InvalidTimestampError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnsupportedForMessageFormatError,
)
"""What no repeat mends (`runtime.md` 17); everything else is bad luck."""

Outgoing = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]
"""(key, value, headers)."""

_OF_AN_EVENT = list(kafka.EVENT_HEADERS)


async def send(
    producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
) -> list[asyncio.Future[object]]:
    """Hand the rows over, each partition's in order, as whole batches: one future a batch.

    `producer.send` makes a future, and looks for the partition, for each record: three times the
    work.
    """
    sent: list[asyncio.Future[object]] = []
    for (topic, partition), records in (await _by_partition(producer, rows)).items():
        batch = producer.create_batch()
        for key, value, headers in records:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:  # full
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent


async def _by_partition(
    producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
) -> dict[tuple[str, int], list[Outgoing]]:
    """The records of each (topic, partition), in the order of the rows."""
    places = {topic: await producer.partitions_for(topic) for topic in {r["topic"] for r in rows}}
    every = {topic: tuple(sorted(partitions)) for topic, partitions in places.items()}
    records: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
    for _, topic, key, value, headers in rows:
        sent_with = list(headers_from_json(headers)) if headers else _OF_AN_EVENT
        records[topic, kafka.partition(key, every[topic])].append((key, value, sent_with))
    return records
