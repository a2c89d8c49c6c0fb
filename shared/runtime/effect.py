"""The effect of a batch, tried until it is done: bad luck waits, nothing is skipped (rule 6)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Protocol

import structlog

from shared.runtime import decoder, failpoint, metrics, watermark
from shared.runtime.bad_code import Fingerprints
from shared.runtime.batch import Batch, Outcome
from shared.runtime.decoder import Item
from shared.runtime.kafka import Record
from shared.runtime.moment import happens
from shared.runtime.postgres import Postgres, is_bad_luck, pause_s
from shared.runtime.subscription import RawHandler, Subscription

log = structlog.get_logger(__name__)

_FAILURES_BEFORE_HALVING = 5


class Stopping(Exception):
    """The process stops while the batch waits, for luck or at the gate; it is read again."""


class Effect(Protocol):
    """What a consumer does with the records it fetched. `waiting`: for better luck, just now."""

    waiting: bool

    async def __call__(self, records: Sequence[Record]) -> None:
        """Return when every record has taken effect; may raise `Stopping`."""


async def pause(stopping: asyncio.Event, failures: int, error: Exception) -> None:
    """Wait for better luck, or raise `Stopping`."""
    metrics.BAD_LUCK.labels(kind=type(error).__name__).inc()
    log.warning("bad luck, trying again", failures=failures, error=repr(error))
    if await happens(stopping, pause_s(failures)):
        raise Stopping


class EventEffect:
    """Events of ours: one batch, one transaction."""

    def __init__(
        self,
        service: str,
        subscription: Subscription,
        postgres: Postgres,
        *,
        faults: Fingerprints,
        stopping: asyncio.Event,
        committed: Callable[[Outcome], None],
        gate: watermark.Gate | None = None,
        keeps_watermark: bool = False,
    ) -> None:
        """`faults` are those of all its subscription's members; `committed` is called after each
        commit; `keeps_watermark` for a topic gates read."""
        self._service = service
        self._subscription = subscription
        self._postgres = postgres
        self._stopping = stopping
        self._committed = committed
        self._gate = gate
        self._keeps_watermark = keeps_watermark
        self._faults = faults
        self.waiting = False

    async def __call__(self, records: Sequence[Record]) -> None:
        """Decode, then take effect."""
        topic = self._subscription.topic
        await self._take([decoder.read(record, topic) for record in records])

    async def _take(self, items: Sequence[Item]) -> None:
        failures = 0
        while True:
            try:
                with metrics.BATCH_SECONDS.labels(topic=self._subscription.topic.name).time():
                    outcome = await self._transaction(items)
            except Exception as error:
                if not is_bad_luck(error):
                    raise
                if failures >= _FAILURES_BEFORE_HALVING and len(items) > 1:
                    # One of them may be what makes the statement too long.
                    await self._take(items[: len(items) // 2])
                    await self._take(items[len(items) // 2 :])
                    return
                self.waiting = True
                await pause(self._stopping, failures, error)
                failures += 1
            else:
                self.waiting = False
                count(self._subscription, outcome)
                self._committed(outcome)
                self._subscription.after_commit()
                return

    async def _transaction(self, items: Sequence[Item]) -> Outcome:
        passed = await self._passed(items)
        async with self._postgres.transaction() as tx:
            failpoint.here("batch.begun")
            batch = Batch(self._service, self._subscription, tx, passed=passed, faults=self._faults)
            outcome = await batch.take(items)
            if self._keeps_watermark:
                await watermark.write(tx, watermark.of_batch(items))
            failpoint.here("batch.done")
        failpoint.here("batch.committed")
        return outcome

    async def _passed(self, items: Sequence[Item]) -> datetime | None:
        if self._gate is None:
            return None
        gated = self._subscription.gated
        times = [e.time for item in items if (e := item.envelope) and type(e.data) in gated]
        if not times:
            return None
        passed = await self._gate.wait(max(times), self._stopping)
        if self._stopping.is_set() and (passed is None or passed < max(times)):
            raise Stopping
        return passed


class RawEffect:
    """Records of the outside: the handler returns when they are safe elsewhere (rule 21)."""

    def __init__(self, handler: RawHandler, stopping: asyncio.Event) -> None:
        self._handler = handler
        self._stopping = stopping
        self.waiting = False

    async def __call__(self, records: Sequence[Record]) -> None:
        """The handler sorts out poison itself; whatever it raises is tried again."""
        failures = 0
        while True:
            try:
                await self._handler(records)
            except Exception as error:
                if not is_bad_luck(error):
                    log.exception("raw records not taken up, trying again")
                self.waiting = True
                await pause(self._stopping, failures, error)
                failures += 1
            else:
                self.waiting = False
                return


def count(subscription: Subscription, outcome: Outcome) -> None:
    """Count what became of a batch."""
    for what, many in asdict(outcome).items():
        if many and what != "emitted":
            metrics.EVENTS.labels(topic=subscription.topic.name, outcome=what).inc(many)


Fail = Callable[[str], None]
"""Ends the process with 70: bad code (`runtime.md` 7)."""

Loop = Callable[[], Awaitable[None]]
