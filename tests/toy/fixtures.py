"""Fixtures of the runtime's tests: a module that uses one imports it."""

from collections.abc import AsyncIterator

import pytest

from relance.stack.kafka import Kafka
from tests.stack import Database, Names
from tests.toy.bench import Bench


@pytest.fixture
async def bench(kafka: Kafka, database: Database, names: Names) -> AsyncIterator[Bench]:
    """A bench with a topic and a database of its own."""
    async with Bench(kafka.bootstrap, database.dsn(), names.prefix) as bench:
        yield bench
