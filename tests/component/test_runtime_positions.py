"""Positions that Kafka no longer has, and code that fails on everybody (`runtime.md` 3, 7, 8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from relance.database import CannotDo
from relance.offsets import Change, change, shown
from shared.runtime import consumer as consuming
from shared.runtime import kafka, topics
from shared.runtime.kafka import Record
from shared.runtime.settings import Settings
from tests.toy.bench import Bench, until
from tests.toy.event import note
from tests.toy.fixtures import bench
from tests.toy.service import Toy

__all__ = ["bench"]


@asynccontextmanager
async def administrator(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = kafka.admin(settings)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def deleted_to(settings: Settings, topic: str, end: int) -> None:
    """Retention has overtaken whoever stands before `end`."""
    async with administrator(settings) as admin:
        places = {TopicPartition(topic, p): RecordsToDelete(before_offset=end) for p in range(4)}
        filled = {tp: to for tp, to in places.items() if await _end(settings, tp) >= end}
        await admin.delete_records(filled)


async def made_anew(bench: Bench) -> None:
    async with administrator(bench.settings) as admin:
        await admin.delete_topics([bench.source.name])

        async def is_gone() -> bool:
            return bench.source.name not in await admin.list_topics()

        await until(is_gone, "the topic to be gone")
    await topics.apply(bench.settings, [bench.source])


async def _end(settings: Settings, tp: TopicPartition) -> int:
    reader = kafka.reader(settings)
    await reader.start()
    try:
        return int((await reader.end_offsets([tp]))[tp])
    finally:
        await reader.stop()


async def read_some(bench: Bench, many: int = 5) -> Toy:
    """A toy that has read `many` events of one lead and left the group in order."""
    toy = await bench.toy(sequenced=False)
    for number in range(many):
        await bench.tell(note("lead", f"{number}"))
    await bench.told(many)
    await bench.leave(toy)
    return toy


async def failed(toy: Toy) -> str:
    async def has_failed() -> bool:
        return toy.failure is not None

    await until(has_failed, "the service to fail")
    return toy.failure or ""


async def again(bench: Bench) -> Toy:
    toy = Toy(bench.name, bench.settings, [bench.source], sequenced=False)
    await toy.start()
    bench.adopt(toy)
    return toy


class Stuck:
    """An effect that does not come to its end."""

    def __init__(self) -> None:
        self.waiting = False
        self.done = asyncio.Event()

    async def __call__(self, records: Sequence[Record]) -> None:
        await self.done.wait()


async def test_records_deleted_before_they_were_read_end_the_service_in_one_sentence(
    bench: Bench,
) -> None:
    await read_some(bench)
    for number in range(5):
        await bench.tell(note("lead", f"unread {number}"))
    await deleted_to(bench.settings, bench.source.name, 8)

    why = await failed(await again(bench))

    assert "3 records that" in why
    assert "it stands at 5, Kafka has 8 to 10" in why
    assert "relance offsets set" in why
    assert await bench.told(5) == [("lead", f"{number}") for number in range(5)]


async def test_a_topic_made_anew_is_not_read_as_if_it_were_the_old_one(bench: Bench) -> None:
    toy = await bench.toy(sequenced=False)
    await bench.tell(note("lead", "old"))
    await bench.told(1)
    await made_anew(bench)

    why = await failed(toy)

    assert "made anew" in why
    assert "\n" not in why


async def test_an_operator_sees_where_a_group_stands_and_sets_it_after_a_look(bench: Bench) -> None:
    toy = await read_some(bench)
    for number in range(5):
        await bench.tell(note("lead", f"unread {number}"))
    await deleted_to(bench.settings, bench.source.name, 8)
    group = f"{toy.name}.{bench.source.name}"
    at = bench.settings.kafka

    assert "GONE" in await shown(group, at)
    told = await change(Change(group, "earliest"), at, for_real=False)
    assert "5 -> 8" in told
    assert "GONE" in await shown(group, at)
    await change(Change(group, "earliest"), at, for_real=True)
    assert "GONE" not in await shown(group, at)

    await again(bench)
    assert (await bench.told(7))[-1] == ("lead", "unread 4")
    with pytest.raises(CannotDo, match="has members"):
        await change(Change(group, "earliest"), at, for_real=True)


async def test_code_that_fails_on_everybody_stops_and_sets_nothing_aside(bench: Bench) -> None:
    def broken(_: Any) -> Exception | None:
        return AttributeError("no such column in the mind of the programmer")

    for number in range(25):
        await bench.tell(note(f"lead-{number}"))
    # One batch has them all: of two, one may have set some aside before the other finds the 20th.
    toy = await bench.toy(sequenced=False, refuse=broken, members=1)

    why = await failed(toy)

    assert "AttributeError at service.py" in why
    assert "on 20 subjects" in why
    assert await bench.letters(toy, 0) == []
    assert await toy.postgres.pool.fetchval("select count(*) from inbox") == 0


async def test_a_partition_that_does_not_move_makes_the_service_not_alive(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = await bench.toy(sequenced=False)
    stuck = Stuck()
    monkeypatch.setattr(consuming, "STILL_AT_MOST_S", 0.5)
    for consumer in toy._kafka._consumers:
        if bench.source in consumer.topics:
            monkeypatch.setattr(consumer, "_effect", stuck)
    await bench.tell(note("lead"))
    try:

        async def says_so() -> bool:
            return toy._dead() is not None

        await until(says_so, "the service to be no longer alive")
        assert "has not moved for" in (toy._dead() or "")
        stuck.waiting = True  # for PostgreSQL, say: another process would wait as well
        assert toy._dead() is None
    finally:
        stuck.done.set()
