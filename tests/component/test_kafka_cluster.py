"""Three brokers: what one of them has acknowledged outlives it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from relance.stack.error import StackError
from relance.stack.kafka import Kafka
from shared.runtime import topics
from shared.runtime.settings import Settings
from shared.runtime.topics import Differs
from tests.stack import Database, Names, temporary_home
from tests.toy.bench import Bench, until
from tests.toy.event import note

NOTES = 300
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Kafka]:
    home = temporary_home()
    kafka = Kafka(home, say=print, brokers=3)
    kafka.start()
    yield kafka
    kafka.kill()
    home.remove()


async def partitions(bench: Bench) -> list[dict[str, Any]]:
    """Of the bench's source: who leads each, and (`isr`) who has all of it."""
    async with topics.administrator(bench.settings) as admin:
        (described,) = await admin.describe_topics([bench.source.name])
    return list(described["partitions"])


async def tell(bench: Bench) -> None:
    for number in range(1, NOTES + 1):
        await bench.tell(note("lead-1", f"n{number}", sequence=number))


async def test_a_leader_that_is_killed_costs_no_event_and_no_order(
    cluster: Kafka, database: Database, names: Names
) -> None:
    async with Bench(cluster.bootstrap, database.dsn(), names.prefix, kafka_replication=3) as bench:
        await bench.toy(echo=True)
        telling = asyncio.create_task(tell(bench))
        await bench.told(NOTES // 10)
        leader = (await partitions(bench))[0]["leader"]
        cluster.broker(leader).kill()
        await asyncio.wait_for(telling, LIMIT_S)

        expected = [f"n{number}" for number in range(1, NOTES + 1)]
        assert await bench.told_of("lead-1", NOTES) == expected
        passed_on = await bench.records(f"{bench.name}.events.v1", NOTES)
        assert len({record.value for record in passed_on}) == NOTES

        cluster.broker(leader).start()

        async def whole_again() -> bool:
            return all(sorted(each["isr"]) == [1, 2, 3] for each in await partitions(bench))

        await until(whole_again, "the broker that came back to have everything", LIMIT_S)


async def test_topics_are_kept_as_in_production(cluster: Kafka) -> None:
    settings = Settings(kafka=cluster.bootstrap, kafka_replication=3)
    await topics.apply(settings)
    await topics.check(settings)
    with pytest.raises(Differs, match=r"has min\.insync\.replicas=2 instead of 1"):
        await topics.check(Settings(kafka=cluster.bootstrap, kafka_replication=1))


def test_a_cluster_does_not_start_with_another_number_of_brokers(cluster: Kafka) -> None:
    with pytest.raises(StackError, match=r"made with 3 brokers and 1 are asked for"):
        Kafka(cluster.home).start()
