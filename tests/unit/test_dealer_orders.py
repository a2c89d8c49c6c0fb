"""The same facts about one person end in the same state, whatever order they arrive in (002)."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relance.simulation.company import Company, read_company
from relance.stack.home import PROJECT
from services.pipeline.core.action import ActionRequested
from services.pipeline.core.engine import handle
from services.pipeline.core.lead import Lead
from services.pipeline.core.world import World
from shared.contract.envelope import Envelope, Event, derived_id
from shared.contract.intake import CallFacts, ContactPoint, LeadReceived
from shared.contract.pipeline import LeadCreated, NoteAdded

PHONE = ContactPoint(kind="phone", value="+15145550142")
EMAIL = ContactPoint(kind="email", value="jo@example.com")
MONDAY = datetime(2026, 3, 2, 15, tzinfo=UTC)
CALL = CallFacts(outcome="answered", answered_by="anna")


def received(channel: Any, source: str, *points: ContactPoint, **more: Any) -> LeadReceived:
    return LeadReceived(channel=channel, source=source, site="montreal", points=points, **more)


FACTS = {
    "mail": received("email", "portal", EMAIL),
    "form": received("form", "site", PHONE, EMAIL),
    "call": received("call", "telephone", PHONE, call=CALL),
    "letter": received("form", "credsii", EMAIL, name="Jo Roy"),
}


@cache
def dealer() -> Company:
    return read_company(PROJECT / "rulebooks" / "car_bdc")


class Story:
    """One person's facts, as pipeline takes them up."""

    def __init__(self) -> None:
        self.world = World()
        self.facts: dict[str, str] = {}
        self.said: list[Envelope] = []

    def tell(self, fact: str, minute: int) -> None:
        self.put(FACTS[fact], fact, MONDAY + timedelta(minutes=minute))
        if fact == "call":  # asked for at the deposit, right after the call
            about = next((id_ for id_, told in self.facts.items() if told == "call"), None)
            if about is not None:
                asked = {"act": "set_fields", "fields": {"email": EMAIL.value}}
                data = ActionRequested.model_validate({"by": "anna", "action": asked})
                self.put(data, "typed", MONDAY + timedelta(minutes=minute), subject=about)

    def put(self, data: Event, id_: str, time: datetime, subject: str = "-") -> None:
        envelope = Envelope(
            id=derived_id("order", id_),
            source="/test",
            type=data.type,
            subject=subject,
            time=time,
            tenant="car_bdc",
            data=data,
        )
        self.world, said = handle(self.world, envelope, dealer().book, dealer().directory)
        self.said += said
        self.facts |= {e.subject: id_ for e in said if isinstance(e.data, LeadCreated)}

    def goes_on(self, lead: Lead) -> Lead:
        """The lead on which its work goes on, at the end of the chain."""
        return lead if lead.kept is None else self.goes_on(self.world.leads[lead.kept])

    def state(self) -> tuple[Any, ...]:
        """What people could tell apart: who has the client, what is known, what became of each."""
        leads = list(self.world.leads.values())
        open_ones = [lead for lead in leads if lead.is_open]
        (contact,) = {lead.contact for lead in leads}
        known = {point.value for point in self.world.contacts[contact].points}
        ends = {self.goes_on(lead).id for lead in leads} == {lead.id for lead in open_ones}
        statuses = {lead.status for lead in leads if not lead.is_open} - {"invalid"}
        return ([lead.owner for lead in open_ones], known, ends, statuses)


def told(order: Iterable[str], minutes: Sequence[int] = range(100)) -> Story:
    story = Story()
    for fact, minute in zip(order, minutes, strict=False):
        story.tell(fact, minute)
    return story


THE_END: tuple[Any, ...] = (["anna"], {PHONE.value, EMAIL.value}, True, set())


@pytest.mark.parametrize("order", [*itertools.permutations(["mail", "form", "call"])])
def test_mail_form_and_call_in_any_of_six_orders_leave_one_opp_with_the_agent_of_the_call(
    order: tuple[str, ...],
) -> None:
    assert told(order).state() == THE_END


@pytest.mark.parametrize("order", [*itertools.permutations(["mail", "letter", "call"])])
def test_while_nothing_names_both_points_the_phone_up_itself_is_kept_in_all_six_orders(
    order: tuple[str, ...],
) -> None:
    story = told(order)
    leads = {story.facts[id_]: lead for id_, lead in story.world.leads.items()}

    assert {fact: lead.status for fact, lead in leads.items()} == {
        "mail": "invalid",
        "letter": "invalid",
        "call": "open",
    }
    assert leads["call"].owner == "anna"
    assert {story.goes_on(lead).id for lead in leads.values()} == {leads["call"].id}
    notes = [e.data.text for e in story.said if isinstance(e.data, NoteAdded)]
    assert "OPP lead courriel invalide" in notes
    assert story.state() == THE_END


@settings(max_examples=80, deadline=None)
@given(
    st.permutations(["mail", "form", "call", "letter"]),
    st.lists(st.integers(0, 60), min_size=8, max_size=8),
    st.lists(st.sampled_from(sorted(FACTS)), max_size=4),
)
def test_repeats_and_facts_that_overtake_each_other_change_nothing_of_it(
    order: list[str], minutes: list[int], again: list[str]
) -> None:
    assert told([*order, *again], minutes).state() == THE_END
