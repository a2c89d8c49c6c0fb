"""Start: refused in one sentence when the database is not as this release needs it (rule 23)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from shared.runtime import clock, metrics, migration
from shared.runtime.postgres import Postgres, Transaction
from shared.runtime.settings import Settings


async def open_database(
    postgres: Postgres, settings: Settings, service: str, migrations: Path | None
) -> None:
    """Connect, apply migrations if the settings say so, check them, compare the clocks."""
    await postgres.open(settings.dependency_deadline_s)
    if settings.migrate:
        await migration.apply(settings.postgres.get_secret_value(), service, migrations)

    async def look(tx: Transaction) -> datetime:
        await migration.check(tx, service, migrations)
        now: datetime = await tx.fetchval("select clock_timestamp()")
        return now

    there = await postgres.retried(look, settings.dependency_deadline_s)
    if not clock.is_stepping():
        metrics.CLOCK_DISTANCE_SECONDS.set((clock.now() - there).total_seconds())
