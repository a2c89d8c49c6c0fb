"""Start is refused in one sentence when something is not as it must be (`runtime.md` 23)."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from relance.stack.kafka import Kafka
from shared.runtime import migration, topics
from shared.runtime.http import listen
from shared.runtime.main import start
from shared.runtime.migration import Refused
from shared.runtime.postgres import Postgres, Transaction, Unavailable
from shared.runtime.service import Service
from shared.runtime.settings import Settings, WrongSetting, documented
from shared.runtime.start import open_database
from shared.runtime.topics import Differs
from tests.stack import Database, Names
from tests.toy.bench import Bench, until
from tests.toy.event import note
from tests.toy.fixtures import bench
from tests.toy.process import Process, free_port
from tests.toy.service import MIGRATIONS, Toy, toy_topic

__all__ = ["bench"]

RUNTIME = [each.name for each in migration.found("toy", None)]


def test_a_wrong_setting_is_named_with_what_it_should_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_PORT", "eighty")

    with pytest.raises(WrongSetting, match=r"^Wrong setting: RELANCE_PORT: .*integer.*'eighty'"):
        Settings.read()


def test_a_wrong_secret_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_POSTGRES_POOL", "2")
    monkeypatch.setenv("RELANCE_POSTGRES", "postgresql://pipeline:hush@db/relance")

    with pytest.raises(WrongSetting) as refused:
        Settings.read()

    assert "hush" not in str(refused.value)
    monkeypatch.setenv("RELANCE_POSTGRES_POOL", "5")
    assert "hush" not in repr(Settings.read())


def test_a_secret_may_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "relance_postgres").write_text("postgresql://pipeline:hush@db/relance")
    monkeypatch.delenv("RELANCE_POSTGRES", raising=False)
    monkeypatch.setenv("RELANCE_SECRETS", str(tmp_path))

    secret = Settings.read().postgres.get_secret_value()
    assert secret == "postgresql://pipeline:hush@db/relance"

    monkeypatch.setenv("RELANCE_SECRETS", str(tmp_path / "nowhere"))
    with pytest.raises(WrongSetting, match=r"nowhere, which is no folder"):
        Settings.read()


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, _, meaning in documented(Settings) if not meaning] == []


async def test_missing_topics_are_named(kafka: Kafka, names: Names) -> None:
    settings = Settings(kafka=kafka.bootstrap)
    with pytest.raises(Differs, match=f"{names.topic()} is missing"):
        await topics.check(settings, [toy_topic(names.topic())])


async def test_a_topic_with_another_partition_count_or_setting_is_named(
    kafka: Kafka, names: Names
) -> None:
    settings = Settings(kafka=kafka.bootstrap)
    topic = toy_topic(names.topic(), 3)
    assert await topics.apply(settings, [topic]) == [topic.name]
    assert await topics.apply(settings, [topic]) == []
    await topics.check(settings, [topic])

    other = replace(topic, partitions=4, retention_ms=1000)
    with pytest.raises(Differs) as refused:
        await topics.check(settings, [other])

    assert "has 3 partitions instead of 4" in str(refused.value)
    assert "retention.ms=10368000000 instead of 1000" in str(refused.value)


async def test_what_differs_is_put_right_and_what_else_was_set_stays(
    kafka: Kafka, names: Names
) -> None:
    settings = Settings(kafka=kafka.bootstrap)
    topic = toy_topic(names.topic())
    await topics.carry_out(settings, await topics.plan(settings, [topic]))
    assert await topics.plan(settings, [topic]) == []
    async with topics.administrator(settings) as admin:
        own = {"retention.ms": "1000", "segment.ms": "777000"}
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, own)])

    planned = await topics.plan(settings, [topic])
    # The other settings of the table went with the alteration, and are Kafka's defaults again.
    assert (planned[-1].way, planned[-1].setting) == (
        "change",
        ("retention.ms", str(topic.retention_ms)),
    )
    await topics.carry_out(settings, planned)

    assert await topics.plan(settings, [topic]) == []
    async with topics.administrator(settings) as admin:
        (answer,) = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic.name)]
        )
    now = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    assert now["segment.ms"] == "777000"


async def test_the_whole_table_can_be_made_and_is_then_found_right(kafka: Kafka) -> None:
    settings = Settings(kafka=kafka.bootstrap)
    await topics.apply(settings)
    await topics.check(settings)

    with pytest.raises(Differs, match="1 replica instead of 3"):
        await topics.check(Settings(kafka=kafka.bootstrap, kafka_replication=3))


async def test_a_missing_migration_is_named(database: Database) -> None:
    session = await asyncpg.connect(database.dsn())
    with pytest.raises(Refused, match=r"lacks 0001_runtime\.sql, .*0001_toy\.sql of toy"):
        await migration.check(session, "toy", MIGRATIONS)

    applied = await migration.apply(database.dsn(), "toy", MIGRATIONS)
    assert applied == [*RUNTIME, "0001_toy.sql"]
    assert await migration.apply(database.dsn(), "toy", MIGRATIONS) == []
    await session.execute("set search_path = toy")
    await migration.check(session, "toy", MIGRATIONS)
    await session.close()


async def test_a_migration_changed_after_it_was_applied_is_refused(
    database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "0001_lead.sql"
    file.write_text("create table lead (id uuid)")
    await migration.apply(database.dsn(), "toy", tmp_path)
    file.write_text("create table lead (id text)")

    with pytest.raises(Refused, match=r"toy/0001_lead\.sql was changed after"):
        await migration.apply(database.dsn(), "toy", tmp_path)


async def test_a_migration_that_fails_leaves_nothing_behind(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "0001_lead.sql").write_text("create table lead (id uuid); select 1 / 0")

    with pytest.raises(Refused, match=r"toy/0001_lead\.sql cannot be applied: division by zero"):
        await migration.apply(database.dsn(), "toy", tmp_path)

    session = await asyncpg.connect(database.dsn())
    assert await session.fetchval("select to_regclass('toy.lead')") is None
    await session.close()


async def test_several_boththat_migrate_at_once_end_well(database: Database) -> None:
    dsn = database.dsn("pipeline")
    applied = await asyncio.gather(*(migration.apply(dsn, "pipeline") for _ in range(3)))

    assert sorted(applied, key=len) == [[], [], RUNTIME]


async def test_a_database_that_stays_away_is_named_after_the_deadline() -> None:
    postgres = Postgres(f"postgresql://nobody@127.0.0.1:{free_port()}/none", "toy")

    with pytest.raises(Unavailable, match=r"PostgreSQL cannot be used .* RELANCE_POSTGRES"):
        await postgres.open(deadline_s=0.5)


async def test_a_kafka_that_stays_away_is_named_after_the_deadline() -> None:
    settings = Settings(kafka=f"127.0.0.1:{free_port()}", dependency_deadline_s=0.5)

    with pytest.raises(Unavailable, match=r"Kafka does not answer at .* RELANCE_KAFKA"):
        await topics.check(settings)


async def test_the_process_ends_with_a_code_and_one_sentence(
    bench: Bench, database: Database, tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = Process(
            "tests.toy.clerk",
            {
                "TOY_NAME": bench.name,
                "TOY_READS": bench.source.name,
                "RELANCE_KAFKA": bench.settings.kafka,
                "RELANCE_POSTGRES": database.dsn(),
            },
            tmp_path / "log",
            port=taken.getsockname()[1],
        )
        process.start()
        busy = await asyncio.to_thread(process.child.wait, 60)
    said = process.log.read_text()
    process.log.unlink()
    process.start()
    unmigrated = await asyncio.to_thread(process.child.wait, 60)

    assert (busy, unmigrated) == (78, 78)
    assert said.startswith(f"Cannot serve on 127.0.0.1:{process.port}: Address already in use")
    assert "The database lacks 0001_runtime.sql" in process.log.read_text()
    assert "Traceback" not in said + process.log.read_text()


async def test_a_batch_the_runtime_itself_cannot_take_ends_the_process_with_70(
    bench: Bench, database: Database, tmp_path: Path
) -> None:
    process = Process(
        "tests.toy.clerk",
        {
            "TOY_NAME": bench.name,
            "TOY_READS": bench.source.name,
            "RELANCE_KAFKA": bench.settings.kafka,
            "RELANCE_POSTGRES": database.dsn(),
            "RELANCE_MIGRATE": "true",
        },
        tmp_path / "log",
    )
    process.start()
    await asyncio.to_thread(process.wait_ready)
    session = await asyncpg.connect(database.dsn())
    await session.execute(f"drop table {bench.name}.sequence")
    await session.close()
    await bench.tell(note("lead-1", sequence=1))

    code = await asyncio.to_thread(process.child.wait, 60)

    assert code == 70
    assert 'relation "sequence" does not exist' in process.log.read_text()


class _Shaken(Postgres):
    """PostgreSQL crashes right after the pool has opened, and is back two tries later."""

    refusals = 2

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionRefusedError(111, "Connect call failed")
        async with super().transaction() as tx:
            yield tx


async def test_a_database_that_crashes_in_the_middle_of_a_start_is_waited_for(
    database: Database,
) -> None:
    await migration.apply(database.dsn(), "toy", MIGRATIONS)
    postgres = _Shaken(database.dsn(), "toy", 5)

    await open_database(postgres, Settings(dependency_deadline_s=10), "toy", MIGRATIONS)

    assert postgres.refusals == 0
    assert await postgres.answers()
    await postgres.close()


class _Lost(Service):
    async def start(self) -> None:
        raise ConnectionRefusedError(111, "Connect call failed")


async def test_a_dependency_lost_while_starting_is_not_taken_for_a_wrong_port(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = await start(_Lost("toy", Settings()))

    assert code == 69
    assert capsys.readouterr().err == (
        "toy lost a dependency while starting "
        "(ConnectionRefusedError: [Errno 111] Connect call failed).\n"
    )


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", taken.getsockname()[1])


async def test_what_was_in_hand_at_stop_is_neither_lost_nor_done_again(bench: Bench) -> None:
    for number in range(1, 51):
        await bench.tell(note("lead-1", f"n{number}", sequence=number))
    first = Toy(bench.name, bench.settings, [bench.source])
    await first.start()
    await first.stop()

    await bench.toy()
    told = await bench.told_of("lead-1", 50)
    assert told == [f"n{number}" for number in range(1, 51)]


async def test_members_with_a_name_give_their_places_up_when_they_are_stopped(bench: Bench) -> None:
    named = bench.settings.model_copy(update={"member": "a"})
    toy = Toy(bench.name, named, [bench.source])
    await toy.start()
    there = await members(named, f"{bench.name}.{bench.source.name}")
    await toy.stop()

    left = await members(named, f"{bench.name}.{bench.source.name}")

    assert (there, left) == (2, 0), "the others would wait for the end of its session"


async def test_the_members_of_a_process_share_the_partitions(bench: Bench) -> None:
    toy = await bench.toy()
    both = [c for c in toy._kafka._consumers if bench.source in c.topics]

    async def shared() -> bool:
        return sorted(len(c.processed) for c in both) == [2, 2]

    await until(shared, "two of four partitions for each member")
    assert not set(both[0].processed) & set(both[1].processed)


async def members(settings: Settings, group: str) -> int:
    """How many Kafka counts."""
    async with topics.administrator(settings) as admin:
        (answer,) = await admin.describe_consumer_groups([group])
    return sum(len(described[5]) for described in answer.groups)
