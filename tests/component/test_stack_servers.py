"""Kafka and PostgreSQL of the local stack: what they keep, and what they say when they cannot."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from relance.stack import kafka_jars
from relance.stack.error import StackError
from relance.stack.home import Home
from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres


@pytest.fixture
def fresh_home() -> Iterator[Home]:
    """A home of its own, with a path too long for a Unix socket, a space, and more than ASCII."""
    root = Path(tempfile.mkdtemp(prefix="relance-test-"))
    root.chmod(0o755)
    home = Home(root / ("d" * 70) / ("e" * 70) / "chez Élodie 🏠")
    yield home
    home.remove()
    shutil.rmtree(root)


def test_rows_survive_a_crash_and_a_restart_in_a_deep_folder(fresh_home: Home) -> None:
    server = Postgres(fresh_home)
    server.start()
    try:
        address = server.dsn()
        server.run("CREATE TABLE note (text text); INSERT INTO note VALUES ('kept')")
        server.crash()
        server.start()
        assert server.run("SELECT text FROM note") == "kept"
        server.stop()
        server.start()
        assert server.run("SELECT text FROM note") == "kept"
        assert server.dsn() == address
    finally:
        server.stop()
    assert not fresh_home.sockets.exists()


async def test_open_connections_end_with_a_crash(fresh_home: Home) -> None:
    server = Postgres(fresh_home)
    server.start()
    connection = await asyncpg.connect(server.dsn("pipeline"))
    server.crash()
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()


def test_damaged_data_is_told_with_the_way_out(fresh_home: Home) -> None:
    server = Postgres(fresh_home)
    server.start()
    server.stop()
    (server.place.data / "global" / "pg_control").write_bytes(b"rubbish")
    with pytest.raises(StackError, match=r"(?s)postgres ended while starting.*make clean"):
        server.start()


def test_a_statement_that_fails_is_told(postgres: Postgres) -> None:
    with pytest.raises(StackError, match="nonsense"):
        postgres.run("nonsense")


def test_records_survive_a_kill_and_another_port(fresh_home: Home) -> None:
    broker = Kafka(fresh_home)
    broker.start()
    try:
        asyncio.run(publish(broker, b"kept"))
        broker.kill()
        moved = Kafka(fresh_home)
        moved.start()
        assert moved.port != broker.port
        assert asyncio.run(first_record(moved)) == b"kept"
    finally:
        broker.stop()
        moved.stop()


async def publish(broker: Kafka, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("t", 1, 1, topic_configs={"flush.messages": "1"})])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all") as producer:
        await producer.send_and_wait("t", value)


async def first_record(broker: Kafka) -> object:
    reader = AIOKafkaConsumer("t", bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    async with reader:
        record = await asyncio.wait_for(reader.getone(), 20)
    return record.value


def test_jars_that_are_not_ours_are_fetched_again_and_being_offline_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # A proxy that refuses is what having no network looks like from here.
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))
    said: list[str] = []
    with pytest.raises(StackError, match="needs the Internet"):
        kafka_jars.kafka_jars(said.append)
    assert "Fetching Kafka" in said[0]
