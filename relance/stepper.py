"""The stepper: when everything is quiet, time jumps to the next planned instant (design 6)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Self

import httpx2
from aiokafka import TopicPartition

from shared.runtime.clock import ClockFile
from shared.runtime.health import Quiet
from shared.runtime.kafka import Ends
from shared.runtime.settings import Settings

_AGAIN_S = 0.005


class NotQuiet(Exception):
    """The stack did not come to rest in time; the sentence says who is busy with what."""


class Stepper:
    """Moves the clock file of a stack: `async with Stepper(urls, kafka, file) as stepper`.

    `urls` are those of every process. Make the file (`ClockFile.create`) before they start.
    """

    def __init__(
        self,
        urls: Sequence[str],
        kafka: str,
        clock_file: Path,
        *,
        limit_s: float = 60.0,
    ) -> None:
        """`limit_s`: how long, in real time, the stack may take to come to rest."""
        self._urls = tuple(urls)
        self._clock = ClockFile(clock_file)
        self._limit_s = limit_s
        self._ends = Ends(Settings(kafka=kafka))
        self._http = httpx2.AsyncClient(timeout=10)
        self._why = "nobody was asked yet"

    async def __aenter__(self) -> Self:
        await self._ends.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ends.stop()
        await self._http.aclose()

    @property
    def now(self) -> datetime:
        """The instant at which time stands."""
        return self._clock.now()

    async def settle(self) -> datetime | None:
        """Wait until nothing is in hand anywhere; return the next planned instant, if any.

        Raises `NotQuiet` past the limit.
        """
        limit = monotonic() + self._limit_s
        while True:
            rest = await self._look_twice()
            if rest is not None:
                return min((q.next_instant for q in rest if q.next_instant), default=None)
            if monotonic() > limit:
                raise NotQuiet(f"Not quiet after {self._limit_s:.0f} s: {self._why}.")
            await asyncio.sleep(_AGAIN_S)

    async def step_to_next(self, limit: datetime) -> datetime | None:
        """Come to rest, jump to the next planned instant, come to rest again; return it.

        If none is planned up to `limit`, jump to `limit` and return None.
        """
        planned = await self.settle()
        target = limit if planned is None else min(planned, limit)
        self._clock.jump(target)
        await self.settle()
        return planned if planned is not None and planned <= limit else None

    async def run_until(self, instant: datetime) -> list[datetime]:
        """Let time go to `instant`, jump by jump; return the instants where it stopped."""
        stops = []
        planned = await self.settle()
        while self.now < instant:
            stops.append(instant if planned is None else min(planned, instant))
            self._clock.jump(stops[-1])
            planned = await self.settle()
        return stops

    async def _look_twice(self) -> list[Quiet] | None:
        """Two looks around one question to Kafka.

        Whoever was idle at both looks with the same activity count was idle all the time between,
        so also when Kafka was asked; and what everybody had read then was everything.
        """
        first = await self._look()
        if first is None:
            return None
        positions = self._positions(first)
        if positions is None:
            return None
        ends = await self._ends.of(positions)
        behind = [f"{tp.topic}/{tp.partition}" for tp, at in positions.items() if at < ends[tp]]
        if behind:
            self._why = f"not read to the end: {', '.join(sorted(behind))}"
            return None
        second = await self._look()
        if second is None or [q.activity for q in first] != [q.activity for q in second]:
            return None
        return second

    async def _look(self) -> list[Quiet] | None:
        found = await asyncio.gather(*(self._ask(url) for url in self._urls))
        busy = [f"{quiet.service} ({', '.join(quiet.busy)})" for quiet in found if not quiet.quiet]
        if busy:
            self._why = f"busy: {'; '.join(busy)}"
            return None
        return list(found)

    async def _ask(self, url: str) -> Quiet:
        answer = await self._http.get(f"{url}/health/quiet")
        answer.raise_for_status()
        return Quiet.model_validate_json(answer.content)

    def _positions(self, found: Sequence[Quiet]) -> dict[TopicPartition, int] | None:
        """The lowest position of any service in each partition; None if one is in nobody's hand."""
        lowest: dict[TopicPartition, int] = {}
        held: dict[str, set[str]] = defaultdict(set)
        for quiet in found:
            held[quiet.service] |= quiet.positions.keys()
            for place, at in quiet.positions.items():
                topic, _, partition = place.rpartition("/")
                tp = TopicPartition(topic, int(partition))
                lowest[tp] = min(at, lowest.get(tp, at))
        for quiet in found:
            for topic, partitions in quiet.topics.items():
                wanted = {f"{topic}/{number}" for number in range(partitions)}
                if missing := wanted - held[quiet.service]:
                    self._why = f"{min(missing)} is in no hand of {quiet.service}"
                    return None
        return lowest
