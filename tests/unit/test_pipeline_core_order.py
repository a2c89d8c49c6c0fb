"""The same inputs under other ids end the same way: no chance of an id decides who is kept, who
is next, or who is named first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relance.simulation.company import Company, read_company
from relance.stack.home import PROJECT
from services.pipeline.core.contact import Contact
from services.pipeline.core.digest import digest
from services.pipeline.core.engine import handle
from services.pipeline.core.judge import absences_of
from services.pipeline.core.lead import Lead, Task
from services.pipeline.core.order import by_urgency, oldest_first
from services.pipeline.core.queue import standing
from services.pipeline.core.world import World
from shared.contract.envelope import Envelope, Event, derived_id
from shared.contract.intake import ContactPoint, LeadReceived, MailFacts
from shared.contract.pipeline import LeadCreated, NotificationRequested
from shared.contract.reminders import AgentAbsent, DigestDue

NOW = datetime(2026, 3, 20, 8, tzinfo=UTC)
PHONE = ContactPoint(kind="phone", value="+15145550142")
EMAIL = ContactPoint(kind="email", value="jo@example.com")
OTHER = ContactPoint(kind="email", value="jo.roy@example.com")
IDS = st.text("abcdef", min_size=1, max_size=4)


@cache
def company(name: str) -> Company:
    return read_company(PROJECT / "rulebooks" / name)


def said(data: Event, id_: str, tenant: str, subject: str = "-") -> Envelope:
    return Envelope(
        id=derived_id(id_),
        source="/test",
        type=data.type,
        subject=subject,
        time=NOW,
        tenant=tenant,
        data=data,
    )


def form(*points: ContactPoint, **more: Any) -> LeadReceived:
    return LeadReceived(channel="form", source="site", site="montreal", points=points, **more)


FACTS = {
    "phone": form(PHONE, name="Jo"),
    "email": form(EMAIL, name="Jo Roy"),
    "other email": form(OTHER, name="J. Roy"),
    "all three": form(PHONE, EMAIL, OTHER, name="Jo Roy"),
    "again": form(PHONE, name="Jo", text="Call me"),
}


def outcome(salt: str, facts: Sequence[str]) -> list[tuple[Any, ...]]:
    """What became of one person's requests, all received at the same instant: of each whether it
    is open, which one is kept instead, and whose it was before all was one."""
    dealer, world = company("car_bdc"), World()
    made: dict[str, str] = {}
    for number, fact in enumerate(facts):
        envelope = said(FACTS[fact], f"{salt} {number}", "car_bdc")
        world, events = handle(world, envelope, dealer.book, dealer.directory)
        made |= {e.subject: f"{number}" for e in events if isinstance(e.data, LeadCreated)}
    (contact,) = {lead.contact for lead in world.leads.values()}
    joined = [merge.contact.points for merge in world.contacts[contact].merged]
    return [
        (number, world.leads[id_].status, made.get(world.leads[id_].kept or ""), joined)
        for id_, number in made.items()
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(IDS, min_size=2, max_size=5, unique=True))
def test_of_requests_of_one_instant_the_same_one_is_kept_under_any_ids(salts: list[str]) -> None:
    facts = ["phone", "email", "other email", "all three"]
    first, *others = (outcome(salt, facts) for salt in salts)
    assert [each[1] for each in first].count("open") == 1
    assert all(other == first for other in others)


def lead(salt: str, number: int, **more: Any) -> Lead:
    """One of many leads received at the same instant."""
    id_ = derived_id(salt, str(number))
    known: dict[str, Any] = {
        "id": id_,
        "number": f"N{number}",
        "tenant": "sales_academy",
        "site": "paris",
        "pipeline": "prospecting",
        "contact": derived_id(id_, "contact"),
        "channel": "form",
        "source": "affectations",
        "received_at": NOW - timedelta(days=9),
        "tie_break": (number * 37) % 101,
        "time": NOW - timedelta(days=9),
        "stage": "to_enter",
        "owner": "chloe",
    }
    return Lead.model_validate(known | more)


def numbers(leads: Sequence[Lead]) -> list[str]:
    return [each.number for each in leads]


def in_queue(salt: str) -> list[str]:
    academy = company("sales_academy")
    leads = [lead(salt, n, status="lost", closed_at=NOW - timedelta(days=8)) for n in range(20)]
    candidates = [(each, Contact(id=each.contact, tenant=each.tenant)) for each in leads]
    queue = academy.book.queues["calls"]
    book, directory = academy.book, academy.directory
    return numbers(standing(queue, candidates, "emma", book=book, directory=directory, now=NOW))


def in_digest(salt: str) -> list[str]:
    house = company("axelerator")
    agent = house.directory.agents_of("sales")[0]
    more = {"owner": agent.id, "site": agent.site, "pipeline": "sales", "stage": "new"}
    leads = [lead(salt, n, tenant="axelerator", **more) for n in range(20)]
    due = said(
        DigestDue(agent=agent.id, date=NOW.date(), due_at=NOW), "due", "axelerator", agent.id
    )
    (asked,) = digest(house.book, house.directory, due, leads)
    assert isinstance(asked.data, NotificationRequested)
    lines: Any = asked.data.values["no_open_task"]
    return [line["number"] for line in lines]


def in_absence(salt: str) -> list[str]:
    leads = {each.id: each for each in (lead(salt, n) for n in range(20))}
    absent = AgentAbsent(agent="chloe", since=NOW, until=NOW + timedelta(days=3))
    inputs = absences_of(said(absent, "absent", "sales_academy", "chloe"), leads.values())
    return [leads[each.subject].number for each in inputs]


def in_urgency(salt: str) -> list[str]:
    def owed(number: int) -> Task:
        return Task(id=f"t{number}", name="rp", title="RP", created_at=NOW, due_at=NOW)

    return numbers(by_urgency(lead(salt, n, tasks={f"t{n}": owed(n)}) for n in range(20)))


@pytest.mark.parametrize("told", [in_queue, in_digest, in_absence, in_urgency])
def test_leads_of_one_instant_stand_in_the_same_order_under_any_ids(told: Any) -> None:
    orders = {tuple(told(f"salt {n}")) for n in range(8)}
    assert orders == {tuple(numbers(oldest_first(lead("any", n) for n in range(20))))}


def test_what_a_lead_said_when_it_began_orders_it_under_any_id() -> None:
    def first(fact: str, salt: str) -> Lead:
        dealer = company("car_bdc")
        told = said(FACTS[fact], salt, "car_bdc")
        world, _ = handle(World(), told, dealer.book, dealer.directory)
        (made,) = world.leads.values()
        return made

    assert first("phone", "one").id != first("phone", "two").id
    assert first("phone", "one").tie_break == first("phone", "two").tie_break > 0
    assert first("phone", "one").tie_break != first("again", "one").tie_break


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_answer_to_a_mail_that_two_leads_have_goes_to_the_newer_one(order: Any) -> None:
    mail = MailFacts(message_id="<one@outside.example>")
    assert mail.message_id is not None
    older = lead("any", 1, mail_ids=(mail.message_id,))
    newer = lead("any", 2, mail_ids=(mail.message_id,), received_at=NOW)
    both = [older, newer]

    world = World.of(leads=[both[n] for n in order])

    assert world.threads == {mail.message_id: newer.id}
