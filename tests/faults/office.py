"""A toy service of several members, in processes of their own, that something is done to."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import asyncpg
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres
from shared.contract.topics import MIB
from shared.runtime import kafka as kafka_options
from shared.runtime import migration, topics
from shared.runtime.settings import Settings
from tests.toy.event import note
from tests.toy.process import Process
from tests.toy.service import MIGRATIONS, toy_topic, toy_topics

SESSION_S = 6
LARGEST = 8 * MIB
PROBES = 8
"""Notes to as many leads, so that every partition has one."""
PROBE_LIMIT_S = 90.0
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Ground:
    """What an office stands on. `bootstrap`: how its members reach Kafka, if not directly."""

    kafka: Kafka
    postgres: Postgres
    database: str
    folder: Path
    bootstrap: str | None = None

    @property
    def address(self) -> str:
        return self.bootstrap or self.kafka.bootstrap


class Office:
    """Clerks `a`, `b` …, the topic they read, and the books of what they were told."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground, self.name = ground, name
        self.dsn = ground.postgres.dsn(database=ground.database)
        self.settings = Settings(
            kafka=ground.kafka.bootstrap,
            kafka_replication=ground.kafka.replication,
            postgres=SecretStr(self.dsn),
        )
        self.source = toy_topic(f"{name}in.events.v1", max_bytes=LARGEST)
        self.told: Counter[str] = Counter()
        self.acted: Counter[str] = Counter()
        self.poisoned = 0
        self.cpu_percent: float | None = None
        self.clerks: list[Process] = []
        self._producer: AIOKafkaProducer | None = None

    # -- opening and closing ---------------------------------------------------------------------

    async def open(self, members: int = 2) -> None:
        await topics.apply(self.settings)
        await topics.apply(self.settings, [self.source, *toy_topics(self.name)])
        await migration.apply(self.dsn, self.name, MIGRATIONS)
        self._producer = kafka_options.producer(
            self.settings, client_id="test", request_timeout_ms=10_000
        )
        await self._producer.start()
        hired = [self.hire() for _ in range(members)]
        for clerk in hired:
            await asyncio.to_thread(clerk.wait_ready)

    async def close(self) -> None:
        """In order; a member that does not end by itself is killed and told of."""
        await self.let_go()
        codes = [await asyncio.to_thread(clerk.stop) for clerk in self.clerks]
        assert set(codes) <= {0}, f"a member ended with {codes}"

    async def let_go(self) -> None:
        """Of Kafka, after whatever went wrong."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    def clear(self) -> None:
        for clerk in self.clerks:
            clerk.kill()

    def hire(self) -> Process:
        """One more member, started and not waited for."""
        member = "abcdefgh"[len(self.clerks)]
        clerk = Process(
            "tests.toy.clerk",
            {
                "TOY_NAME": self.name,
                "TOY_READS": self.source.name,
                "TOY_MAX_BYTES": str(LARGEST),
                "RELANCE_KAFKA": self.ground.address,
                "RELANCE_KAFKA_REPLICATION": str(self.ground.kafka.replication),
                "RELANCE_POSTGRES": self.dsn,
                "RELANCE_KAFKA_SESSION_S": str(SESSION_S),
                "RELANCE_MEMBER": member,
            },
            self.ground.folder / f"{self.name}-{member}.log",
        )
        self.clerks.append(clerk)
        clerk.start()
        return clerk

    async def dismiss(self, clerk: Process) -> None:
        """SIGTERM, and it ends in order."""
        self.clerks.remove(clerk)
        code = await asyncio.to_thread(clerk.stop)
        assert code == 0, f"a member ended with {code}"

    async def restart(self, clerk: Process, **settings: str) -> None:
        clerk.start(settings)
        await asyncio.to_thread(clerk.wait_ready)

    # -- telling ---------------------------------------------------------------------------------

    @property
    def producer(self) -> AIOKafkaProducer:
        assert self._producer is not None, "not open"
        return self._producer

    def next_note(self, lead: str) -> bytes:
        """The lead's next note, counted as told."""
        self.told[lead] += 1
        return note(lead, "by kafka", sequence=self.told[lead]).to_bytes()

    async def put(self, lead: str, value: bytes | None) -> asyncio.Future[object]:
        future: asyncio.Future[object] = await self.producer.send(
            self.source.name, value, lead.encode()
        )
        return future

    async def probe(self) -> float:
        """Seconds until what was told up to now has taken effect: a note to every partition."""
        began = monotonic()
        wanted = {}
        for number in range(PROBES):
            lead = f"probe-{number}"
            await (await self.put(lead, self.next_note(lead)))
            wanted[lead] = self.told[lead]
        async with asyncio.timeout(PROBE_LIMIT_S), self.books() as session:
            while not await self._has(session, wanted):  # noqa: ASYNC110 - a table tells
                await asyncio.sleep(0.02)
        return monotonic() - began

    async def _has(self, session: asyncpg.Connection, wanted: dict[str, int]) -> bool:
        rows = await session.fetch(
            "select subject, many from tally where subject = any($1::text[])", list(wanted)
        )
        return {row["subject"]: row["many"] for row in rows} == wanted

    @asynccontextmanager
    async def books(self) -> AsyncIterator[asyncpg.Connection]:
        """A session to look with, once PostgreSQL answers."""
        async with asyncio.timeout(PROBE_LIMIT_S):
            while True:
                try:
                    session = await asyncpg.connect(
                        self.dsn, server_settings={"search_path": self.name}
                    )
                    break
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.1)
        try:
            yield session
        finally:
            session.terminate()

    # -- watching --------------------------------------------------------------------------------

    @asynccontextmanager
    async def only_waiting(self) -> AsyncIterator[None]:
        """Members can do nothing but wait in this block: how busy are they meanwhile?"""
        pids = [clerk.child.pid for clerk in self.clerks if clerk.child.poll() is None]
        before, began = {pid: cpu_s(pid) for pid in pids}, monotonic()
        yield
        elapsed = monotonic() - began
        used = [cpu_s(pid) - before[pid] for pid in pids]
        busiest = 100 * max(used, default=0.0) / elapsed
        self.cpu_percent = max(self.cpu_percent or 0.0, busiest)


def cpu_s(pid: int) -> float:
    """Processor time that a process has used; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND
