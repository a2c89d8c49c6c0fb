"""The runtime under fire: members killed and frozen, the database crashing, amid their work."""

import asyncio
import itertools
import json
import uuid
from collections import Counter
from pathlib import Path

import asyncpg
import httpx2
from pydantic import SecretStr

from relance.stack.family import frozen
from relance.stack.kafka import Kafka
from shared.runtime import kafka as kafka_options
from shared.runtime import migration, topics
from shared.runtime.settings import Settings
from tests.stack import Database, Names
from tests.toy.bench import Bench, until
from tests.toy.event import note
from tests.toy.fixtures import bench
from tests.toy.process import Process
from tests.toy.service import MIGRATIONS, toy_topic, toy_topics

__all__ = ["bench"]

LEADS = 40
EVENTS = 6_000
ACTIONS = 200
KILLS = 8
SESSION_S = 6
LIMIT_S = 60.0


class Office:
    """Two clerks of one service, in processes of their own, and those who give them work."""

    def __init__(self, broker: Kafka, database: Database, names: Names, folder: Path) -> None:
        self.name = names.prefix
        self.dsn = database.dsn()
        self.settings = Settings(kafka=broker.bootstrap, postgres=SecretStr(self.dsn))
        self.source = toy_topic(f"{self.name}in.events.v1")
        self.clerks = [
            Process(
                "tests.toy.clerk",
                {
                    "TOY_NAME": self.name,
                    "TOY_READS": self.source.name,
                    "RELANCE_KAFKA": broker.bootstrap,
                    "RELANCE_POSTGRES": self.dsn,
                    "RELANCE_KAFKA_SESSION_S": str(SESSION_S),
                    "RELANCE_MEMBER": member,
                },
                folder / f"{member}.log",
            )
            for member in ("a", "b")
        ]
        self.acted: Counter[str] = Counter()

    async def open(self) -> None:
        await topics.apply(self.settings)
        await topics.apply(self.settings, [self.source, *toy_topics(self.name)])
        await migration.apply(self.dsn, self.name, MIGRATIONS)
        for clerk in self.clerks:
            clerk.start()
        for clerk in self.clerks:
            await asyncio.to_thread(clerk.wait_ready)

    async def tell_by_kafka(self) -> None:
        """Every lead's notes in order, spread over some seconds."""
        producer = kafka_options.producer(
            self.settings, client_id="test", request_timeout_ms=10_000
        )
        await producer.start()
        for place in range(EVENTS):
            lead = f"lead-{place % LEADS}"
            told = note(lead, "by kafka", sequence=place // LEADS + 1)
            await producer.send(self.source.name, told.to_bytes(), lead.encode())
            if place % 20 == 0:
                await asyncio.sleep(0.05)
        await producer.stop()

    async def tell_by_hand(self) -> None:
        """Actions, each tried with the same key until a clerk says that it is done."""
        doors = itertools.cycle(self.clerks)
        async with httpx2.AsyncClient(timeout=3) as http:
            for number in range(ACTIONS):
                lead, key = f"lead-{number % LEADS}", uuid.uuid4()
                while not await _act(http, next(doors).url, lead, key):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                self.acted[lead] += 1

    async def fire(self) -> None:
        """Both clerks are killed again and again, and one is frozen in between."""
        first, second = self.clerks
        await asyncio.gather(self._shoot(first, KILLS // 2), self._shoot_and_freeze(second))

    async def _shoot_and_freeze(self, clerk: Process) -> None:
        await self._shoot(clerk, KILLS // 2 - 1)
        await self._freeze(clerk)
        await self._shoot(clerk, 1)

    async def _shoot(self, clerk: Process, times: int) -> None:
        for shot in range(times):
            await asyncio.sleep(0.2 * (shot + 1))  # amid its work, each time at another moment
            clerk.kill()
            clerk.start()
            await asyncio.to_thread(clerk.wait_ready)

    async def _freeze(self, clerk: Process) -> None:
        """Long enough to lose its partitions, its lock and its transaction."""
        with frozen(clerk.child.pid):
            await asyncio.sleep(SESSION_S + 2)

    async def close(self) -> None:
        for clerk in self.clerks:
            assert clerk.stop() == 0

    def clear(self) -> None:
        for clerk in self.clerks:
            clerk.kill()


async def test_eight_kills_and_a_freeze_lose_nothing_and_repeat_nothing(
    kafka: Kafka, database: Database, names: Names, tmp_path: Path
) -> None:
    office = Office(kafka, database, names, tmp_path)
    try:
        await office.open()
        await asyncio.gather(office.tell_by_kafka(), office.tell_by_hand(), office.fire())
        session = await asyncpg.connect(office.dsn, server_settings={"search_path": office.name})

        async def is_done() -> bool:
            told = await session.fetchval("select count(*) from told")
            return bool(
                told == EVENTS and not await session.fetchval("select count(*) from outbox")
            )

        await until(is_done, "every note to take effect", LIMIT_S)
        rows = await session.fetch("select subject, many from tally")
        order = await session.fetch("select subject, sequence from told order by place")
        await session.close()
        said = await _said(office)
        await office.close()
    finally:
        office.clear()

    expected = {f"lead-{n}": EVENTS // LEADS + office.acted[f"lead-{n}"] for n in range(LEADS)}
    assert {row["subject"]: row["many"] for row in rows} == expected, (
        "each note and each action has counted once"
    )
    taken: Counter[str] = Counter()
    for row in order:
        taken[row["subject"]] += 1
        assert row["sequence"] == taken[row["subject"]], "each lead's notes in order"
    for lead, sequences in said.items():
        assert sequences == list(range(1, expected[lead] + 1)), "nothing said is lost or swapped"


async def test_postgresql_crashing_under_load_skips_nothing(
    bench: Bench, database: Database
) -> None:
    toy = await bench.toy(echo=True)

    async def tell() -> None:
        for place in range(600):
            lead = f"lead-{place % 10}"
            await bench.tell(note(lead, f"n{place}", sequence=place // 10 + 1))

    async def crash() -> None:
        for _ in range(2):
            await asyncio.sleep(0.4)
            await asyncio.to_thread(database.server.crash)
            await asyncio.to_thread(database.server.start)

    await asyncio.gather(tell(), crash())
    await bench.told(600)

    for number in range(10):
        told = await bench.told_of(f"lead-{number}", 60)
        assert told == [f"n{place}" for place in range(number, 600, 10)]
    records = await bench.records(f"{bench.name}.events.v1", 600)
    assert len(records) == 600
    assert toy.failure is None


async def _act(http: httpx2.AsyncClient, url: str, lead: str, key: uuid.UUID) -> bool:
    try:
        answer = await http.post(f"{url}/leads/{lead}/{key}")
    except httpx2.TransportError:
        return False
    return answer.status_code == 200


async def _said(office: Office) -> dict[str, list[int]]:
    """What a sibling would take up: each lead's sequences, repeats dropped."""
    reader = kafka_options.reader(office.settings)
    topic = f"{office.name}.events.v1"
    said: dict[str, list[int]] = {}
    await reader.start()
    reader.subscribe([topic])
    total = EVENTS + ACTIONS
    async with asyncio.timeout(LIMIT_S):
        while sum(map(len, said.values())) < total:
            for records in (await reader.getmany(timeout_ms=500)).values():
                for record in records:
                    event = json.loads(record.value)
                    told = said.setdefault(event["subject"], [])
                    if not told or event["sequence"] > told[-1]:
                        told.append(event["sequence"])
    await reader.stop()
    return said
