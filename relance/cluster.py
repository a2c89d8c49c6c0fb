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

_AS_THE_TABLE = "Kafka's topics are as the topic table says."
_BY_HAND = "What is said to be done by hand is left to people; see docs/how-to."


async def apply_topics(kafka: str, replication: int | None, *, for_real: bool) -> str:
    """What would make the topics as the table says; done only `for_real`. Raises `CannotDo`."""
    settings = _settings(kafka, replication)
    try:
        planned = await topics.plan(settings)
        if not planned:
            return _AS_THE_TABLE
        lines = [f"  {step.step}" for step in planned]
        ours = any(step.way != "by hand" for step in planned)
        if not for_real:
            last = "Nothing has changed yet: add --yes to do it." if ours else _BY_HAND
            return "\n".join([*lines, "", last])
        await topics.carry_out(settings, planned)
        left = await topics.plan(settings)
    except Differs as error:
        raise CannotDo(str(error)) from error
    except (KafkaError, Unavailable, OSError) as error:
        raise _away(kafka, error) from error
    if left:
        raise CannotDo(
            "\n".join(["The topics still differ:", *(f"  {s.step}" for s in left), _BY_HAND])
        )
    return "\n".join([*lines, "", "Done."])


async def check_topics(kafka: str, replication: int | None) -> str:
    """Compare the cluster with the topic table. Raises `CannotDo`, a sentence a difference."""
    try:
        found = await topics.plan(_settings(kafka, replication))
    except (KafkaError, Unavailable, OSError) as error:
        raise _away(kafka, error) from error
    if found:
        told = [f"  {difference.sentence}" for difference in found]
        raise CannotDo(
            "\n".join(
                [
                    "Kafka's topics are not as the topic table says:",
                    *told,
                    "`relance topics apply` shows what would put that right.",
                ]
            )
        )
    return _AS_THE_TABLE


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


def _settings(kafka: str, replication: int | None) -> Settings:
    update = {"kafka": kafka, "dependency_deadline_s": PATIENCE_S}
    if replication is not None:
        update["kafka_replication"] = replication
    return Settings.read().model_copy(update=update)


def _away(kafka: str, error: Exception) -> CannotDo:
    return CannotDo(
        f"Kafka cannot be used at {kafka} ({type(error).__name__}). Is the stack running "
        "(`make up`)? Another address is given by --kafka or RELANCE_KAFKA."
    )
