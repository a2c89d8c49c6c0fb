"""Whatever agents do in whatever order: no crash, and what is refused changes nothing."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import uuid5

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.pipeline.core.contact import Contact
from services.pipeline.core.evolve import create, evolve
from services.pipeline.core.lead import Lead
from shared.contract.envelope import NAMESPACE, Envelope, derived_id
from shared.contract.pipeline import ActionRefused, DeadlineSet, LeadCreated, LeadLate
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, Desk, axelerator

STAGES = [stage.id for stage in axelerator().pipelines["sales"].stage]
TASKS = [*axelerator().tasks, "nonsense"]
TEXT = st.text(max_size=12)
CHANNELS = ["call", "sms", "email", "chat", "social", "form"]
DUE = st.sampled_from(
    [{"in": "1h"}, {"in": "1d", "of": "working_days"}, {"at": "09:00"}, {"on": "2026-03-09"}]
)


def action(act: str, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"act": st.just(act), **arguments})


ACTIONS = st.one_of(
    action(
        "set_fields",
        fields=st.dictionaries(
            st.sampled_from(["platform", "niche", "phone", "email", "name", "x"]),
            st.sampled_from(["amocrm", "8 029 123 45 67", "a@example.com", "ivan@example.com", ""]),
            min_size=1,
        ),
    ),
    action("note", text=TEXT),
    action(
        "log_attempt",
        code=st.sampled_from(["call", "email", "sms", "fax"]),
        outcome=st.sampled_from(["no_answer", "made", "eaten"]),
    ),
    action("log_contact", channel=st.sampled_from(CHANNELS)),
    action("move", to=st.sampled_from(STAGES), reason=st.sampled_from([None, "refused", "x"])),
    action(
        "close",
        status=st.sampled_from(["won", "lost", "invalid"]),
        reason=st.sampled_from([None, "spam", "no_answer"]),
    ),
    action("create_task", task=st.sampled_from(TASKS), due=DUE),
    action("postpone_task", task=st.sampled_from(TASKS), due=DUE, note=st.none() | TEXT),
    action("complete_task", task=st.sampled_from(TASKS)),
    action("assign", to=st.sampled_from(["anna", "boris", "boss", "x", "next_of team:sales"])),
)
STEPS = st.lists(st.tuples(ACTIONS, st.integers(0, 3000)), max_size=25)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_sequence_of_actions_breaks_a_lead_and_a_refusal_leaves_it_alone(
    steps: list[tuple[dict[str, Any], int]],
) -> None:
    desk = Desk()
    lead = desk.receive(IVAN, IVAN_MAIL, channel="form")
    story = list(desk.events)
    for arguments, minutes in steps:
        desk.wait(minutes=minutes)
        before = desk.world
        try:
            events = desk.act(lead, **arguments)
        except ValidationError:
            continue
        story += events
        if any(isinstance(event.data, ActionRefused) for event in events):
            assert len(events) == 1
            assert desk.world == before
        check(desk.lead(lead), desk.world.contacts[lead.contact])
    assert retold(story) == desk.lead(lead)


def check(lead: Lead, contact: Contact) -> None:
    """What must hold of every lead at any time."""
    assert lead.owner is not None
    watched = {deadline.name for deadline in lead.deadlines.values() if deadline.kind == "task"}
    assert watched <= {task.id for task in lead.open_tasks()}
    assert (lead.status == "open") == (lead.closed_at is None)
    if lead.closed_at is not None:
        assert watched == set()
        assert {task.name for task in lead.open_tasks()} <= {"review_closing"}
    assert lead.id in contact.leads


def retold(story: list[Envelope]) -> Lead:
    """The lead that its own events alone make."""
    first = story[0].data
    assert isinstance(first, LeadCreated)
    lead = create(story[0], first)
    for envelope in story[1:]:
        if not isinstance(envelope.data, ActionRefused):
            lead = evolve(lead, envelope)
    return lead


@settings(max_examples=30, deadline=None)
@given(STEPS, st.lists(st.integers(0, 99), max_size=10))
def test_a_firing_of_whatever_was_ever_set_counts_at_most_once_and_late_is_said_once(
    steps: list[tuple[dict[str, Any], int]], firings: list[int]
) -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    story = list(desk.events)
    for arguments, minutes in steps:
        desk.wait(minutes=minutes)
        with suppress(ValidationError):
            story += desk.act(lead, **arguments)
    armed = [event for event in story if isinstance(event.data, DeadlineSet)]
    counted = []
    for number in firings:
        deadline = armed[number % len(armed)]
        desk.wait(minutes=1)
        fired = desk.fire(lead, deadline)
        story += fired
        counted += [deadline.id] if fired else []
    assert len(set(counted)) == len(counted)
    assert sum(isinstance(event.data, LeadLate) for event in story) == (1 if counted else 0)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_the_same_story_told_twice_makes_the_same_events_with_the_same_ids(
    steps: list[tuple[dict[str, Any], int]],
) -> None:
    def told() -> list[Envelope]:
        desk = Desk()
        lead = desk.receive(IVAN)
        story = list(desk.events)
        for arguments, minutes in steps:
            desk.wait(minutes=minutes)
            try:
                story += desk.act(lead, **arguments)
            except ValidationError:
                continue
        return story

    once = told()
    assert told() == once
    assert len({event.id for event in once}) == len(once)
    armed = [event for event in once if isinstance(event.data, DeadlineSet)]
    assert len(armed) >= 1


@given(st.lists(st.text(max_size=20), max_size=4))
def test_a_derived_id_is_the_uuid5_of_its_parts(parts: list[str]) -> None:
    assert derived_id(*parts) == str(uuid5(NAMESPACE, "\x1f".join(parts)))
