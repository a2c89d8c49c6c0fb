"""Real Kafka and PostgreSQL for tests: started when the first test asks for them."""

import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relance.example_company import open_example
from relance.stack.home import PROJECT, Home
from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres
from relance.stack.stack import RULEBOOK, Stack
from relance.stack.topics import create_missing_topics
from shared.runtime import migration
from shared.runtime.postgres import Postgres as Sessions
from tests.elsewhere import KafkaElsewhere, PostgresElsewhere, chosen, outside_address

AnyKafka = Kafka | KafkaElsewhere
AnyPostgres = Postgres | PostgresElsewhere


@dataclass(frozen=True)
class Database:
    """A database of one test: the three schemas, each owned by its role, and nothing else."""

    server: AnyPostgres
    name: str

    def dsn(self, role: str = "postgres") -> str:
        """Return the address to connect to as `pipeline`, `reminders` or `notifications`."""
        return self.server.dsn(role, self.name)


@dataclass(frozen=True)
class Names:
    """Names that no other test uses, for topics and consumer groups."""

    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}")

    def topic(self, name: str = "topic") -> str:
        return f"{self.prefix}.{name}"

    def group(self, name: str = "group") -> str:
        return f"{self.prefix}-{name}"


def temporary_home() -> Home:
    """Return a new home. Not in pytest's folder, which PostgreSQL's user could not cross."""
    folder = Path(tempfile.mkdtemp(prefix="relance-test-"))
    folder.chmod(0o755)
    return Home(folder)


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """A home for the session."""
    home = temporary_home()
    yield home
    home.remove()


@pytest.fixture(scope="session")
def kafka_elsewhere() -> Iterator[KafkaElsewhere | None]:
    """The cluster of RELANCE_STACK, unless that is the embedded one."""
    if chosen() == "containers":
        from tests.containers.servers import kafka_container  # noqa: PLC0415 - needs Docker

        with kafka_container() as broker:
            yield broker
    elif chosen() == "external":
        broker = KafkaElsewhere(outside_address("RELANCE_KAFKA"))
        broker.wait_ready()
        broker.refuse_to_erase()
        before = broker.topics()
        yield broker
        broker.delete_topics(broker.topics() - before)
    else:
        yield None


@pytest.fixture(scope="session")
def kafka(home: Home, kafka_elsewhere: KafkaElsewhere | None) -> Iterator[AnyKafka]:
    """A running cluster, shared by the session: use `names` for your topics and groups."""
    if kafka_elsewhere:
        yield kafka_elsewhere
        return
    broker = Kafka(home, say=print)
    broker.start()
    yield broker
    broker.stop()


@contextmanager
def broker_with_topics(elsewhere: KafkaElsewhere | None) -> Iterator[AnyKafka]:
    """A broker of its own with the topics of the contract, empty.

    For tests of a service: its topics and groups have fixed names, so two of them on one broker
    would read each other's events and resume each other's offsets. Elsewhere there is one
    cluster, and it is emptied.
    """
    if elsewhere:
        elsewhere.make_topics()
        yield elsewhere
        return
    home = temporary_home()
    broker = Kafka(home, say=print)
    broker.start()
    try:
        create_missing_topics(broker.bootstrap)
        yield broker
    finally:
        broker.stop()
        home.remove()


@pytest.fixture(scope="module")
def own_kafka(kafka_elsewhere: KafkaElsewhere | None) -> Iterator[AnyKafka]:
    """A broker of this module alone, with the topics of the contract."""
    with broker_with_topics(kafka_elsewhere) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres(home: Home) -> Iterator[AnyPostgres]:
    """A running server, shared by the session: `database` is a fresh one in it."""
    if chosen() == "embedded":
        server = Postgres(home)
        server.start()
        yield server
        server.stop()
        return
    with _postgres_elsewhere() as other:
        other.open()
        yield other
        other.close()


@contextmanager
def _postgres_elsewhere() -> Iterator[PostgresElsewhere]:
    if chosen() == "external":
        server = PostgresElsewhere(outside_address("RELANCE_POSTGRES"))
        server.wait_ready()
        yield server
        return
    from tests.containers.servers import postgres_container  # noqa: PLC0415 - needs Docker

    with postgres_container() as server:
        yield server


@pytest.fixture
def database(postgres: AnyPostgres) -> Iterator[Database]:
    """A fresh database, removed after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres.copy_database(name)
    yield Database(postgres, name)
    postgres.drop_database(name)


@asynccontextmanager
async def sessions_of(database: Database, service: str) -> AsyncIterator[Sessions]:
    """Sessions in a service's own schema, with all of its tables."""
    migrations = PROJECT / "services" / service / "migrations"
    await migration.apply(database.dsn(service), service, migrations)
    sessions = Sessions(database.dsn(service), service)
    await sessions.open(10)
    yield sessions
    await sessions.close()


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The whole system in a home of its own, on real time, with a company open day and night."""
    if chosen() != "embedded":
        pytest.skip("starts the whole system by itself; in Docker that is `make containers`")
    home = temporary_home()
    with Stack(home, say=print) as running:
        intake = running.services["intake"]
        open_example(RULEBOOK, intake.url, intake.setting("RELANCE_ADMIN_KEY"))
        yield running
    home.remove()


@pytest.fixture
def names() -> Names:
    return Names()
