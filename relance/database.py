"""The services' database, as the command line reaches it: one address, a role for each service."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit, urlunsplit

import asyncpg

from relance.stack.ports import Ports
from shared.contract.directory import KINDS
from shared.domain.directory import Directory
from shared.runtime.postgres import Transaction

SETTING = "RELANCE_POSTGRES"
Row: TypeAlias = "asyncpg.Record"
WITH_DATABASE = ("pipeline", "reminders", "notifications")


class CannotDo(Exception):
    """One sentence for the person at the terminal: what is wrong, and what to do."""


class NoDatabase(CannotDo):
    """Why the database cannot be used."""


def address_of(service: str, address: str | None = None) -> str:
    """`address`, else RELANCE_POSTGRES, else the local stack's.

    Without a user in it, the service's own role. Raises `NoDatabase` for what is no address.
    """
    named = address or os.environ.get(SETTING)
    address = named or f"postgresql://127.0.0.1:{Ports.of_environment().postgres}/relance"
    parts = urlsplit(address)
    if not _is_address(parts):
        raise NoDatabase(
            f"{SETTING} is no address of PostgreSQL: say postgresql://user:password@host:port/database."
        )
    if parts.username is None:
        parts = parts._replace(netloc=f"{service}@{parts.netloc}")
    return urlunsplit(parts)


def _is_address(parts: SplitResult) -> bool:
    try:
        return parts.scheme in {"postgresql", "postgres"} and parts.port != 0
    except ValueError:  # the port is no number
        return False


@asynccontextmanager
async def transaction(service: str, address: str | None = None) -> AsyncIterator[Transaction]:
    """One transaction in the schema of `service`, at `address` or as the environment says.

    Raises `NoDatabase`.
    """
    async with session(service, address) as connection, connection.transaction():
        yield connection


@asynccontextmanager
async def session(service: str, address: str | None = None) -> AsyncIterator[Transaction]:
    """A session in the schema of `service`, each statement for itself. Raises `NoDatabase`."""
    address = address_of(service, address)
    place = urlsplit(address)
    try:
        async with (
            asyncpg.create_pool(
                address, min_size=1, max_size=1, timeout=5, server_settings={"search_path": service}
            ) as pool,
            pool.acquire() as connection,
        ):
            yield connection
    except (OSError, TimeoutError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise NoDatabase(
            f"PostgreSQL does not answer at {place.hostname}:{place.port or 5432} ({error}). "
            f"Is the stack running (`make up`)? Another address is given by {SETTING}."
        ) from error
    except asyncpg.InsufficientPrivilegeError as error:
        raise NoDatabase(
            f"{place.username!r} may not read what belongs to {service}: give an address in "
            f"{SETTING} whose role may, or none in it."
        ) from error
    except (asyncpg.UndefinedTableError, asyncpg.InvalidCatalogNameError) as error:
        raise NoDatabase(
            f"The database at {place.hostname}:{place.port or 5432} holds nothing of {service} "
            "yet: start the services once."
        ) from error


async def directory(tx: Transaction, tenant: str) -> Directory:
    """The service's copy of that company's directory."""
    rows = await tx.fetch(
        "SELECT kind, document::text FROM directory WHERE tenant = $1 AND kind <> 'rulebook'",
        tenant,
    )
    return Directory.of(KINDS[row["kind"]].model_validate_json(row["document"]) for row in rows)
