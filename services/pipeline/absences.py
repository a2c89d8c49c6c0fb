"""Absences, outside the batch: what an `AgentAbsent` means for each open lead of the agent.

Somebody may have thousands. The batch only notes the work; here `AT_ONCE` leads a transaction are
judged, the oldest first, each once: how far it is done is stored with what it did (rule 15).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.pipeline import store
from services.pipeline.core.judge import absences_of
from services.pipeline.core.order import Place
from services.pipeline.core.turn import SOURCE
from services.pipeline.decision import decide
from services.pipeline.store import PLACE, Step
from services.pipeline.world_lock import Named, locked_world
from shared.contract.envelope import Envelope, derived_id
from shared.contract.reminders import AgentAbsent
from shared.contract.topics import REMINDERS, decode
from shared.domain.directory import Unknown
from shared.runtime import clock, outbox, quarantine
from shared.runtime.bad_code import Fingerprints
from shared.runtime.companies import Company, UnknownTenant
from shared.runtime.decoder import Item
from shared.runtime.parked import ParkedRecord
from shared.runtime.postgres import Transaction, is_bad_luck
from shared.runtime.service import Service

log = structlog.get_logger(__name__)

AT_ONCE = 1_000
_AT_A_STRETCH = 16
"""So many are decided before others have their turn, a few milliseconds: the batch in hand, the
relay, whoever asks by HTTP."""
_POLL_S = 1.0
_STEPPING_POLL_S = 0.05
_PATIENCE_S = 600.0
"""As long as anything waits for a fact (`runtime.md` 11)."""

_NOTE = """
INSERT INTO absent (cause, tenant, agent, said)
VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
"""
_WORK = """
SELECT cause::text, said::text, received_at, tie_break, lead::text,
  extract(epoch FROM clock_timestamp() - noted_at)::float8 AS age_s
FROM absent
ORDER BY why IS NOT NULL, noted_at
LIMIT 1
FOR UPDATE SKIP LOCKED
"""
_NEXT = f"""
SELECT id::text, received_at, tie_break
FROM lead
WHERE tenant = $1 AND owner = $2 AND status = 'open' AND ({PLACE}) > ($3, $4::bigint, $5::uuid)
ORDER BY {PLACE}
LIMIT $6
"""  # noqa: S608 - the place is ours
_GO_ON = """
UPDATE absent SET why = NULL, received_at = $2, tie_break = $3, lead = $4 WHERE cause = $1
"""
_WAIT = "UPDATE absent SET why = $2 WHERE cause = $1"
_DONE = "DELETE FROM absent WHERE cause = $1"
_ANY = "SELECT EXISTS (SELECT FROM absent)"
_BUSY = "SELECT EXISTS (SELECT FROM absent WHERE why IS NULL)"


async def note(tx: Transaction, said: Envelope) -> None:
    """Remember that an agent's leads are to be told that the agent is away."""
    assert isinstance(said.data, AgentAbsent)  # the handler saw to it
    await tx.execute(_NOTE, said.id, said.tenant, said.data.agent, said.to_bytes())


@dataclass(frozen=True, slots=True)
class Work:
    """An absence whose leads are being told, the place reached, and how old it is."""

    said: Envelope
    reached: Place
    age_s: float


class Absences:
    """One of each replica; an absence is worked on by whichever takes its row."""

    def __init__(self, service: Service, hash_key: bytes) -> None:
        self._service, self._hash_key = service, hash_key
        self._faults = Fingerprints()

    async def run(self) -> None:
        """For ever: tell the leads of whoever is away."""
        while True:
            # A look is no activity: a clock that steps would not know when all is quiet.
            if not await self._service.postgres.pool.fetchval(_ANY):
                await asyncio.sleep(_STEPPING_POLL_S if clock.is_stepping() else _POLL_S)
            elif not await self._service.unit(self._once, patience_s=None):
                await asyncio.sleep(_POLL_S)

    async def busy(self) -> str | None:
        """A word while leads are still to be told; not while that waits for a fact."""
        async with self._service.postgres.transaction() as tx:
            return "absences" if await tx.fetchval(_BUSY) else None

    async def _once(self, tx: Transaction) -> tuple[bool, Sequence[Envelope]]:
        """One piece of work; whether there may be more. What is said is stored already."""
        row = await tx.fetchrow(_WORK)
        if row is None:
            return False, ()
        reached = (row["received_at"], row["tie_break"], row["lead"])
        work = Work(decode(row["said"].encode()), reached, row["age_s"])
        try:
            company = (await self._service.companies(tx)).of(work.said.tenant)
            await self._tell_next(tx, company, work)
        except (Unknown, UnknownTenant) as missing:
            await tx.execute(_WAIT, row["cause"], str(missing))
            return False, ()
        return True, ()

    async def _tell_next(self, tx: Transaction, company: Company, work: Work) -> None:
        data = work.said.data
        assert isinstance(data, AgentAbsent)  # `note` saw to it
        rows = await tx.fetch(_NEXT, company.tenant, data.agent, *work.reached, AT_ONCE)
        await self._tell(tx, company, work, [row["id"] for row in rows])
        if len(rows) == AT_ONCE:
            last = rows[-1]
            place = (last["received_at"], last["tie_break"], last["id"])
            await tx.execute(_GO_ON, work.said.id, *place)
        else:
            await tx.execute(_DONE, work.said.id)

    async def _tell(
        self, tx: Transaction, company: Company, work: Work, leads: Sequence[str]
    ) -> None:
        """Judge the absence for these; one that cannot be judged is set aside and stops no other.

        Raises `Unknown` while what is missing may still come.
        """
        error = await self._tried(tx, company, work, leads)
        if error is None:
            return
        if len(leads) > 1:
            middle = len(leads) // 2
            await self._tell(tx, company, work, leads[:middle])
            await self._tell(tx, company, work, leads[middle:])
            return
        self._faults.note(error, leads[0])
        await _set_aside(tx, work.said, leads[0], error)

    async def _tried(
        self, tx: Transaction, company: Company, work: Work, leads: Sequence[str]
    ) -> Exception | None:
        """Judge it for these at once; what was wrong, and then nothing has been done."""
        try:
            async with tx.transaction():
                await outbox.append(tx, SOURCE, await self._judged(tx, company, work.said, leads))
        except Exception as error:
            may_come = isinstance(error, Unknown) and work.age_s < _PATIENCE_S
            if may_come or is_bad_luck(error):
                raise
            return error
        return None

    async def _judged(
        self, tx: Transaction, company: Company, said: Envelope, leads: Collection[str]
    ) -> Sequence[Envelope]:
        before = await locked_world(tx, company.tenant, Named(leads=leads), self._hash_key)
        world, steps, events = before, list[Step](), list[Envelope]()
        theirs = [before.leads[id_] for id_ in leads]
        for number, each in enumerate(absences_of(said, theirs), 1):
            if number % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            decided = decide(world, each, company.book, company.directory)
            world = decided.world
            steps += decided.steps
            events += decided.events
        await store.save(tx, before, world, steps)
        return events


async def _set_aside(tx: Transaction, said: Envelope, lead: str, error: Exception) -> None:
    """File it as what it is: no record of a topic, so nothing that could be redriven."""
    id_ = derived_id(said.id, lead)
    log.error("event set aside", event_id=id_, lead=lead, exc_info=error)
    record = ParkedRecord(
        topic=REMINDERS.name,
        partition=-1,
        offset=UUID(id_).int >> 65,
        key=lead.encode(),
        value=None,
        headers=(),
        row=0,
        waits_for="fact",
        age_s=0.0,
    )
    item = Item(record, id=id_, subject=lead)
    await quarantine.set_aside(
        tx, "pipeline", REMINDERS.name, [(item, f"{type(error).__name__}: {error}")]
    )
