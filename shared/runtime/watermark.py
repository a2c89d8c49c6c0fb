"""The watermark: nothing is judged before what came in earlier (`runtime.md` 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Protocol

from aiokafka import TopicPartition

from shared.contract.topics import Topic
from shared.runtime import clock, metrics
from shared.runtime.decoder import Item
from shared.runtime.moment import happens
from shared.runtime.postgres import Postgres, Transaction

Marks = Mapping[tuple[str, int], tuple[int, datetime | None]]
"""(topic, partition) -> (next record, the time that has passed there)"""

TICK_S = 1.0
_IN_PLACE_S = 5.0
_POLL_S = 0.01

_WRITE = """
insert into watermark (topic, partition, next_record, passed_at)
select * from unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[])
on conflict (topic, partition) do update set
  next_record = greatest(watermark.next_record, excluded.next_record),
  passed_at = greatest(watermark.passed_at, excluded.passed_at)
where watermark.next_record < excluded.next_record
  or watermark.passed_at is distinct from greatest(watermark.passed_at, excluded.passed_at)
"""


_PASSED = """
select count(passed_at) as many, min(passed_at) as passed from watermark where topic = $1
"""


class Reader(Protocol):
    """A member's consumer of the topic."""

    @property
    def processed(self) -> Mapping[TopicPartition, int]:
        """The next record of each assigned partition, after what has taken effect."""

    async def ends(self) -> dict[TopicPartition, int]:
        """Where the log of each assigned partition ends now."""


async def write(tx: Transaction, marks: Marks) -> None:
    """Move the rows forward; never back. Sorted, so that nobody waits in a circle."""
    places = sorted(marks)
    if places:
        await tx.execute(
            _WRITE,
            [place[0] for place in places],
            [place[1] for place in places],
            [marks[place][0] for place in places],
            [marks[place][1] for place in places],
        )


def of_batch(items: Sequence[Item]) -> Marks:
    """How far a batch takes the partitions it touches: its last record, and that one's time."""
    marks: dict[tuple[str, int], tuple[int, datetime | None]] = {}
    for item in items:
        record = item.record
        place = (record.topic, record.partition)
        before = marks.get(place, (0, None))[1]
        time = item.envelope.time if item.envelope else before
        marks[place] = (record.offset + 1, time)
    return marks


async def passed(tx: Transaction, topic: Topic) -> datetime | None:
    """The time that every partition has passed; None while one has not been read at all."""
    row = await tx.fetchrow(_PASSED, topic.name)
    if row is None or row["many"] < topic.partitions:
        return None
    instant: datetime = row["passed"]
    return instant


class Gate:
    """Lets an event of time T pass once all partitions of `topic` have passed T."""

    def __init__(self, postgres: Postgres, topic: Topic, margin_s: float) -> None:
        """`margin_s` as for the ticker."""
        self.topic = topic
        self.margin_s = margin_s
        self.nudged = asyncio.Event()
        self.waiting = 0
        self._postgres = postgres

    async def passed(self) -> datetime | None:
        """The time that every partition has passed; None while one has not been read at all."""
        async with self._postgres.pool.acquire() as session:
            return await passed(session, self.topic)

    async def measure(self) -> None:
        """Tell how far behind the clock judging is."""
        passed = await self.passed()
        if passed is not None:
            metrics.GATE_BEHIND_SECONDS.set(max(0.0, (clock.now() - passed).total_seconds()))
        metrics.GATE_WAITING.set(self.waiting)

    async def wait(self, instant: datetime, stopping: asyncio.Event) -> datetime | None:
        """What has passed, as soon as that is `instant`, or five seconds later anyhow, or when
        the process is `stopping`: then nobody reads on.

        What is later than the answer is parked: it must not hold up what can pass.
        """
        start = monotonic()
        self.waiting += 1
        try:
            while True:
                passed = await self.passed()
                if passed is not None and passed >= instant:
                    return passed
                if monotonic() - start > self.margin_s + _IN_PLACE_S or stopping.is_set():
                    return passed
                self.nudged.set()
                await asyncio.sleep(_POLL_S)
        finally:
            self.waiting -= 1


class Ticker:
    """Writes `now` for the partitions whose log this process has read to its end."""

    def __init__(self, postgres: Postgres, gate: Gate, readers: Sequence[Reader]) -> None:
        """`readers` are the members that this process is. The gate's `margin_s`: intake reads the
        clock before it writes, so long may a record take to reach the log. Time does not pass on a
        stepping clock while intake has an input in hand."""
        self._postgres = postgres
        self._gate = gate
        self._readers = readers

    async def run(self) -> None:
        """Each second, and at once when a gate waits."""
        while True:
            await self.tick()
            await happens(self._gate.nudged, TICK_S)
            self._gate.nudged.clear()

    async def tick(self) -> None:
        """What the clock said a margin ago has passed once the log is read to its end: whatever
        was dated then is in it, or was never accepted. What came in later is later."""
        now = clock.now()
        if not clock.is_stepping():
            now -= timedelta(seconds=self._gate.margin_s)
        each = await asyncio.gather(*(reader.ends() for reader in self._readers))
        ends = {tp: end for of_one in each for tp, end in of_one.items()}
        limit = monotonic() + TICK_S
        while monotonic() < limit and not self._reached(ends, ends):  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
        marks = {
            (tp.topic, tp.partition): (ends[tp], now) for tp in ends if self._reached(ends, [tp])
        }
        if marks:
            async with self._postgres.transaction() as tx:
                await write(tx, marks)
        await self._gate.measure()

    def _reached(
        self,
        ends: Mapping[TopicPartition, int],
        which: Sequence[TopicPartition] | Mapping[TopicPartition, int],
    ) -> bool:
        processed = [reader.processed for reader in self._readers]
        return all(any(of_one.get(tp, -1) >= ends[tp] for of_one in processed) for tp in which)
