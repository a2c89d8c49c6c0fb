"""Who is away for long may have thousands of leads: each is told once, whatever fails."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relance.simulation.company import read_company
from relance.stack.home import PROJECT
from services.pipeline import absences, store
from services.pipeline.absences import Absences
from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.world import World
from services.pipeline.decision import decide
from services.pipeline.handlers import Handler
from shared.contract.directory import Absence, agent_subject
from shared.contract.envelope import Envelope, derived_id
from shared.contract.pipeline import QuestionAsked
from shared.contract.reminders import AgentAbsent
from shared.contract.topics import PIPELINE, decode
from shared.domain.directory import Directory, Unknown
from shared.runtime.companies import Companies, Company
from shared.runtime.postgres import Postgres, Transaction
from tests.stack import Database, sessions_of

NOW = datetime(2026, 3, 20, 10, tzinfo=UTC)
TENANT = "carvivo"
CARVIVO = read_company(PROJECT / "rulebooks" / TENANT)
AGENT = next(agent for agent in CARVIVO.directory.agents if agent.team is not None)
AWAY = Absence(
    id="a1", agent=AGENT.id, begins=NOW - timedelta(days=2), ends=NOW + timedelta(days=5)
)


class House:
    """What the worker needs of a service."""

    def __init__(self, postgres: Postgres, directory: Directory) -> None:
        self.postgres, self.directory = postgres, directory

    async def companies(self, _: Transaction) -> Companies:
        return Companies({TENANT: Company(CARVIVO.book, self.directory)})

    async def unit(
        self, fn: Callable[[Transaction], Awaitable[tuple[Any, Any]]], *, patience_s: float | None
    ) -> Any:
        async def work(tx: Transaction) -> Any:
            return (await fn(tx))[0]

        return await self.postgres.retried(work, patience_s)

    def worker(self) -> Absences:
        return Absences(self, b"key")  # type: ignore[arg-type]


@pytest.fixture
async def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(absences, "AT_ONCE", 7)
    async with sessions_of(database, "pipeline") as sessions:
        yield House(sessions, CARVIVO.directory.with_(AWAY))


def lead(number: int, **more: Any) -> Lead:
    id_ = derived_id("lead", str(number))
    pipeline = next(iter(CARVIVO.book.pipelines.values()))
    received = NOW - timedelta(days=9, minutes=number // 5)
    known = {
        "id": id_,
        "number": f"N{number}",
        "tenant": TENANT,
        "site": AGENT.site,
        "pipeline": pipeline.id,
        "contact": derived_id(id_, "contact"),
        "channel": "form",
        "source": "site",
        "received_at": received,
        "tie_break": number,
        "time": received,
        "stage": pipeline.stage[0].id,
        "owner": AGENT.id,
    }
    return Lead.model_validate(known | more)


async def noted(house: House, leads: Sequence[Lead]) -> None:
    """These are open when reminders says that the agent is away."""
    people = [Contact(id=each.contact, tenant=TENANT, leads=(each.id,)) for each in leads]
    data = AgentAbsent(agent=AGENT.id, since=AWAY.begins, until=AWAY.ends)
    said = Envelope(
        id=derived_id("absent"),
        source="/reminders",
        type=data.type,
        subject=agent_subject(TENANT, AGENT.id),
        time=NOW,
        tenant=TENANT,
        sequence=1,
        data=data,
    )
    handler = Handler(CARVIVO.book, house.directory, b"key", asyncio.Lock())
    async with house.postgres.transaction() as tx:
        await store.save(tx, World(), World.of(people, leads), ())
        assert await handler(tx, [said]) == []


async def asked(house: House) -> list[str]:
    """The numbers of the leads about which the manager is asked, in order."""
    rows = await house.postgres.pool.fetch("select topic, value from outbox order by id")
    events = [decode(row["value"]) for row in rows if row["topic"] == PIPELINE.name]
    about = [event.subject for event in events if isinstance(event.data, QuestionAsked)]
    rows = await house.postgres.pool.fetch("select id::text, number from lead")
    numbers = {row["id"]: row["number"] for row in rows}
    return [numbers[id_] for id_ in about]


async def finished(house: House, worker: Absences) -> None:
    """Until that worker finds nothing to do."""
    while await house.unit(worker._once, patience_s=10):
        pass


def oldest_first(many: int) -> list[str]:
    leads = sorted(map(lead, range(many)), key=lambda each: (each.received_at, each.tie_break))
    return [each.number for each in leads]


async def test_each_lead_of_somebody_away_is_asked_about_once_the_oldest_first(
    house: House,
) -> None:
    mine = [lead(number) for number in range(40)]
    others = [lead(40, owner="boss"), lead(41, status="lost", closed_at=NOW)]
    later = lead(42, received_at=NOW, assigned_at=NOW + timedelta(seconds=1))
    await noted(house, [*mine, *others, later])
    assert await house.worker().busy() == "absences"

    await house.unit(house.worker()._once, patience_s=10)
    assert await asked(house) == oldest_first(40)[:7]  # as if the process had died here
    await finished(house, house.worker())

    assert await asked(house) == oldest_first(40)
    assert await house.worker().busy() is None


async def test_several_replicas_tell_each_lead_once(house: House) -> None:
    await noted(house, [lead(number) for number in range(40)])

    await asyncio.gather(*(finished(house, house.worker()) for _ in range(4)))
    await finished(house, house.worker())

    assert Counter(await asked(house)) == dict.fromkeys(oldest_first(40), 1)


async def test_a_lead_that_cannot_be_judged_is_set_aside_and_stops_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await noted(house, [lead(number) for number in range(20)])
    bad = lead(5).id

    def stumbling(world: World, each: Envelope, *about: Any) -> Any:
        if each.subject == bad:
            raise ValueError("a rule that cannot be judged")
        return decide(world, each, *about)

    monkeypatch.setattr(absences, "decide", stumbling)
    await finished(house, house.worker())

    assert await asked(house) == [number for number in oldest_first(20) if number != "N5"]
    rows = await house.postgres.pool.fetch("select subject, why from quarantine")
    assert [tuple(row) for row in rows] == [(bad, "ValueError: a rule that cannot be judged")]


async def test_what_the_directory_does_not_say_yet_is_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await noted(house, [lead(number) for number in range(10)])

    def missing(*_: Any) -> Any:
        raise Unknown("team", "sales")

    with monkeypatch.context() as patched:
        patched.setattr(absences, "decide", missing)
        await finished(house, house.worker())
    assert await asked(house) == []
    assert await house.worker().busy() is None  # a clock that steps need not wait for it

    await finished(house, house.worker())
    assert await asked(house) == oldest_first(10)
