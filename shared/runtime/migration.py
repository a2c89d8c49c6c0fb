"""Migrations: plain SQL files, applied in order, each once, each in its own transaction.

Our own rather than pogo-migrate, which keeps one folder a schema (we lay the runtime's files and
the service's into one) and does not refuse a file that was changed after it was applied.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.runtime.postgres import Session, Transaction

_FILE = re.compile(r"\d{4}_\w+\.sql")
_RUNTIME = Path(__file__).parent / "migrations"
_TABLE = """
create table if not exists migration (
  room       text not null,
  name       text not null,
  checksum   text not null,
  applied_at timestamptz not null default now(),
  primary key (room, name)
)
"""


class Refused(Exception):
    """One sentence: which migration is missing, changed or broken, and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `room` is `runtime` or the service."""

    room: str
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, so that a changed one is noticed."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def found(service: str, folder: Path | None) -> list[Migration]:
    """The runtime's migrations, then the service's, each by number."""
    rooms = [("runtime", _RUNTIME), *([(service, folder)] if folder else [])]
    return [
        Migration(room, path.name, path.read_text(encoding="utf-8"))
        for room, place in rooms
        for path in sorted(place.glob("*.sql"))
        if _FILE.fullmatch(path.name)
    ]


async def apply(dsn: str, service: str, folder: Path | None = None) -> list[str]:
    """Apply what is missing to the schema named `service`; return the names of those.

    `dsn` is of a role that may create in it. Two at once wait for each other. Raises `Refused`.
    """
    session = await asyncpg.connect(dsn, timeout=10)
    try:
        await session.execute(
            "select pg_advisory_lock(hashtextextended($1, 0))", f"{service} schema"
        )
        if not await session.fetchval("select to_regnamespace($1) is not null", service):
            await session.execute(f'create schema "{service}"')
        await session.execute(f'set search_path = "{service}"')
        await session.execute(_TABLE)
        missing = await _missing(session, found(service, folder))
        for migration in missing:
            await _apply_one(session, migration)
        return [migration.name for migration in missing]
    finally:
        await session.close()


async def check(session: Session | Transaction, service: str, folder: Path | None) -> None:
    """Raise `Refused` if a migration of this release is not applied."""
    present = await session.fetchval("select to_regclass('migration') is not null")
    expected = found(service, folder)
    missing = await _missing(session, expected) if present else expected
    if missing:
        names = ", ".join(migration.name for migration in missing)
        raise Refused(
            f"The database lacks {names} of {service}: apply them with "
            "`relance migrate` (or set RELANCE_MIGRATE=true to do it at start)."
        )


async def _missing(
    session: Session | Transaction, expected: Sequence[Migration]
) -> list[Migration]:
    rows = await session.fetch("select room, name, checksum from migration")
    applied = {(row["room"], row["name"]): row["checksum"] for row in rows}
    for migration in expected:
        if applied.get((migration.room, migration.name), migration.checksum) != migration.checksum:
            raise Refused(
                f"{migration.room}/{migration.name} was changed after it had been applied: "
                "undo that, and put the change into a new file."
            )
    return [m for m in expected if (m.room, m.name) not in applied]


async def _apply_one(session: Session, migration: Migration) -> None:
    try:
        async with session.transaction():
            await session.execute(migration.sql)
            await session.execute(
                "insert into migration (room, name, checksum) values ($1, $2, $3)",
                migration.room,
                migration.name,
                migration.checksum,
            )
    except asyncpg.PostgresError as error:
        raise Refused(f"{migration.room}/{migration.name} cannot be applied: {error}.") from error
