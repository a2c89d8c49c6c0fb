"""Batches from Kafka: locked and loaded once, decided event by event, saved once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime

from services.pipeline import absences, store
from services.pipeline.core.digest import digest, owners_for
from services.pipeline.core.lead import Lead
from services.pipeline.core.world import UnknownLead, World
from services.pipeline.decision import Decided, decide, named_by
from services.pipeline.world_lock import locked_world
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import (
    CallEnded,
    CallStarted,
    InboundIgnored,
    InboundQuarantined,
    LeadReceived,
)
from shared.contract.reminders import AgentAbsent, DeadlineReached, DigestDue, LeadOverdue
from shared.contract.topics import INTAKE, NOTIFICATIONS, REMINDERS
from shared.domain.directory import Directory, Unknown
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime import watermark
from shared.runtime.companies import CompaniesOf, per_company
from shared.runtime.postgres import Transaction
from shared.runtime.subscription import Park, Subscription

FIRINGS: frozenset[type[Event]] = frozenset({DeadlineReached, LeadOverdue, AgentAbsent, DigestDue})
"""What is judged after everything that came in before it (`runtime.md` 12)."""

MEMBERS = 4
"""So many batches of what came in are in hand: while PostgreSQL stores some, one is decided."""

_AT_ONCE = 25
"""So many decisions (5 ms) at a time: the relay and whoever asks by HTTP wait no longer."""

_PACE_S = 0.1
"""Nobody waits for what was planned or sent to be written down; who calls in is never paced."""


def subscriptions(companies: CompaniesOf, hash_key: bytes) -> list[Subscription]:
    """What pipeline reads. Firings wait until what came in before them is known (rule 12)."""
    # One batch after the other: sharing out the time they would all decide, and then all wait.
    turn = asyncio.Lock()
    handler = per_company(
        companies, lambda each: Handler(each.book, each.directory, hash_key, turn)
    )
    no_leads = frozenset({InboundIgnored, InboundQuarantined})
    return [
        Subscription(INTAKE, handler, sequenced=False, ignored=no_leads, members=MEMBERS),
        Subscription(REMINDERS, handler, gated=FIRINGS, pace_s=_PACE_S),
        Subscription(NOTIFICATIONS, handler, pace_s=_PACE_S),
    ]


class Handler:
    """Makes batches of all three topics take effect, for one company."""

    def __init__(
        self, book: Rulebook, directory: Directory, hash_key: bytes, turn: asyncio.Lock
    ) -> None:
        """`turn` is held while a batch is decided; under it no SQL is awaited."""
        self._turn = turn
        self._book = book
        self._hash_key = hash_key
        self._directory = directory

    async def __call__(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        """Decide the batch; what names something unknown is parked (rule 11)."""
        self._check_places(batch, self._directory)
        before = await locked_world(tx, self._book.tenant, named_by(batch), self._hash_key)
        owned = await self._leads_for_digests(tx, batch, self._directory)
        passed = await self._passed(tx, batch)
        judged = []
        for envelope in batch:
            if isinstance(envelope.data, AgentAbsent):
                await absences.note(tx, envelope)
            else:
                judged.append(envelope)
        async with self._turn:
            decided = await self._decided(before, judged, owned, passed)
        await store.save(tx, before, decided.world, decided.steps)
        return decided.events

    async def _decided(
        self,
        world: World,
        batch: Sequence[Envelope],
        owned: Sequence[Lead],
        passed: datetime | None,
    ) -> Decided:
        said: list[Envelope] = []
        steps: list[store.Step] = []
        for number, envelope in enumerate(batch, start=1):
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                if isinstance(envelope.data, DigestDue):
                    of_now = {lead.id: lead for lead in owned} | dict(world.leads)
                    said += self._digest(envelope, self._directory, of_now.values(), passed)
                    continue
                decided = decide(world, envelope, self._book, self._directory)
                world = decided.world
                said += decided.events
                steps += decided.steps
            except (Unknown, UnknownLead) as missing:
                raise Park(envelope.id, str(missing)) from missing
        return Decided(world, said, steps)

    def _check_places(self, batch: Sequence[Envelope], directory: Directory) -> None:
        """Park what cannot be judged here yet, before anything is locked for it."""
        for envelope in batch:
            if isinstance(envelope.data, LeadReceived | CallStarted | CallEnded):
                try:
                    directory.opening(envelope.data.site)
                except Unknown as missing:
                    raise Park(envelope.id, str(missing)) from missing

    async def _leads_for_digests(
        self, tx: Transaction, batch: Sequence[Envelope], directory: Directory
    ) -> Sequence[Lead]:
        owners: set[str] = set()
        for envelope in batch:
            if isinstance(envelope.data, DigestDue):
                owners.update(owners_for(directory, envelope.data.agent))
        return await store.open_leads_of(tx, self._book.tenant, owners)

    async def _passed(self, tx: Transaction, batch: Sequence[Envelope]) -> datetime | None:
        """What came in until then is judged; asked only where a digest may have to say so."""
        if not any(isinstance(envelope.data, DigestDue) for envelope in batch):
            return None
        return await watermark.passed(tx, INTAKE)

    def _digest(
        self,
        due: Envelope,
        directory: Directory,
        leads: Collection[Lead],
        passed: datetime | None,
    ) -> list[Envelope]:
        """The digest as of now: `leads` as the batch has changed them so far.

        One that could not wait for what came in before it says as of when it is (rule 12).
        """
        assert isinstance(due.data, DigestDue)
        as_of = passed if passed is not None and passed < due.time else None
        owners = owners_for(directory, due.data.agent)
        return digest(self._book, directory, due, _open_of(leads, owners), as_of)


def _open_of(leads: Collection[Lead], owners: Collection[str]) -> list[Lead]:
    return [lead for lead in leads if lead.is_open and lead.owner in owners]
