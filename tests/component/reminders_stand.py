"""reminders as a process on real Kafka and PostgreSQL, on a clock that steps.

The test plays its neighbours: it says what pipeline says and hears what reminders tells.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from time import monotonic

from aiokafka import TopicPartition

from relance.stepper import Stepper
from services.reminders.settings import RemindersSettings
from shared.contract import topics
from shared.contract.directory import Document, key_of
from shared.contract.due import Due
from shared.contract.envelope import Envelope, Event
from shared.contract.pipeline import DeadlineSet
from shared.contract.topics import decode
from shared.runtime import kafka
from shared.runtime.clock import ClockFile
from tests.toy.process import Process

TENANT = "axelerator"
LIMIT_S = 40


class Stand:
    """Replicas of reminders (the first is started), their clock and their neighbours."""

    def __init__(self, settings: RemindersSettings, folder: Path, start: datetime) -> None:
        assert settings.clock_file is not None
        assert settings.rulebook is not None
        self.settings, self.folder = settings, folder
        self.clock = ClockFile.create(settings.clock_file, start)
        self.environment = {
            "RELANCE_KAFKA": settings.kafka,
            "RELANCE_POSTGRES": settings.postgres.get_secret_value(),
            "RELANCE_RULEBOOK": str(settings.rulebook.absolute()),
            "RELANCE_CLOCK_FILE": str(settings.clock_file),
            "RELANCE_MIGRATE": "true",
        }
        self.replicas = [self.replica(1)]
        self.producer = kafka.producer(settings, client_id="neighbours", request_timeout_ms=5_000)
        self.reader = kafka.reader(settings)
        self.heard: list[Envelope] = []
        self._sequences: Counter[str] = Counter()

    def replica(self, number: int) -> Process:
        log = self.folder / f"reminders-{number}.log"
        return Process("services.reminders", self.environment, log)

    async def open(self, documents: tuple[Document, ...]) -> None:
        await self.producer.start()
        await self.know(*documents)
        await self.reader.start()
        partitions = range(topics.REMINDERS.partitions)
        self.reader.assign([TopicPartition(topics.REMINDERS.name, n) for n in partitions])
        await self.start()

    async def close(self) -> None:
        for process in self.replicas:
            process.kill()
        await self.reader.stop()
        await self.producer.stop()

    async def start(self) -> None:
        """Start every replica, and wait until all can work."""
        for process in self.replicas:
            process.start()
        for process in self.replicas:
            await asyncio.to_thread(process.wait_ready, LIMIT_S)

    # -- time ------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def _stepper(self) -> Stepper:
        assert self.settings.clock_file is not None
        urls = [process.url for process in self.replicas]
        return Stepper(urls, self.settings.kafka, self.settings.clock_file, limit_s=LIMIT_S)

    async def settle(self) -> datetime | None:
        """Until everything that was said has taken effect; what comes next."""
        async with self._stepper() as stepper:
            return await stepper.settle()

    async def until(self, instant: datetime) -> None:
        """Time passes, from planned instant to planned instant."""
        async with self._stepper() as stepper:
            await stepper.run_until(instant)

    # -- what the neighbours say -----------------------------------------------------------------

    async def know(self, *documents: Document) -> None:
        """The directory says so."""
        for document in documents:
            envelope = self._envelope(document, document.id, source="/intake")
            key = key_of(TENANT, document).encode()
            await self.producer.send_and_wait(topics.DIRECTORY.name, envelope.to_bytes(), key=key)

    async def say(self, lead: str, data: Event) -> Envelope:
        """pipeline says it of a lead."""
        self._sequences[lead] += 1
        sequence = self._sequences[lead]
        envelope = self._envelope(data, lead, source="/pipeline", sequence=sequence)
        await self.producer.send_and_wait(
            topics.PIPELINE.name, envelope.to_bytes(), key=lead.encode()
        )
        return envelope

    async def ask(self, lead: str, name: str, due: Due, site: str = "minsk") -> Envelope:
        """pipeline has a task watched."""
        return await self.say(lead, DeadlineSet(name=name, due=due, kind="task", site=site))

    def _envelope(
        self, data: Event, subject: str, *, source: str, sequence: int | None = None
    ) -> Envelope:
        return Envelope(
            id=str(uuid.uuid4()),
            source=source,
            type=data.type,
            subject=subject,
            time=self.now,
            tenant=TENANT,
            sequence=sequence,
            data=data,
        )

    # -- what reminders tells --------------------------------------------------------------------

    async def told(self, subject: str, type_: type[Event], times: int = 0) -> list[Envelope]:
        """Everything of that type it has told of a lead or an agent: at least `times` events."""
        found: list[Envelope] = []

        def is_enough() -> bool:
            found[:] = [e for e in self.heard if e.subject == subject and type(e.data) is type_]
            return len(found) >= times

        await self._listen_until(is_enough)
        return found

    async def told_each(self, subjects: list[str], type_: type[Event]) -> dict[str, list[Envelope]]:
        """The same of many leads, once every one of them was told of."""
        found: dict[str, list[Envelope]] = {}

        def is_enough() -> bool:
            found.clear()
            for each in self.heard:
                if type(each.data) is type_:
                    found.setdefault(each.subject, []).append(each)
            return found.keys() >= set(subjects)

        await self._listen_until(is_enough)
        return {subject: found[subject] for subject in subjects}

    async def told_one_of(self, subjects: list[str], type_: type[Event]) -> None:
        """Wait until it has begun."""
        any_of = set(subjects)
        await self._listen_until(
            lambda: any(e.subject in any_of and type(e.data) is type_ for e in self.heard)
        )

    async def _listen_until(self, is_enough: Callable[[], bool]) -> None:
        limit = monotonic() + LIMIT_S
        while True:
            await self._listen()
            if is_enough():
                return
            assert monotonic() < limit, f"heard only {self.heard[-20:]}"

    async def _listen(self) -> None:
        """Read to the end of the log as it is now."""
        ends = await self.reader.end_offsets(list(self.reader.assignment()))
        while any([await self.reader.position(tp) < end for tp, end in ends.items()]):
            for records in (await self.reader.getmany(timeout_ms=100)).values():
                self.heard += [decode(record.value) for record in records]


def new_lead() -> str:
    return str(uuid.uuid4())
