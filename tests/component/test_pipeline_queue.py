"""What stands in a queue is the same in SQL and in the core; nobody gets what another has taken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from relance.simulation.company import Company, read_company
from relance.stack.home import PROJECT
from services.pipeline import leads, queues, store
from services.pipeline.acting import Acting, Request
from services.pipeline.answers import Answer
from services.pipeline.core.action import Take
from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Attempt, Lead, Task
from services.pipeline.core.queue import standing
from services.pipeline.core.world import World
from services.pipeline.keys import Caller
from services.pipeline.problem import Problem
from shared.contract.envelope import Envelope, derived_id
from shared.contract.pipeline import Status
from shared.runtime import clock
from shared.runtime.postgres import Postgres, Transaction
from tests.stack import Database, sessions_of

NOW = datetime(2026, 3, 20, 10, tzinfo=UTC)
AGENTS = ("chloe", "david", "emma")
TENANT = "sales_academy"


@pytest.fixture(scope="module")
def company() -> Company:
    return read_company(PROJECT / "rulebooks" / "sales_academy")


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Postgres]:
    async with sessions_of(database, "pipeline") as sessions:
        yield sessions


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def leads_of(chance: random.Random, many: int) -> list[Lead]:
    """Leads of all kinds, some received at the same instant."""
    return [_lead(chance, number) for number in range(many)]


def _lead(chance: random.Random, number: int) -> Lead:
    statuses: list[Status] = ["open", "open", "lost", "lost", "won", "invalid"]
    status = chance.choice(statuses)
    received = NOW - timedelta(hours=chance.randrange(24 * 30))
    tried = chance.random() < 0.4
    task = Task(id=f"t{number}", name="rp", title="RP", to="emma", created_at=received)
    return Lead(
        id=derived_id("lead", str(number)),
        number=f"N{number}",
        tenant=TENANT,
        site="paris",
        pipeline=chance.choice(["prospecting", "prospecting", "project"]),
        contact=derived_id("contact", str(number)),
        channel="form",
        source="affectations",
        received_at=received,
        tie_break=chance.randrange(3),
        time=received,
        stage="lost" if status == "lost" else "to_enter",
        previous_stage="to_enter",
        status=status,
        reason=chance.choice(["unreachable", "wrong_number"]) if status == "lost" else None,
        closed_at=None if status == "open" else NOW - timedelta(days=chance.randrange(15)),
        owner=chance.choice(AGENTS),
        blocked={"call": "000-42"} if chance.random() < 0.1 else {},
        attempts=(Attempt(at=received, code="APL", channel="call", outcome="made", counted=True),)
        if tried
        else (),
        tasks={task.id: task} if chance.random() < 0.2 else {},
    )


async def kept(sessions: Postgres, held: Sequence[Lead]) -> World:
    """The database and the world that hold these leads."""
    contacts = [Contact(id=lead.contact, tenant=TENANT, leads=(lead.id,)) for lead in held]
    world = World.of(contacts, held)
    async with sessions.transaction() as tx:
        await store.save(tx, World(), world, ())
    return world


@pytest.mark.parametrize("seed", range(3))
async def test_the_queue_is_the_same_in_sql_and_in_the_core(
    sessions: Postgres, company: Company, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PAGE", 7)
    world = await kept(sessions, leads_of(random.Random(seed), 80))
    queue = company.book.queues["calls"]
    everybody = [(lead, world.contacts[lead.contact]) for lead in world.leads.values()]
    for agent in AGENTS:
        asking = queues.Asking(TENANT, agent, company.book, company.directory, NOW)
        async with sessions.transaction() as tx:
            by_sql = await queues.next_in(tx, queue, asking, 1_000)
            owed = {lead.id for lead in await queues.owed_by(tx, TENANT, agent)}
        by_core = standing(
            queue, everybody, agent, book=company.book, directory=company.directory, now=NOW
        )
        owing = {
            lead.id
            for lead in world.leads.values()
            if any(t.to == agent for t in lead.open_tasks())
        }

        assert [lead.number for lead in by_sql] == [lead.number for lead in by_core]
        assert owing <= owed
    assert by_core


@pytest.mark.parametrize("salt", ["lead", "other", "third"])
async def test_leads_of_one_instant_are_paged_in_the_same_order_under_any_ids(
    sessions: Postgres, company: Company, salt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PAGE", 7)
    await kept(sessions, [_of_one_instant(salt, number) for number in range(40)])
    by_what_they_said = [f"N{number}" for number in range(40)]

    async with sessions.transaction() as tx:
        asking = queues.Asking(TENANT, "emma", company.book, company.directory, NOW)
        queued = await queues.next_in(tx, company.book.queues["calls"], asking, 1_000)
        urgent = await _all_pages(tx, leads.Wanted(order="urgency", limit=7))
        newest = await _all_pages(tx, leads.Wanted(limit=7))

    assert [lead.number for lead in queued] == by_what_they_said
    assert urgent == by_what_they_said
    assert newest == by_what_they_said[::-1]


def _of_one_instant(salt: str, number: int) -> Lead:
    received = NOW - timedelta(days=9)
    task = Task(id="t", name="rp", title="RP", to="chloe", created_at=received, due_at=NOW)
    return _lead(random.Random(0), number).model_copy(
        update={
            "id": derived_id(salt, str(number)),
            "contact": derived_id(salt, "contact", str(number)),
            "pipeline": "prospecting",
            "received_at": received,
            "tie_break": number,
            "status": "lost",
            "reason": "unreachable",
            "closed_at": NOW - timedelta(days=8),
            "blocked": {},
            "tasks": {task.id: task},
        }
    )


async def _all_pages(tx: Transaction, wanted: leads.Wanted) -> list[str]:
    """The numbers, read page by page; each place travels as the cursor that people send back."""
    found, place = await leads.page(tx, TENANT, wanted)
    if place is None:
        return [lead.number for lead in found]
    after = leads.Place.read(place.cursor)
    return [lead.number for lead in found] + await _all_pages(tx, replace(wanted, after=after))


async def test_agents_who_take_at_once_get_different_leads_and_the_last_one_none(
    sessions: Postgres, company: Company
) -> None:
    chance = random.Random(1)
    lost = [lead for lead in leads_of(chance, 400) if _stands_for_all(lead)][:2]
    assert len(lost) == 2
    await kept(sessions, lost)

    acting = Acting(company.book, company.directory, b"key")

    async def take(agent: str) -> tuple[str, list[str]]:
        async def work(tx: Transaction) -> tuple[Answer, Sequence[Envelope]]:
            request = Request(
                Caller(TENANT, agent, "key"), None, Take(queue="calls"), f"key-{agent}"
            )
            return await acting.act(tx, request)

        try:
            answer, events = await sessions.retried(work, 20)
        except Problem as problem:
            return problem.kind, []
        return str(answer.status), [event.subject for event in events][:1]

    outcomes = await asyncio.gather(*(take(agent) for agent in AGENTS))

    assert sorted(status for status, _ in outcomes) == ["200", "200", "queue-empty"]
    assert sorted(lead for _, taken in outcomes for lead in taken) == sorted(x.id for x in lost)


def _stands_for_all(lead: Lead) -> bool:
    rested = lead.closed_at is not None and lead.closed_at <= NOW - timedelta(days=7)
    here = lead.pipeline == "prospecting" and lead.status == "lost"
    return here and rested and lead.reason != "wrong_number" and not lead.blocked and not lead.tasks
