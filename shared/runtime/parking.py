"""The parking: what waits is tried again, in order (`runtime.md` 9, 11, 24)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic

from shared.runtime import decoder, failpoint, metrics, parked
from shared.runtime.activity import Activity
from shared.runtime.batch import Batch, Outcome
from shared.runtime.effect import count
from shared.runtime.moment import happens
from shared.runtime.postgres import Postgres, Transaction, is_bad_luck
from shared.runtime.relay import lock_key
from shared.runtime.subscription import Subscription
from shared.runtime.watermark import Gate

_LOOK_EVERY_S = 1.0
_LEAST_PAUSE_S = 0.02


class Parking:
    """Looks each second, at once after a batch while something waits, and when nudged."""

    def __init__(
        self,
        service: str,
        subscriptions: Sequence[Subscription],
        postgres: Postgres,
        *,
        gate: Gate | None,
        activity: Activity,
        committed: Callable[[Outcome], None],
    ) -> None:
        self._service = service
        self._subscriptions = subscriptions
        self._postgres = postgres
        self._gate = gate
        self._activity = activity
        self._committed = committed
        self._wake = asyncio.Event()
        self._every = False
        self._waiting = True  # unknown before the first look
        self._settled_at = -1
        self._gated = False

    def noticed(self, outcome: Outcome) -> None:
        """A transaction was committed: it may have brought what something waits for."""
        self._waiting |= outcome.parked > 0
        if self._waiting:
            self._wake.set()

    def is_settled(self) -> bool:
        """Whether nothing that waits could run since the last activity; if unsure, look now."""
        settled = self._settled_at == self._activity.count and not self._gated
        if not self._waiting or settled:
            return True
        self._every = True
        self._wake.set()
        return False

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            began = monotonic()
            await self.look()
            await asyncio.sleep(max(0.0, _LEAST_PAUSE_S - (monotonic() - began)))
            await happens(self._wake, _LOOK_EVERY_S)
            self._wake.clear()

    async def look(self) -> None:
        """Try once what may be tried, until nothing moves."""
        before, every = self._activity.count, self._every
        self._waiting = await self._measure()
        if not self._waiting:
            return
        moved = False
        for subscription in self._subscriptions:
            moved |= await self._release(subscription, every=every)
        if moved:
            self._wake.set()
        elif every:
            self._every = False
            self._settled_at = before

    async def _measure(self) -> bool:
        row = await self._postgres.pool.fetchrow(
            "select count(*) as many, "
            "count(*) filter (where waits_for = 'gate') as gated, "
            "coalesce(extract(epoch from now() - min(parked_at)), 0)::float8 as oldest from parked"
        )
        self._gated = bool(row and row["gated"])
        many = int(row["many"]) if row else 0
        metrics.PARKED.set(many)
        metrics.PARKED_OLDEST_SECONDS.set(row["oldest"] if row else 0)
        return many > 0

    async def _release(self, subscription: Subscription, *, every: bool) -> bool:
        """Whether something of this subscription was taken up or set aside."""
        try:
            passed = await self._passed() if subscription.gated else None
            async with self._postgres.transaction() as tx:
                # One look at a time in a service; whoever comes second has nothing to do.
                key = lock_key(self._service, "parking")
                if not await tx.fetchval("select pg_try_advisory_xact_lock($1)", key):
                    return False
                outcome = await self._take(tx, subscription, passed, every=every)
                if _taken(outcome):
                    failpoint.here("parking.done")
        except Exception as error:
            if not is_bad_luck(error):
                raise
            metrics.BAD_LUCK.labels(kind=type(error).__name__).inc()
            return False
        taken = _taken(outcome)
        if taken:
            failpoint.here("parking.committed")
            with self._activity.of("parking"):
                outcome.parked = 0  # they were counted when they were parked
                count(subscription, outcome)
                self._committed(outcome)
                subscription.after_commit()
        return taken > 0

    async def _passed(self) -> datetime | None:
        if self._gate is None:
            return None
        if self._gated:
            self._gate.nudged.set()
        return await self._gate.passed()

    async def _take(
        self, tx: Transaction, subscription: Subscription, passed: datetime | None, *, every: bool
    ) -> Outcome:
        records = await parked.due(tx, subscription.name, every=every)
        if not records:
            return Outcome()
        batch = Batch(self._service, subscription, tx, passed=passed, again=True)
        return await batch.take([decoder.read(record, subscription.topic) for record in records])


def _taken(outcome: Outcome) -> int:
    """How many events wait no more."""
    return outcome.handled + outcome.ignored + outcome.repeated + outcome.quarantined
