"""`relance topics` and `relance migrate`: Kafka and PostgreSQL made ready for this release."""

from __future__ import annotations

import asyncpg
from aiokafka.errors import KafkaError

from relance import database
from relance.database import CannotDo
from relance.stack.home import PROJECT
from shared.runtime import migration, topics
from shared.runtime.migration import Refused
from shared.runtime.postgres import Unavailable
from shared.runtime.settings import Settings
from shared.runtime.topics import Differs

PATIENCE_S = 5.0
"""A person waits at the terminal: a cluster that is up answers sooner."""


async def apply_topics(kafka: str) -> str:
    """Create the topics that are missing; change none. Raises `CannotDo`."""
    try:
        created = await topics.apply(_settings(kafka))
    except (KafkaError, Unavailable, OSError) as error:
        raise _away(kafka, error) from error
    return "\n".join(f"{name}: created" for name in created) or "All topics are there."


async def check_topics(kafka: str) -> str:
    """Compare the cluster with the topic table. Raises `CannotDo` naming every difference."""
    try:
        await topics.check(_settings(kafka))
    except Differs as error:
        raise CannotDo(str(error)) from error
    except (KafkaError, Unavailable, OSError) as error:
        raise _away(kafka, error) from error
    return "Kafka's topics are as the topic table says."


async def migrate() -> str:
    """Apply every service's missing migrations, each with its own role. Raises `CannotDo`."""
    lines = []
    for service in database.WITH_DATABASE:
        folder = PROJECT / "services" / service / "migrations"
        address = database.address_of(service)
        try:
            applied = await migration.apply(address, service, folder)
        except Refused as error:
            raise CannotDo(str(error)) from error
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise CannotDo(
                f"The migrations of {service} cannot be applied ({error}): is PostgreSQL running, "
                f"and is {database.SETTING} its address?"
            ) from error
        lines += [f"{service}: {name} applied" for name in applied]
    return "\n".join(lines) or "Every migration is applied."


def _settings(kafka: str) -> Settings:
    return Settings.read().model_copy(update={"kafka": kafka, "dependency_deadline_s": PATIENCE_S})


def _away(kafka: str, error: Exception) -> CannotDo:
    return CannotDo(
        f"Kafka cannot be used at {kafka} ({type(error).__name__}). Is the stack running "
        "(`make up`)? Another address is given by --kafka or RELANCE_KAFKA."
    )
