"""One running pipeline for all tests of this folder; each test has people of its own."""

import uuid
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres
from services.pipeline.app import create
from services.pipeline.settings import PipelineSettings
from tests.component.pipeline.stand import RULEBOOK, Stand, fresh_topics


@pytest.fixture(scope="package")
async def stand(kafka: Kafka, postgres: Postgres) -> AsyncIterator[Stand]:
    name = f"pipeline_{uuid.uuid4().hex[:8]}"
    postgres.copy_database(name)
    settings = PipelineSettings(
        kafka=kafka.bootstrap,
        postgres=SecretStr(postgres.dsn("pipeline", name)),
        rulebook=RULEBOOK,
        migrate=True,
    )
    await fresh_topics(settings)
    stand = Stand(create(settings), settings)
    await stand.open()
    yield stand
    await stand.close()
    postgres.drop_database(name)
