"""Time stands still until everybody is done, then jumps: in four processes at once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

import asyncpg
import pytest
from pydantic import SecretStr

from relance.stack.kafka import Kafka
from relance.stepper import NotQuiet, Stepper
from shared.runtime import clock, kafka, migration, topics
from shared.runtime.clock import ClockFile, MachineClock
from shared.runtime.settings import Settings
from tests.stack import Database, Names
from tests.toy.event import START, note
from tests.toy.process import Process
from tests.toy.service import MIGRATIONS, Toy, toy_topics

EVENING = START.replace(hour=18)
LEADS = ("lead-a", "lead-bb", "lead-ccc")
JUMPS = 50
NIGHT = timedelta(hours=4)


@pytest.fixture
def own_clock(tmp_path: Path) -> Iterator[ClockFile]:
    file = ClockFile.create(tmp_path / "clock", EVENING)
    clock.use(file)
    yield file
    clock.use(MachineClock())


async def test_a_sleeper_wakes_within_a_moment_of_the_jump(own_clock: ClockFile) -> None:
    sleeper = asyncio.create_task(clock.sleep_until(EVENING + timedelta(hours=15)))
    woken, _ = await asyncio.wait({sleeper}, timeout=0.05)
    assert not woken

    jumped = monotonic()
    own_clock.jump(EVENING + timedelta(hours=15))
    await asyncio.wait_for(sleeper, 1)

    assert monotonic() - jumped < 0.1
    assert clock.now() == EVENING + timedelta(hours=15)


async def test_a_sleeper_can_be_woken_before_its_time(own_clock: ClockFile) -> None:
    wake = asyncio.Event()
    sleeper = asyncio.create_task(clock.sleep_until(EVENING + timedelta(days=1), wake))
    wake.set()
    await asyncio.wait_for(sleeper, 1)

    assert not wake.is_set()
    assert clock.now() == EVENING


def test_time_never_runs_back(own_clock: ClockFile) -> None:
    with pytest.raises(ValueError, match="does not run back"):
        own_clock.jump(EVENING - timedelta(seconds=1))


def test_two_processes_that_map_one_file_see_the_same_time(
    own_clock: ClockFile, tmp_path: Path
) -> None:
    other = ClockFile(tmp_path / "clock")
    own_clock.jump(EVENING + timedelta(microseconds=1))

    assert other.now() == EVENING + timedelta(microseconds=1)


def test_a_file_that_is_no_clock_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("half past six")

    with pytest.raises(ValueError, match="is no clock file"):
        ClockFile(tmp_path / "clock")


class Ring:
    """Four processes, each of which listens to the one before it."""

    def __init__(self, broker: Kafka, database: Database, names: Names, folder: Path) -> None:
        self.settings = Settings(kafka=broker.bootstrap)
        self.members = [f"{names.prefix}{letter}" for letter in "abcd"]
        self.dsn = database.dsn()
        self.clock_file = folder / "clock"
        self.processes = [
            Process(
                "tests.toy.ring",
                {
                    "TOY_NAME": member,
                    "TOY_READS": f"{before}.events.v1",
                    "RELANCE_KAFKA": broker.bootstrap,
                    "RELANCE_POSTGRES": self.dsn,
                    "RELANCE_CLOCK_FILE": str(self.clock_file),
                },
                folder / f"{member}.log",
            )
            for before, member in zip([self.members[-1], *self.members], self.members, strict=False)
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stepper]:
        ClockFile.create(self.clock_file, EVENING)
        await topics.apply(self.settings)
        for member in self.members:
            await topics.apply(self.settings, toy_topics(member))
            await migration.apply(self.dsn, member, MIGRATIONS)
        try:
            for process in self.processes:
                process.start()
            for process in self.processes:
                await asyncio.to_thread(process.wait_ready)
            urls = [process.url for process in self.processes]
            async with Stepper(urls, self.settings.kafka, self.clock_file, limit_s=20) as stepper:
                yield stepper
            for process in self.processes:
                assert process.stop() == 0
        finally:
            for process in self.processes:
                process.kill()

    async def receive(self, night: int, now: datetime) -> None:
        """Tell the first member of each lead, at one instant."""
        producer = kafka.producer(self.settings, client_id="test", request_timeout_ms=5000)
        await producer.start()
        topic = f"{self.members[-1]}.events.v1"
        for lead in LEADS:
            first = note(f"{lead}-{night}", "0", source="/outside", sequence=1, time=now)
            await producer.send_and_wait(topic, first.to_bytes(), first.subject.encode())
        await producer.stop()

    async def forget(self) -> None:
        """Nobody plans anything any more."""
        session = await asyncpg.connect(self.dsn)
        for member in self.members:
            await session.execute(f"delete from {member}.planned")
        await session.close()

    async def story(self, night: int, began: datetime) -> dict[str, list[tuple[str, str]]]:
        """What each lead's members were told, in order, by minutes since the evening."""
        told: dict[str, list[tuple[str, str]]] = {}
        session = await asyncpg.connect(self.dsn)
        for member in self.members:
            for row in await session.fetch(
                f"select subject, text, told_at from {member}.told order by place"
            ):
                if row["subject"].endswith(f"-{night}"):
                    key = f"{member} {row['subject'].removesuffix(f'-{night}')}"
                    told.setdefault(key, []).append((row["text"], str(row["told_at"] - began)))
        await session.close()
        return told


async def test_a_night_jumped_fifty_times_tells_the_same_story_twice(
    kafka: Kafka, database: Database, names: Names, tmp_path: Path
) -> None:
    ring = Ring(kafka, database, names, tmp_path)
    stories = []
    async with ring.running() as stepper:
        for night in (1, 2):
            began = stepper.now
            await ring.receive(night, began)
            jumps = await stepper.run_until(began + NIGHT)
            assert len(jumps) >= JUMPS
            assert sorted(set(jumps)) == jumps, "each jump goes to a later instant"
            stories.append(await ring.story(night, began))
            await ring.forget()

    first, second = stories
    assert first == second
    assert sum(map(len, first.values())) >= JUMPS
    for told in first.values():
        hops = [int(hop) for hop, _ in told]
        assert hops == sorted(hops)


async def test_a_stack_that_does_not_come_to_rest_is_named(
    kafka: Kafka, database: Database, names: Names, own_clock: ClockFile, tmp_path: Path
) -> None:
    settings = Settings(kafka=kafka.bootstrap, postgres=SecretStr(database.dsn()), migrate=True)
    await topics.apply(settings)
    await topics.apply(settings, toy_topics(names.prefix))
    toy = Toy(names.prefix, settings, [])
    toy.quiet_checks.append(_thinking)
    await toy.start()

    async with Stepper([toy.url], kafka.bootstrap, tmp_path / "clock", limit_s=0.3) as stepper:
        with pytest.raises(NotQuiet, match=f"{names.prefix} \\(thinking\\)"):
            await stepper.settle()

    await toy.stop()


async def _thinking() -> str | None:
    return "thinking"
