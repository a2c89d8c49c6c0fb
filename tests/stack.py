"""Real Kafka and PostgreSQL for tests: started when the first test asks for them."""

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relance.example_company import open_example
from relance.stack.home import Home
from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres
from relance.stack.stack import RULEBOOK, Stack
from relance.stack.topics import create_missing_topics


@dataclass(frozen=True)
class Database:
    """A database of one test: the three schemas, each owned by its role, and nothing else."""

    server: Postgres
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
def kafka(home: Home) -> Iterator[Kafka]:
    """A running broker, shared by the session: use `names` for your topics and groups."""
    broker = Kafka(home, say=print)
    broker.start()
    yield broker
    broker.stop()


@contextmanager
def broker_with_topics() -> Iterator[Kafka]:
    """A broker of its own with the topics of the contract, empty.

    For tests of a service: its topics and groups have fixed names, so two of them on one broker
    would read each other's events and resume each other's offsets.
    """
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
def own_kafka() -> Iterator[Kafka]:
    """A broker of this module alone, with the topics of the contract."""
    with broker_with_topics() as broker:
        yield broker


@pytest.fixture(scope="session")
def postgres(home: Home) -> Iterator[Postgres]:
    """A running server, shared by the session: `database` is a fresh one in it."""
    server = Postgres(home)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    """A fresh database, removed after the test."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    postgres.copy_database(name)
    yield Database(postgres, name)
    postgres.drop_database(name)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The whole system in a home of its own, on real time, with a company open day and night."""
    home = temporary_home()
    with Stack(home, say=print) as running:
        intake = running.services["intake"]
        open_example(RULEBOOK, intake.url, intake.setting("RELANCE_ADMIN_KEY"))
        yield running
    home.remove()


@pytest.fixture
def names() -> Names:
    return Names()
