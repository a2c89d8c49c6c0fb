"""One side of the comparison: its own Kafka and PostgreSQL, and a process that is measured."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Self

from aiokafka import TopicPartition

from benchmarks.workload import Workload, directory_events, publish
from relance import directory
from relance.stack.home import Home
from relance.stack.process import Child
from relance.stack.stack import RULEBOOK, Stack
from services.pipeline.app import MIGRATIONS
from shared.contract.topics import DIRECTORY, INTAKE, PIPELINE
from shared.runtime import migration
from shared.runtime.kafka import Ends
from shared.runtime.settings import Settings

_LOOK_S = 0.05
_LIMIT_S = 60.0


class Side:
    """`module` is started anew for each measurement, with what the last one left behind."""

    def __init__(self, name: str, module: str, folder: Path) -> None:
        self.name = name
        self.home = Home(folder / name)
        self.stack = Stack(self.home, services=False)
        self._child = Child(name, [sys.executable, "-m", module], self.home.log(name))

    def start(self) -> None:
        """Start the servers."""
        self.home.remove()
        self.home.prepare()
        self.stack.start()
        self._child.environment = {
            **os.environ,
            "RELANCE_KAFKA": self.stack.kafka.bootstrap,
            "RELANCE_POSTGRES": self.stack.postgres.dsn("pipeline"),
            "RELANCE_RULEBOOK": str(RULEBOOK),
            "RELANCE_MIGRATE": "true",
            "RELANCE_LOG_LEVEL": "WARNING",
        }

    def stop(self) -> None:
        """Stop everything."""
        self._child.stop(15)
        self.stack.stop()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The measured process runs meanwhile, alone on this side."""
        self._child.start()
        try:
            yield
        finally:
            self._child.stop(15)

    async def prepare(self) -> None:
        """The schema and the company's directory."""
        await migration.apply(self.stack.postgres.dsn("pipeline"), "pipeline", MIGRATIONS)
        documents = directory.read(RULEBOOK / "directory.toml")
        await publish(self.stack.kafka.bootstrap, DIRECTORY, directory_events(documents))

    async def measure(self, workload: Workload) -> float:
        """Inputs a second from the first effect seen to the last: what it does, not its start.

        The inputs lie on the topic before the process starts.
        """
        kafka = self.stack.kafka.bootstrap
        many = await publish(kafka, INTAKE, workload.events())
        async with _Outputs(kafka) as outputs:
            before = await outputs.count()
            with self.at_work():
                seen = await self._watched(outputs, before, many * workload.effects)
        (first_at, first), (last_at, last) = seen[0], seen[-1]
        if last <= first:
            raise TimeoutError(f"{self.name}: one batch did everything; give it more inputs")
        return (last - first) / workload.effects / (last_at - first_at)

    async def _watched(
        self, outputs: _Outputs, before: int, expected: int
    ) -> list[tuple[float, int]]:
        """(time, outputs so far), each time there were more, until all are there."""
        seen: list[tuple[float, int]] = []
        progress = monotonic()
        while not seen or seen[-1][1] < expected:
            done, now = await outputs.count() - before, monotonic()
            if done > (seen[-1][1] if seen else 0):
                seen.append((now, done))
                progress = now
            if now - progress > _LIMIT_S:
                log = self.home.log(self.name)
                raise TimeoutError(
                    f"{self.name} said {done} of {expected}, then no more: see {log}"
                )
            await asyncio.sleep(_LOOK_S)
        if seen[-1][1] > expected:
            raise ValueError(f"{self.name} said {seen[-1][1]} events instead of {expected}")
        return seen


class _Outputs:
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
