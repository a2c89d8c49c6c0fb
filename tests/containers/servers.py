"""Kafka and PostgreSQL in containers, for `RELANCE_STACK=containers`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

# Read when the library is imported. We stop what we started; its own reaper is one more image.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

from testcontainers.core.container import DockerContainer

from relance.stack.kafka_settings import Seat, broker_settings
from relance.stack.port import LOOPBACK, free_port
from tests.containers.compose import require_docker
from tests.elsewhere import KafkaElsewhere, PostgresElsewhere

KAFKA, POSTGRES = "apache/kafka:4.1.0", "postgres:18"
_CONTROLLER_PORT = 9093
_PASSWORD = "a-password-of-the-tests"


@contextmanager
def kafka_container() -> Iterator[KafkaElsewhere]:
    """One broker, set as the embedded one is."""
    require_docker()
    port = free_port()
    seat = Seat(1, port, [_CONTROLLER_PORT])
    settings = broker_settings(Path("/var/lib/kafka/data"), seat) | {
        "listeners": f"CLIENT://:{port},CONTROLLER://{LOOPBACK}:{_CONTROLLER_PORT}"
    }
    container = _published(DockerContainer(KAFKA), port, port)
    for name, value in settings.items():
        container.with_env(f"KAFKA_{name.upper().replace('.', '_')}", value)
    with container.with_env("KAFKA_HEAP_OPTS", "-Xmx512m"):
        kafka = KafkaElsewhere(f"{LOOPBACK}:{port}")
        kafka.wait_ready()
        yield kafka


@contextmanager
def postgres_container() -> Iterator[PostgresElsewhere]:
    """One server; a password is asked for, as in production."""
    require_docker()
    port = free_port()
    container = _published(DockerContainer(POSTGRES), 5432, port)
    with container.with_env("POSTGRES_PASSWORD", _PASSWORD):
        server = PostgresElsewhere(f"postgresql://postgres:{_PASSWORD}@{LOOPBACK}:{port}/postgres")
        server.wait_ready()
        yield server


def _published(container: DockerContainer, inside: int, port: int) -> DockerContainer:
    """On this machine alone; the library's own method would publish to all the world."""
    cast(dict[str, Any], container.ports)[f"{inside}/tcp"] = (LOOPBACK, port)
    return container
