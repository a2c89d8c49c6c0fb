"""What a door may promise when Kafka does not answer (`runtime.md` 20)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from relance.stack.family import frozen
from relance.stack.kafka import Kafka
from shared.runtime import producer, topics
from shared.runtime.activity import Activity
from shared.runtime.producer import ConfirmedProducer, NotConfirmed
from shared.runtime.settings import Settings
from tests.stack import Names
from tests.toy.bench import Bench
from tests.toy.fixtures import bench
from tests.toy.service import toy_topic

__all__ = ["bench"]


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[ConfirmedProducer]:
    """Doors that are closed again whatever the test finds, or it would fail the next one too."""
    doors = ConfirmedProducer(settings, Activity())
    await doors.start()
    try:
        yield doors
    finally:
        await doors.stop()


async def test_a_send_kafka_does_not_acknowledge_is_refused_in_time_and_may_count_once(
    bench: Bench, kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producer, "LIMIT_S", 1.5)
    assert kafka.pid is not None
    async with connected(bench.settings) as doors:
        await doors.send(bench.source.name, key=b"k", value=b"before")

        with frozen(kafka.pid):
            began = monotonic()
            with pytest.raises(NotConfirmed):
                await doors.send(bench.source.name, key=b"k", value=b"in doubt")
            took_s = monotonic() - began

        monkeypatch.setattr(producer, "LIMIT_S", 15)
        await doors.send(bench.source.name, key=b"k", value=b"after")

    assert 1.4 < took_s < 4
    values = [record.value for record in await bench.records(bench.source.name, 3)]
    assert values == [b"before", b"in doubt", b"after"]


async def test_three_failures_in_a_row_bring_a_new_producer(
    kafka: Kafka, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(kafka=kafka.bootstrap)
    topic = toy_topic(names.topic(), 1)
    await topics.apply(settings, [topic])
    stuck: list[AIOKafkaProducer] = []
    connect = ConfirmedProducer._connected

    async def first_one_stuck(self: ConfirmedProducer) -> AIOKafkaProducer:
        fresh = await connect(self)
        if not stuck:
            stuck.append(fresh)
            monkeypatch.setattr(fresh, "send", _never_acknowledged)
        return fresh

    monkeypatch.setattr(ConfirmedProducer, "_connected", first_one_stuck)
    async with connected(settings) as doors:
        for _ in range(3):
            with pytest.raises(NotConfirmed):
                await doors.send(topic.name, key=b"k", value=b"v")

        assert await doors.send(topic.name, key=b"k", value=b"v") == (0, 0)


async def _never_acknowledged(*_: object, **__: object) -> asyncio.Future[object]:
    raise KafkaTimeoutError
