"""Kafka behind TLS and a password, as in production."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import SecretStr

from relance.stack.kafka import Kafka
from relance.stack.kafka_guard import Guard, Mechanism
from shared.runtime import topics
from shared.runtime.postgres import Unavailable
from shared.runtime.settings import Settings, WrongSetting
from tests.certificates import certificates
from tests.stack import Database, Names, temporary_home
from tests.toy.bench import Bench
from tests.toy.event import note
from tests.toy.process import Process

PASSWORD = "a-password-of-this-test"


@dataclass(frozen=True)
class Door:
    """A guarded Kafka, and what its clients are told."""

    kafka: Kafka
    ca: Path
    other_ca: Path

    def told(self, **others: Any) -> dict[str, Any]:
        return {
            "kafka_security": "SASL_SSL",
            "kafka_user": "relance",
            "kafka_password": SecretStr(PASSWORD),
            "kafka_ca": self.ca,
        } | others

    async def refused(self, **others: Any) -> str:
        """The sentence with which start ends at once, long before the deadline for waiting."""
        settings = Settings(kafka=self.kafka.bootstrap, **self.told(**others))
        with pytest.raises(WrongSetting) as refused:
            await asyncio.wait_for(topics.check(settings), 30)
        assert PASSWORD not in str(refused.value)
        return str(refused.value)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    ours = certificates(tmp_path_factory.mktemp("ours"))
    others = certificates(tmp_path_factory.mktemp("others"))
    home = temporary_home()
    guard = Guard(ours.server, get_args(Mechanism), password=PASSWORD)
    kafka = Kafka(home, say=print, guard=guard)
    kafka.start()
    yield Door(kafka, ours.ca, others.ca)
    kafka.stop()
    home.remove()


async def test_a_service_reads_and_writes_by_tls_with_its_password(
    door: Door, database: Database, names: Names, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    address = door.kafka.bootstrap
    async with Bench(address, database.dsn(), names.prefix, **door.told()) as bench:
        await bench.toy(echo=True)
        await bench.tell(note("lead-1", "heard", sequence=1))
        assert await bench.told_of("lead-1", 1) == ["heard"]
        (passed_on,) = await bench.records(f"{bench.name}.events.v1", 1)
        assert passed_on.key == b"lead-1"
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("mechanism", get_args(Mechanism))
async def test_the_password_is_taken_by_each_mechanism(door: Door, mechanism: str) -> None:
    told = door.told(kafka_sasl_mechanism=mechanism)
    async with topics.administrator(Settings(kafka=door.kafka.bootstrap, **told)) as admin:
        assert (await admin.describe_cluster())["cluster_id"]


async def test_a_wrong_authority_is_told_in_one_sentence(door: Door) -> None:
    told = await door.refused(kafka_ca=door.other_ca)
    assert told.startswith(f"Kafka's certificate at {door.kafka.bootstrap} is not trusted (")
    assert told.endswith("is RELANCE_KAFKA_CA the file of the authority that signed it?")


@pytest.mark.parametrize("mechanism", get_args(Mechanism))
async def test_a_wrong_password_is_told_in_one_sentence(door: Door, mechanism: str) -> None:
    told = await door.refused(
        kafka_password=SecretStr("wrong-word"), kafka_sasl_mechanism=mechanism
    )
    assert "refuses the user 'relance': RELANCE_KAFKA_USER or RELANCE_KAFKA_PASSWORD" in told
    assert "wrong-word" not in told


async def test_tls_where_there_is_none_is_told_once_waiting_is_over(
    kafka: Kafka, door: Door
) -> None:
    """A broker that does not speak TLS cuts us off, as one does that is starting."""
    settings = Settings(kafka=kafka.bootstrap, dependency_deadline_s=0.5, **door.told())
    with pytest.raises(Unavailable, match=r"and RELANCE_KAFKA_SECURITY how it talks\?$"):
        await topics.check(settings)


def test_a_service_with_a_wrong_password_ends_with_that_sentence(
    door: Door, database: Database, names: Names, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "relance_kafka_password").write_text("wrong-word\n")
    process = Process(
        "tests.toy.clerk",
        {
            "TOY_NAME": names.prefix,
            "TOY_READS": names.topic(),
            "RELANCE_KAFKA": door.kafka.bootstrap,
            "RELANCE_KAFKA_SECURITY": "SASL_SSL",
            "RELANCE_KAFKA_USER": "relance",
            "RELANCE_KAFKA_CA": str(door.ca),
            "RELANCE_SECRETS": str(secrets),
            "RELANCE_POSTGRES": database.dsn(),
            "RELANCE_MIGRATE": "true",
        },
        tmp_path / "log",
    )
    process.start()
    code = process.child.wait(60)
    said = process.log.read_text()
    assert code == 78, said
    assert sum("refuses the user 'relance'" in line for line in said.splitlines()) == 1
    assert "Traceback" not in said
    assert "wrong-word" not in said
