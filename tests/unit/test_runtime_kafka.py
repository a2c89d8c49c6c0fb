"""Kafka's side of the runtime, before there is a Kafka."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.runtime.kafka import Ends
from shared.runtime.settings import Settings


async def test_readiness_can_be_asked_while_kafka_is_still_being_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_way = asyncio.Event()

    async def start(_: AIOKafkaConsumer) -> None:
        under_way.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(AIOKafkaConsumer, "start", start)
    ends = Ends(Settings())
    starting = asyncio.create_task(ends.start())
    await under_way.wait()
    assert await ends.of([TopicPartition("directory.v1", 0)]) == {}
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
