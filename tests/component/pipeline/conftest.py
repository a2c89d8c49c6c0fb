"""One running pipeline for all tests of this folder; each test has people of its own."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from pydantic import SecretStr

from services.pipeline.app import create
from services.pipeline.settings import PipelineSettings
from tests.component.pipeline.stand import RULEBOOK, Stand
from tests.elsewhere import KafkaElsewhere
from tests.stack import AnyKafka, AnyPostgres, broker_with_topics


@pytest.fixture(scope="package")
def own_kafka(kafka_elsewhere: KafkaElsewhere | None) -> Iterator[AnyKafka]:
    """A broker of this folder alone, with the topics of the contract."""
    with broker_with_topics(kafka_elsewhere) as broker:
        yield broker


@pytest.fixture(scope="package")
async def stand(own_kafka: AnyKafka, postgres: AnyPostgres) -> AsyncIterator[Stand]:
    name = f"pipeline_{uuid.uuid4().hex[:8]}"
    postgres.copy_database(name)
    settings = PipelineSettings(
        kafka=own_kafka.bootstrap,
        postgres=SecretStr(postgres.dsn("pipeline", name)),
        rulebook=RULEBOOK,
        migrate=True,
        gate_margin_s=0.25,
    )
    stand = Stand(create(settings), settings)
    await stand.open()
    yield stand
    await stand.close()
    postgres.drop_database(name)
