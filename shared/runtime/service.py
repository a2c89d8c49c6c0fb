"""A service: what it reads, serves and does by itself; started, watched and stopped alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from fastapi import APIRouter

from shared.contract.envelope import Envelope
from shared.domain.directory import Directory
from shared.runtime import failpoint, http, inbox, outbox
from shared.runtime.activity import Activity
from shared.runtime.batch import Outcome
from shared.runtime.companies import Books, Companies
from shared.runtime.directory_copy import DirectoryMemory, DirectoryTable
from shared.runtime.health import Health, Quiet, is_due
from shared.runtime.kafka_side import KafkaSide
from shared.runtime.main import run
from shared.runtime.postgres import Postgres, Transaction, Unavailable
from shared.runtime.producer import ConfirmedProducer
from shared.runtime.settings import Settings, WrongSetting
from shared.runtime.start import open_database
from shared.runtime.subscription import Park, Quarantine, RawSubscription, Subscription
from shared.runtime.tasks import Tasks

__all__ = ["Park", "Quarantine", "RawSubscription", "Service", "Subscription", "Unit", "run"]

T = TypeVar("T")
Unit = Callable[[Transaction], Awaitable[tuple[T, Sequence[Envelope]]]]
"""Something done in one transaction: its result, and what it emits."""

_SERVER_START_S = 10.0
_FORGET_EVERY_S = 3600.0


class Service:
    """One of the four. `create(settings)` in its `app.py` fills the lists; then `run` runs it."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        migrations: Path | None = None,
        database: bool = True,
    ) -> None:
        """`name` is its schema, its source (`/name`) and the head of its topics' names."""
        self.name = name
        self.settings = settings
        self.migrations = migrations
        self.subscriptions: list[Subscription] = []
        self.raw_subscriptions: list[RawSubscription] = []
        self.routers: list[APIRouter] = []
        self.loops: list[Callable[[], Awaitable[None]]] = []
        self.on_start: list[Callable[[], Awaitable[None]]] = []
        self.on_stop: list[Callable[[], Awaitable[None]]] = []
        self.next_instants: list[Callable[[], Awaitable[datetime | None]]] = []
        self.quiet_checks: list[Callable[[], Awaitable[str | None]]] = []
        self.activity = Activity()
        self.stopping = asyncio.Event()
        self.failure: str | None = None
        self.books = Books.of(settings)
        """Rulebooks: the folder's, and what is published; add to its `checks` before the start."""
        self._database = self._open_later() if database else None
        self._table = (
            DirectoryTable(name, self._database, self.stopping, self.books)
            if self._database
            else None
        )
        self._doors = None if database else ConfirmedProducer(settings, self.activity)
        self._known = None if database else DirectoryMemory(settings, self.activity, self.books)
        self._kafka = KafkaSide(self)
        self._tasks = Tasks(self.fail)
        self._started = False
        self._server: http.Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self._url = ""

    # -- what the service's own code uses --------------------------------------------------------

    @property
    def source(self) -> str:
        """The `source` of its events."""
        return f"/{self.name}"

    @property
    def postgres(self) -> Postgres:
        """Its sessions: `async with service.postgres.transaction() as tx`."""
        if self._database is None:
            raise Unavailable(f"{self.name} has no database")
        return self._database

    @property
    def has_database(self) -> bool:
        """Whether it keeps tables (intake does not)."""
        return self._database is not None

    @property
    def doors(self) -> ConfirmedProducer:
        """What a service without a database publishes with (rule 20)."""
        if self._doors is None:
            raise Unavailable(f"{self.name} publishes by its outbox")
        return self._doors

    @property
    def known(self) -> DirectoryMemory:
        """The directory of a service without a database."""
        if self._known is None:
            raise Unavailable(f"{self.name} keeps the directory in its database")
        return self._known

    @property
    def directory_table(self) -> DirectoryTable:
        """The directory of a service with a database."""
        if self._table is None:
            raise Unavailable(f"{self.name} keeps the directory in memory")
        return self._table

    @property
    def url(self) -> str:
        """Where it serves HTTP, once started."""
        return self._url

    async def companies(self, tx: Transaction) -> Companies:
        """Every tenant's rulebook and directory as `tx` sees them."""
        return await self.directory_table.companies(tx)

    @property
    def last_companies(self) -> Companies:
        """The companies as they were last read, for what happens outside transactions."""
        return self.directory_table.last

    async def directory(self, tx: Transaction) -> Directory:
        """The directory of the folder's tenant as `tx` sees it."""
        return await self.directory_table.directory(tx)

    async def unit(self, fn: Unit[T], *, patience_s: float | None = 10.0) -> T:
        """Run `fn(tx)` in one transaction, its events to the outbox; return its result.

        Bad luck is tried again, so `fn` may run more than once; past `patience_s` it raises
        `Unavailable` (HTTP: 503). None waits for ever (loops).
        """

        async def work(tx: Transaction) -> tuple[T, int]:
            result, envelopes = await fn(tx)
            await outbox.append(tx, self.source, envelopes)
            if envelopes:
                failpoint.here("unit.done")
            return result, len(envelopes)

        with self.activity.of("unit"):
            result, emitted = await self.postgres.retried(work, patience_s)
            if emitted:
                failpoint.here("unit.committed")
            self.committed(Outcome(emitted=emitted))
        return result

    # -- how it runs -----------------------------------------------------------------------------

    async def start(self) -> None:
        """Serve, connect, check, read the directory, then consume.

        Raises one sentence for people: `Unavailable`, `Refused`, `Differs`, `WrongSetting`.
        """
        await self._serve()
        if self._database is not None:
            await open_database(self._database, self.settings, self.name, self.migrations)
        await self._kafka.connect()
        for hook in self.on_start:
            await hook()
        await self._kafka.consume(self._tasks)
        for loop in self.loops:
            self._tasks.start(loop)
        if self._database is not None:
            self._tasks.start(self._forget_repeats)
        self._started = True

    async def stop(self) -> None:
        """Take nothing new, finish what is in hand, publish what is left, close."""
        self._started = False
        self.stopping.set()
        await self._kafka.leave()
        await self._stop_serving()
        if self._database is not None:
            await self._kafka.drain()
        await self._tasks.stop()
        for hook in reversed(self.on_stop):
            await hook()
        await self._kafka.close()
        if self._database is not None:
            await self._database.close()

    def fail(self, why: str) -> None:
        """End the process with 70: going on would do harm (`runtime.md` 7)."""
        self.failure = self.failure or why
        self.stopping.set()

    def committed(self, outcome: Outcome) -> None:
        """Something was committed: publish it, and try again what may have waited for it."""
        self._kafka.committed(outcome)

    async def quiet(self) -> Quiet:
        """Whether nothing is in hand, nothing left to publish, nothing due."""
        # The count first: work that starts after this line is seen by the second look.
        activity, positions = self.activity.count, self._kafka.positions()
        busy = [*self.activity.busy(), *([] if self._started else ["starting or stopping"])]
        instants: list[datetime] = []
        if self._started:
            busy += await self._kafka.busy()
            for check in self.quiet_checks:
                busy += [word] if (word := await check()) else []
            planned = [await ask() for ask in self.next_instants]
            instants = [instant for instant in planned if instant is not None]
        earliest = min(instants, default=None)
        busy += ["due"] if is_due(earliest) else []
        return Quiet(
            service=self.name,
            quiet=not busy,
            busy=sorted(set(busy)),
            activity=activity,
            topics=self._kafka.topics(),
            positions=positions,
            next_instant=earliest,
        )

    async def _forget_repeats(self) -> None:
        """Each hour, a bounded piece at a time (rule 10)."""
        while True:
            forgotten = await self.postgres.retried(inbox.forget, None)
            await asyncio.sleep(0 if forgotten == inbox.FORGOTTEN_AT_ONCE else _FORGET_EVERY_S)

    def _dead(self) -> str | None:
        """Why a supervisor should start the process anew (rules 7 and 8)."""
        return self.failure or next(iter(self._kafka.still()), None)

    async def _ready(self) -> dict[str, bool]:
        answers = {"started": self._started, "kafka": await self._kafka.answers()}
        if self._database is not None:
            answers["postgres"] = await self._database.answers()
        return answers

    async def _rulebooks(self) -> dict[str, str]:
        """The version of the rulebook in force here, by tenant."""
        if self._database is None:
            companies = self.known.companies
        else:
            async with self._database.transaction() as tx:
                companies = await self.companies(tx)
        return {company.tenant: company.book.version for company in companies}

    def _open_later(self) -> Postgres:
        settings = self.settings
        return Postgres(settings.postgres.get_secret_value(), self.name, settings.postgres_pool)

    async def _serve(self) -> None:
        host, port = self.settings.host, self.settings.port
        try:
            bound = http.listen(host, port)
        except OSError as error:
            raise WrongSetting(
                f"Cannot serve on {host}:{port}: {error.strerror}; set RELANCE_PORT."
            ) from None
        self._url = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
        health = Health(self.quiet, self._ready, self._dead, self._rulebooks)
        app = http.application(
            self.name, [health.router(), *self.routers], self.activity, lambda: self._started
        )
        self._server = http.server(app)
        self._serving = asyncio.create_task(self._server.serve(sockets=[bound]))
        async with asyncio.timeout(_SERVER_START_S):
            while not self._server.started:  # noqa: ASYNC110 - uvicorn has a flag only
                await asyncio.sleep(0.005)

    async def _stop_serving(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
