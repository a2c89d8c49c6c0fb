"""The relay: what Kafka refuses for good holds up its own subject only (`runtime.md` 17, 18)."""

import json
from typing import Any

import asyncpg
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from relance.outbox import _FREE
from shared.contract.topics import decode
from shared.runtime import kafka
from shared.runtime.postgres import Postgres
from shared.runtime.relay import _SELECT, _SILENCE_S, lock_key
from shared.runtime.settings import Settings
from tests.toy.bench import Bench, until
from tests.toy.event import note
from tests.toy.fixtures import bench
from tests.toy.service import Toy, toy_topics

__all__ = ["bench"]


async def limited(settings: Settings, topic: str, most_bytes: int) -> None:
    """What an operator may do to a topic: records over `most_bytes` are refused."""
    admin = kafka.admin(settings)
    await admin.start()
    try:
        configs = {"max.message.bytes": str(most_bytes)}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
    finally:
        await admin.close()


async def stuck(toy: Toy, many: int) -> None:
    async def so_many() -> bool:
        count = "select count(*) from outbox where stuck is not null"
        return bool(await toy.postgres.pool.fetchval(count) == many)

    await until(so_many, f"{many} stuck rows")


async def test_what_kafka_refuses_for_good_waits_with_its_subject_and_the_others_go_on(
    bench: Bench,
) -> None:
    out = toy_topics(bench.name)[0].name
    await limited(bench.settings, out, 20_000)
    toy = await bench.toy(echo=True, sequenced=False)
    await bench.tell(note("big", "x" * 60_000))
    await stuck(toy, 1)
    await bench.tell(note("big", "behind it"))
    await bench.tell(note("small", "passes"))
    await stuck(toy, 2)

    (first,) = await bench.records(out, 1)
    assert (first.key, decode(first.value).sequence) == (b"small", 1)
    why: list[str] = [
        row["stuck"]
        for row in await toy.postgres.pool.fetch("select stuck from outbox order by id")
    ]
    assert why[0].startswith("MessageSizeTooLargeError")
    assert why[1] == "an earlier one of its subject is stuck"

    await limited(bench.settings, out, 1_000_000)
    await toy.postgres.pool.execute(_FREE, "big")
    told = [decode(record.value) for record in await bench.records(out, 3)]
    assert [(e.subject, e.sequence) for e in told if e.subject == "big"] == [("big", 1), ("big", 2)]
    await stuck(toy, 0)


async def test_under_a_snapshot_that_is_held_a_scan_reads_no_row_that_is_gone(
    bench: Bench,
) -> None:
    toy = await bench.toy()
    pool = toy.postgres.pool
    async with pool.acquire() as holder, holder.transaction(isolation="repeatable_read"):
        await holder.fetchval("select count(*) from outbox")  # the snapshot is taken here
        await pool.execute(
            "insert into outbox (topic, value, stuck) "
            "select 'none', 'x', 'never sent' from generate_series(1, 5000)"
        )
        await pool.execute("delete from outbox")
        highest = await pool.fetchval("select last_value from outbox_id_seq")
        whole, trailing = [await _pages(pool, bound) for bound in (0, highest)]

    assert whole > 10 * trailing


async def test_a_relay_that_falls_silent_loses_its_lock_and_another_publishes(
    bench: Bench,
) -> None:
    toy = Toy(bench.name, bench.settings, [bench.source], echo=True, sequenced=False)
    address = bench.settings.postgres.get_secret_value()
    frozen = await Postgres(address, bench.name).session(idle_session_timeout=f"{_SILENCE_S}s")
    await frozen.execute("select pg_advisory_lock($1)", lock_key(bench.name, "relay"))
    await toy.start()
    bench.adopt(toy)
    await bench.tell(note("lead-1"))
    await bench.told(1)

    (record,) = await bench.records(toy_topics(bench.name)[0].name, 1)

    assert record.key == b"lead-1"
    with pytest.raises((asyncpg.InterfaceError, asyncpg.PostgresError)):
        await frozen.execute("select 1")
    frozen.terminate()


async def test_a_round_takes_eight_megabytes_at_most_and_one_row_however_large(
    bench: Bench,
) -> None:
    toy = await bench.toy()
    pool = toy.postgres.pool
    async with pool.acquire() as session, session.transaction():  # the relay sees none of it

        async def in_a_round(many: int, size: int) -> int:
            await session.execute("delete from outbox")
            await session.execute(
                "insert into outbox (topic, value) "
                "select 'none', convert_to(repeat('x', $2), 'UTF8') from generate_series(1, $1)",
                many,
                size,
            )
            return len(await session.fetch(_SELECT, 0))

        assert await in_a_round(30, 900_000) == 10
        assert await in_a_round(3, 9_000_000) == 1
        assert await in_a_round(2_100, 100) == 2_000
        await session.execute("delete from outbox")


async def _pages(pool: Any, bound: int) -> int:
    """How many pages the relay's look at its table reads."""
    async with pool.acquire() as session, session.transaction():
        # As on a large table: this one is small enough to be read whole.
        await session.execute("set local enable_seqscan = off")
        plan = await session.fetchval(f"explain (analyze, buffers, format json) {_SELECT}", bound)
    top = json.loads(plan)[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
