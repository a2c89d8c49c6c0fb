"""Kafka and PostgreSQL that are not ours to kill: in containers, or named by who runs the tests.

What only the embedded stack can do (stop a server, crash it) skips the test that asks for it.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from relance.stack.error import StackError
from relance.stack.postgres_data import ROLES
from relance.stack.topics import create_missing_topics
from shared.contract.topics import TOPICS

T = TypeVar("T")
LIMIT_S = 90.0
KINDS = ("embedded", "containers", "external")
_outside: dict[str, str] = {}


def chosen() -> str:
    """What RELANCE_STACK says; raise StackError for anything else."""
    kind = os.environ.get("RELANCE_STACK", "embedded")
    if kind not in KINDS:
        raise StackError(f"RELANCE_STACK is {kind!r} and should be one of {', '.join(KINDS)}.")
    return kind


def take_outside_addresses() -> None:
    """Take the two addresses out of the environment, where tests read settings; StackError."""
    for name in ("RELANCE_KAFKA", "RELANCE_POSTGRES"):
        if name not in os.environ:
            raise StackError(f"RELANCE_STACK=external needs an address in {name}.")
        _outside[name] = os.environ.pop(name)


def outside_address(name: str) -> str:
    """Return what was taken."""
    return _outside[name]


class KafkaElsewhere:
    """A cluster for tests alone, reached by its address."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    @property
    def pid(self) -> NoReturn:
        """Skip the test: whose process it is we do not know."""
        _embedded_only("Kafka")

    def wait_ready(self) -> None:
        """Wait until it answers."""
        _until(self.topics, (KafkaError, OSError), f"Kafka at {self.bootstrap}")

    def refuse_to_erase(self) -> None:
        """Raise StackError if it holds topics of Relance: the tests would delete them."""
        if there := self.topics() & _ours():
            raise StackError(
                f"The Kafka at {self.bootstrap} holds {min(there)} and {len(there) - 1} more "
                "topics of Relance, which the tests would delete: give one for tests alone in "
                "RELANCE_KAFKA, or delete them yourself."
            )

    def make_topics(self) -> None:
        """Make the topics of the contract anew, empty; offsets committed on them are gone too."""
        self.delete_topics(_ours())
        create_missing_topics(self.bootstrap)

    def delete_topics(self, names: set[str]) -> None:
        """Delete those of the topics that are there, and wait until they are gone."""

        async def delete(admin: AIOKafkaAdminClient) -> None:
            there = set(await admin.list_topics()) & names
            if there:
                await admin.delete_topics(list(there))
            limit = monotonic() + LIMIT_S
            while set(await admin.list_topics()) & names:
                assert monotonic() < limit, "the topics are still there"
                await asyncio.sleep(0.05)

        self._asked(delete)

    def topics(self) -> set[str]:
        """The names of all topics but Kafka's own."""

        async def listed(admin: AIOKafkaAdminClient) -> set[str]:
            return {name for name in await admin.list_topics() if not name.startswith("__")}

        return self._asked(listed)

    def _asked(self, what: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        async def ask() -> T:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            try:
                await admin.start()
                return await what(admin)
            finally:
                await admin.close()

        return _apart(ask())


class PostgresElsewhere:
    """A server for tests alone; `address` is its superuser's, with the password."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._template = f"template_{uuid.uuid4().hex[:12]}"
        self._roles_made: list[str] = []

    def crash(self) -> NoReturn:
        """Skip the test: a server elsewhere is not ours to crash."""
        _embedded_only("PostgreSQL")

    def dsn(self, user: str = "postgres", database: str = "postgres") -> str:
        """Return the address to connect to as `user`; all have the superuser's password."""
        parts = urlsplit(self._address)
        superuser = parts.username or "postgres"
        who = superuser if user == "postgres" else user
        password = f":{parts.password}" if parts.password else ""
        place = f"{who}{password}@{parts.hostname}:{parts.port or 5432}"
        return urlunsplit(parts._replace(netloc=place, path=f"/{database}"))

    def start(self) -> None:
        """Nothing to do: it runs."""

    def wait_ready(self) -> None:
        """Wait until it answers."""
        bad_luck = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)
        _until(lambda: self.run("SELECT 1"), bad_luck, "PostgreSQL")

    def open(self) -> None:
        """Make the services' roles, and a database with their schemas to copy from."""
        for role in ROLES:
            if self.run(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
                self._refuse_foreign(role)
                continue
            password = unquote(urlsplit(self._address).password or "").replace("'", "''")
            self.run(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
            self.run(f"ALTER ROLE {role} SET search_path TO {role}")
            self._roles_made.append(role)
        self.run(f"CREATE DATABASE {self._template}")
        for role in ROLES:
            self.run(f"CREATE SCHEMA {role} AUTHORIZATION {role}", self._template)

    def close(self) -> None:
        """Remove what `open` made."""
        self.drop_database(self._template)
        for role in self._roles_made:
            self.run(f"DROP ROLE {role}")

    def copy_database(self, name: str) -> None:
        """Create the database `name` with the three schemas."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{self._template}"')

    def drop_database(self, name: str) -> None:
        """Remove the database `name`, closing its connections."""
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def run(self, sql: str, database: str = "postgres") -> str:
        """Run one statement as superuser; return its first value as text. Raise StackError."""

        async def ask() -> str:
            session = await asyncpg.connect(self.dsn(database=database), timeout=10)
            try:
                value = await session.fetchval(sql)
            finally:
                await session.close()
            return "" if value is None else str(value)

        try:
            return _apart(ask())
        except asyncpg.SyntaxOrAccessError as error:
            raise StackError(f"PostgreSQL refused a statement of the tests: {error}") from error

    def _refuse_foreign(self, role: str) -> None:
        async def enter() -> None:
            session = await asyncpg.connect(self.dsn(role), timeout=10)
            await session.close()

        try:
            _apart(enter())
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise StackError(
                f"PostgreSQL has a role {role} with another password than the superuser's: give "
                "a server for tests alone in RELANCE_POSTGRES."
            ) from error


def _embedded_only(what: str) -> NoReturn:
    pytest.skip(f"stops {what}, which only the embedded one lets us do: RELANCE_STACK=embedded")


def _ours() -> set[str]:
    return {topic.name for topic in TOPICS}


def _apart(what: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop and a thread of its own: a test's loop may already run in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, what).result()


def _until(works: Callable[[], object], bad_luck: tuple[type[Exception], ...], what: str) -> None:
    limit = monotonic() + LIMIT_S
    while True:
        try:
            works()
        except bad_luck as error:
            if monotonic() > limit:
                raise StackError(f"{what} does not answer: {error}") from error
            sleep(0.2)
        else:
            return
