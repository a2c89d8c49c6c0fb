"""One side of the comparison: its own Kafka and PostgreSQL, and processes that are measured."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Self

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from benchmarks.workload import Workload, directory_events, publish
from relance import directory
from relance.stack.home import Home
from relance.stack.process import Child
from relance.stack.stack import RULEBOOK, Stack
from services.pipeline.app import MIGRATIONS
from shared.contract.topics import DIRECTORY, INTAKE, PIPELINE, Topic
from shared.runtime import migration
from shared.runtime.kafka import Ends
from shared.runtime.settings import Settings

_LOOK_S = 0.05
_LIMIT_S = 60.0

Seen = Sequence[tuple[float, int]]
"""(time, outputs so far), each time there were more."""


class Side:
    """`module` is started anew for each measurement, with what the last one left behind."""

    def __init__(self, name: str, module: str, group: str, folder: Path, members: int = 1) -> None:
        """`group`: how it is called where it reads what came in; `members`: how many of it one
        process is."""
        self.name = name
        self.home = Home(folder / name)
        self.stack = Stack(self.home, services=False)
        self._module = module
        self._group = group
        self._members = members
        self._children: list[Child] = []

    @property
    def kafka(self) -> str:
        """Kafka's address."""
        return self.stack.kafka.bootstrap

    @property
    def dsn(self) -> str:
        """PostgreSQL's address, as pipeline."""
        return self.stack.postgres.dsn("pipeline")

    @property
    def pids(self) -> dict[str, list[int]]:
        """What runs for it now: the measured processes, PostgreSQL, Kafka."""
        return {
            "service": [child.pid for child in self._children if child.pid],
            "postgres": [self.stack.postgres.child.pid or 0],
            "kafka": [self.stack.kafka.child.pid or 0],
        }

    def start(self) -> None:
        """Start the servers."""
        self.home.remove()
        self.home.prepare()
        self.stack.start()

    def stop(self) -> None:
        """Stop everything."""
        self._end()
        self.stack.stop()

    @contextmanager
    def at_work(
        self, processes: int = 1, module: str | None = None, **settings: str
    ) -> Iterator[None]:
        """So many processes run meanwhile, alone on this side; `module` instead of its own."""
        try:
            for number in range(processes):
                self._children.append(self._child(number, module or self._module, settings))
                self._children[-1].start()
            yield
        finally:
            self._end()

    async def prepare(self) -> None:
        """The schema and the company's directory."""
        await migration.apply(self.dsn, "pipeline", MIGRATIONS)
        documents = directory.read(RULEBOOK / "directory.toml")
        await publish(self.kafka, DIRECTORY, directory_events(documents))

    async def measure(
        self,
        workload: Workload,
        topic: Topic = INTAKE,
        module: str | None = None,
        **settings: str,
    ) -> float:
        """Inputs a second of one process, from the first effect seen to the last: what it does,
        not its start. The inputs lie on `topic` before it starts."""
        await publish(self.kafka, topic, workload.events())
        async with Outputs(self.kafka) as outputs:
            before = await outputs.count()
            with self.at_work(1, module, **settings):
                seen = await self.watched(outputs, before, workload)
        return self.rate(seen, workload)

    async def measure_joined(self, workload: Workload, processes: int) -> float:
        """The same for several processes that share the partitions: from when all have joined,
        which must be before half is done."""
        await publish(self.kafka, INTAKE, workload.events())
        async with Outputs(self.kafka) as outputs:
            before = await outputs.count()
            with self.at_work(processes):
                await self._joined(processes)
                began = (monotonic(), await outputs.count() - before)
                if began[1] > workload.many * workload.effects / 2:
                    raise TimeoutError(f"{self.name}: half was done before all had joined")
                seen = await self.watched(outputs, before, workload)
        return self.rate([began, *seen], workload)

    def rate(self, seen: Seen, workload: Workload) -> float:
        """Inputs a second."""
        (first_at, first), (last_at, last) = seen[0], seen[-1]
        if last <= first:
            raise TimeoutError(f"{self.name}: one batch did everything; give it more inputs")
        return (last - first) / workload.effects / (last_at - first_at)

    async def watched(
        self, outputs: Outputs, before: int, workload: Workload, *, at_least: bool = False
    ) -> Seen:
        """What was seen, until every effect of the workload is there, and not one more.

        `at_least`: more are on their way.
        """
        expected = workload.many * workload.effects
        seen: list[tuple[float, int]] = []
        progress = monotonic()
        while not seen or seen[-1][1] < expected:
            done, now = await outputs.count() - before, monotonic()
            if done > (seen[-1][1] if seen else 0):
                seen.append((now, done))
                progress = now
            if now - progress > _LIMIT_S:
                logs = self.home.logs
                raise TimeoutError(
                    f"{self.name} said {done} of {expected}, then no more: see {logs}"
                )
            await asyncio.sleep(_LOOK_S)
        if seen[-1][1] > expected and not at_least:
            raise ValueError(f"{self.name} said {seen[-1][1]} events instead of {expected}")
        return seen

    def _child(self, number: int, module: str, settings: Mapping[str, str]) -> Child:
        name = f"{self.name}-{number}"
        child = Child(name, [sys.executable, "-m", module], self.home.log(name))
        child.environment = {
            **os.environ,
            "RELANCE_KAFKA": self.kafka,
            "RELANCE_POSTGRES": self.dsn,
            "RELANCE_RULEBOOK": str(RULEBOOK),
            "RELANCE_MIGRATE": "true",
            "RELANCE_LOG_LEVEL": "WARNING",
            **settings,
        }
        return child

    def _end(self) -> None:
        for child in self._children:
            child.stop(15)
        self._children.clear()

    async def _joined(self, many: int) -> None:
        """Wait until the group has the members of so many processes, each with its partitions."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        limit = monotonic() + _LIMIT_S
        try:
            while not await self._is_joined(admin, many):
                if monotonic() > limit:
                    raise TimeoutError(f"{self.name}: {many} processes did not join: see its logs")
                await asyncio.sleep(_LOOK_S)
        finally:
            await admin.close()

    async def _is_joined(self, admin: AIOKafkaAdminClient, many: int) -> bool:
        (answer,) = await admin.describe_consumer_groups([self._group])
        _, _, state, _, _, members, *_ = answer.groups[0]
        return state == "Stable" and len(members) == many * self._members


class Outputs:
    """Counts the events on `pipeline.events.v1`."""

    def __init__(self, kafka: str) -> None:
        self._ends = Ends(Settings(kafka=kafka))
        self._partitions = [TopicPartition(PIPELINE.name, n) for n in range(PIPELINE.partitions)]

    async def __aenter__(self) -> Self:
        await self._ends.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ends.stop()

    async def count(self) -> int:
        return sum((await self._ends.of(self._partitions)).values())
