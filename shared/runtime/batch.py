"""A batch taking effect, inside one transaction: repeats, order, the handler, what is set aside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from shared.contract.envelope import Envelope
from shared.contract.reminders import DigestDue
from shared.domain.directory import Unknown
from shared.runtime import clock, inbox, outbox, parked, quarantine, sequence
from shared.runtime.bad_code import Fingerprints
from shared.runtime.decoder import Item
from shared.runtime.log import about
from shared.runtime.parked import ParkedRecord, Wait, WaitsFor
from shared.runtime.postgres import Overtaken, Transaction, is_bad_luck
from shared.runtime.subscription import Park, Quarantine, Subscription

log = structlog.get_logger(__name__)

FACT_PATIENCE_S = 600.0
DIGEST_PATIENCE = timedelta(minutes=10)


@dataclass
class Outcome:
    """What became of a batch."""

    handled: int = 0
    ignored: int = 0
    repeated: int = 0
    parked: int = 0
    quarantined: int = 0
    emitted: int = 0


@dataclass
class Batch:
    """One attempt at one batch of `subscription`, for `service`.

    `passed` is the time that `intake.events.v1` has passed, for a gated subscription. `again`
    says that the items come from the parking: they are claimed already. `faults` remembers what
    was raised before: the 20th subject raises `BadCode` (rule 7).
    """

    service: str
    subscription: Subscription
    tx: Transaction
    passed: datetime | None = None
    again: bool = False
    faults: Fingerprints = field(default_factory=Fingerprints)
    _last: dict[sequence.Key, int] = field(default_factory=dict)
    _held: dict[sequence.Key, int] = field(default_factory=dict)
    _done: list[Item] = field(default_factory=list)
    _emitted: int = 0
    _waits: list[Wait] = field(default_factory=list)
    _bad: list[tuple[Item, str]] = field(default_factory=list)
    _repeated: list[Item] = field(default_factory=list)

    async def take(self, items: Sequence[Item]) -> Outcome:
        """Make `items` take effect; what is not handled is parked, quarantined or dropped."""
        for place, item in enumerate(items):
            item.place = place
            if item.fault is not None:
                self._bad.append((item, item.fault))
        sound = [item for item in items if item.fault is None]
        ready = await (
            self._in_sequence(sound) if self.subscription.sequenced else self._new(sound)
        )
        await self._handle(ready)
        await self._store()
        ignored = sum(
            type(item.envelope.data) in self.subscription.ignored
            for item in self._done
            if item.envelope
        )
        return Outcome(
            handled=len(self._done) - ignored,
            ignored=ignored,
            repeated=len(self._repeated),
            parked=len(self._waits),
            quarantined=len(self._bad),
            emitted=self._emitted,
        )

    # -- before the handler: what is new, and in order -------------------------------------------

    async def _in_sequence(self, items: Sequence[Item]) -> list[Item]:
        """Sibling's events: repeats dropped, gaps parked (rule 9)."""
        self._last = await sequence.read(self.tx, {item.key for item in items})
        reached = dict(self._last)
        ready = []
        for item in items:
            last = reached.get(item.key, 0)
            if item.sequence is None:
                self._bad.append((item, "sequence: missing"))
            elif item.sequence <= last:
                self._repeated.append(item)
            elif item.sequence > last + 1:
                self._wait(item, "gap", f"sequence {item.sequence} came after {last}")
            elif not self._waits_anyhow(item):
                reached[item.key] = item.sequence
                ready.append(item)
        return ready

    async def _new(self, items: Sequence[Item]) -> list[Item]:
        """Events from outside: known by their id (rule 10)."""
        if not items:
            return []
        ids = [item.id for item in items if item.id is not None]
        if self.again:
            new, waiting = set(ids), set()
        else:
            new = await inbox.claim_all(self.tx, ids)
            waiting = await parked.waiting(self.tx, self.subscription.name, items)
        ready = []
        for item in items:
            if item.id not in new:
                self._repeated.append(item)
                continue
            new.discard(item.id)
            if item.key in waiting:
                self._held.setdefault(item.key, item.place)
            if item.key in self._held:
                self._wait(item, "turn", "an earlier event of its subject waits")
            elif not self._waits_anyhow(item):
                ready.append(item)
        return ready

    def _waits_anyhow(self, item: Item) -> bool:
        """Whether it must wait for a newer release or for time, and its subject with it."""
        if item.unknown is not None:
            self._wait(item, "type", item.unknown)
        elif not self._is_open_for(item):
            self._wait(item, "gate", "intake.events.v1 has not passed its time yet")
        else:
            return False
        self._held.setdefault(item.key, item.place)
        return True

    def _is_open_for(self, item: Item) -> bool:
        if item.envelope is None or type(item.envelope.data) not in self.subscription.gated:
            return True
        if self.passed is not None and item.envelope.time <= self.passed:
            return True
        is_digest = isinstance(item.envelope.data, DigestDue)
        return is_digest and clock.now() - item.envelope.time >= DIGEST_PATIENCE

    # -- the handler, and what it cannot take ----------------------------------------------------

    async def _handle(self, items: Sequence[Item]) -> None:
        """Run the handler on `items`; bad data is bisected down to its one event (rule 5)."""
        items = self._not_held(items)
        batch = self._of_interest(items)
        if not batch:
            self._done.extend(items)
            return
        try:
            async with self.tx.transaction():
                with _about(batch):
                    emitted = await self.subscription.handler(self.tx, batch)
                # Here, so that an event too large to be said is bisected down to its cause too.
                await outbox.append(self.tx, f"/{self.service}", emitted)
        except (Park, Quarantine) as refusal:
            await self._without(items, refusal)
        except Exception as error:
            if is_bad_luck(error):
                raise
            await self._bisect(items, batch, error)
        else:
            self._done.extend(items)
            self._emitted += len(emitted)

    async def _without(self, items: Sequence[Item], refusal: Park | Quarantine) -> None:
        """The rest of `items`, once the one the handler named is out of the way."""
        named = next((item for item in items if item.id == refusal.envelope_id), None)
        if named is None:
            raise LookupError(f"the handler refused {refusal.envelope_id}, not in its batch")
        if isinstance(refusal, Park):
            self._park_fact(named, refusal.why)
        else:
            self._set_aside(named, refusal.why)
        await self._handle([item for item in items if item is not named])

    async def _bisect(
        self, items: Sequence[Item], batch: Sequence[Envelope], error: Exception
    ) -> None:
        if len(batch) > 1:
            # Halves of what the handler sees; what it ignores stays with its neighbours.
            middle = next(
                place for place, item in enumerate(items) if item.id == batch[len(batch) // 2].id
            )
            await self._handle(items[:middle])
            await self._handle(items[middle:])
            return
        named = next(item for item in items if item.id == batch[0].id)
        if isinstance(error, Unknown):
            self._park_fact(named, str(error))
        else:
            await self._not_overtaken(named)
            self.faults.note(error, named.subject or named.id or "")
            log.error("event set aside", event_id=named.id, lead=named.subject, exc_info=error)
            self._set_aside(named, f"{type(error).__name__}: {error}")
        await self._handle([item for item in items if item is not named])

    async def _not_overtaken(self, item: Item) -> None:
        """Raise `Overtaken` if another member has taken this event up meanwhile.

        What it stored can make ours fail before the sequence tells (a unique key, say): that is
        a repeat, and no bad data.
        """
        if not self.subscription.sequenced:
            return
        now = await sequence.read(self.tx, [item.key])
        if now.get(item.key, 0) > self._last.get(item.key, 0):
            raise Overtaken("another member has taken up this event meanwhile")

    def _park_fact(self, item: Item, why: str) -> None:
        """It waits for a fact, ten minutes at most (rule 11)."""
        record = item.record
        if isinstance(record, ParkedRecord) and record.age_s > FACT_PATIENCE_S:
            self._set_aside(item, f"{why} (waited {FACT_PATIENCE_S / 60:.0f} minutes)")
            return
        self._held.setdefault(item.key, item.place)
        self._wait(item, "fact", why)

    def _set_aside(self, item: Item, why: str) -> None:
        self._bad.append((item, why))
        if self.subscription.sequenced:  # later ones of its subject wait behind it (rule 9)
            self._held.setdefault(item.key, item.place)

    def _wait(self, item: Item, waits_for: WaitsFor, why: str) -> None:
        self._waits.append(Wait(item, waits_for, why))

    def _not_held(self, items: Sequence[Item]) -> list[Item]:
        """`items` without those whose subject has begun to wait before their place."""
        free = []
        for item in items:
            if item.place > self._held.get(item.key, item.place):
                self._wait(item, "turn", "an earlier event of its subject waits")
            else:
                free.append(item)
        return free

    def _of_interest(self, items: Collection[Item]) -> list[Envelope]:
        ignored = self.subscription.ignored
        return [
            item.envelope
            for item in items
            if item.envelope and type(item.envelope.data) not in ignored
        ]

    # -- after the handler: one statement each ---------------------------------------------------

    async def _store(self) -> None:
        name = self.subscription.name
        self._bad.sort(key=lambda found: found[0].place)
        await quarantine.set_aside(self.tx, self.service, name, self._bad)
        if self.again:
            await self._settle()
        else:
            await parked.park(self.tx, name, self._waits)
        if self.subscription.sequenced:
            reached = {item.key: item.sequence or 0 for item in self._done}
            await sequence.advance(self.tx, self._last, reached)

    async def _settle(self) -> None:
        bad = [item for item, _ in self._bad]
        released = [_row(item) for item in (*self._done, *self._repeated, *bad)]
        await parked.settle(self.tx, released, [(_row(wait.item), wait) for wait in self._waits])


def _about(batch: Sequence[Envelope]) -> AbstractContextManager[None]:
    """Log lines name the event where there is one, else how many there are."""
    if len(batch) == 1:
        return about(lead=batch[0].subject, event=batch[0].id)
    return about(events=len(batch))


def _row(item: Item) -> int:
    if not isinstance(item.record, ParkedRecord):
        raise TypeError("only parked events are settled")
    return item.record.row
