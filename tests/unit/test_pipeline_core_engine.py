"""Firings judged, ownership, the cascade's limit, settings, and what a message speaks of."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.pipeline.core.engine import CASCADE_LIMIT, CascadeTooLong, handle, lead_of
from services.pipeline.core.world import UnknownLead
from shared.contract.directory import Site
from shared.contract.envelope import Envelope
from shared.contract.pipeline import (
    ActionRefused,
    DeadlineSet,
    LeadLate,
    NotificationRequested,
    NotificationWithdrawn,
    TaskCompleted,
)
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue
from shared.domain.rulebook.loader import load
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, MONDAY, Desk, company, files


def deadline_of(desk: Desk) -> Envelope:
    return desk.envelope_of(DeadlineSet)


def test_the_first_overdue_alert_makes_the_lead_late_once_and_tells_the_owner_each_time() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    armed = deadline_of(desk)
    desk.wait(hours=2)
    desk.fire(lead, armed)

    late = desk.one(LeadLate)
    assert (late.owner, late.because and late.because.rule) == (lead.owner, "003-11")
    told = desk.one(NotificationRequested)
    assert (told.to.id, told.template) == (lead.owner, "overdue")
    assert told.occasion == f"cause:{armed.id}"

    desk.act(lead, "postpone_task", task="call_back", due={"in": "1h"})
    again = deadline_of(desk)
    desk.wait(hours=1)
    desk.fire(lead, again)
    assert desk.names() == ["NotificationRequested"]


def test_what_is_overdue_with_an_agent_who_left_is_told_to_their_manager() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    armed = desk.envelope_of(DeadlineSet)
    left = desk.directory.agent(lead.owner or "").model_copy(update={"withdrawn": True})
    desk.directory = desk.directory.with_(left)
    desk.wait(hours=3)
    desk.fire(lead, armed)
    assert desk.one(NotificationRequested).to.id == "boss"


def test_a_firing_counts_only_while_its_own_deadline_is_held() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    first = deadline_of(desk)
    desk.no_answer(lead)
    second = deadline_of(desk)
    desk.wait(hours=2)

    assert desk.fire(lead, first) == []
    assert desk.lead(lead).late_at is None
    assert len(desk.fire(lead, second)) == 2
    assert desk.fire(lead, second) == []


def test_no_alert_for_a_task_that_is_done_or_a_lead_that_is_closed() -> None:
    desk = Desk()
    done = desk.receive(IVAN)
    armed = deadline_of(desk)
    desk.act(done, "complete_task", task="call_back", note="поговорили")
    assert desk.one(TaskCompleted).note == "поговорили"
    assert desk.fire(done, armed) == []

    closed = desk.receive(IVAN_MAIL, channel="email")
    armed = deadline_of(desk)
    desk.refuse(closed)
    assert desk.fire(closed, armed) == []
    assert desk.lead(closed).late_at is None


def test_a_named_deadline_runs_the_rules_of_its_name_and_is_then_gone() -> None:
    desk = Desk()
    lead = desk.receive(IVAN_MAIL, channel="form")
    armed = deadline_of(desk)
    reached = DeadlineReached(name="contact_data", deadline_set=armed.id, due_at=desk.now)
    desk.put(reached, lead.id)

    assert desk.names() == ["NotificationRequested", "TaskCreated", "DeadlineSet"]
    assert desk.one(NotificationRequested).template == "request_contact_data"
    assert "contact_data" not in desk.lead(lead).deadlines
    assert desk.put(reached, lead.id) == []


def test_the_planned_instant_is_kept_with_the_task_it_belongs_to() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    armed = deadline_of(desk)
    data = armed.data
    assert isinstance(data, DeadlineSet)
    due_at = MONDAY + timedelta(hours=2)
    planned = DeadlinePlanned(name=data.name, deadline_set=armed.id, due_at=due_at)
    assert desk.put(planned, lead.id) == []
    assert desk.task(lead, "call_back").due_at == due_at

    desk.no_answer(lead)
    desk.put(planned, lead.id)
    assert desk.task(lead, "call_back").due_at is None


def test_an_event_of_a_lead_that_is_not_there_yet_waits() -> None:
    desk = Desk()
    fired = LeadOverdue(name="x", deadline_set="y", due_at=MONDAY)
    with pytest.raises(UnknownLead, match="lead z is not known"):
        desk.put(fired, "z")
    assert lead_of(desk.envelope(fired, "z")) == "z"


def test_a_new_owner_is_told_the_former_one_no_more_and_open_tasks_go_along() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    former = lead.owner
    other = "boris" if former == "anna" else "anna"
    desk.act(lead, "assign", to=other, by="boss")

    assert desk.names() == ["NotificationWithdrawn", "LeadAssigned", "NotificationRequested"]
    assert desk.one(NotificationWithdrawn).to == former
    assert desk.one(NotificationRequested).to.id == other
    assert desk.task(lead, "call_back").to == other
    assert desk.act(lead, "assign", to=other, by="boss") == []


def test_the_next_owner_of_a_team_is_never_an_earlier_one_while_others_are_left() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "assign", to="next_of team:sales", by="boss")
    assert {desk.lead(lead).owner, lead.owner} == {"anna", "boris"}


def test_leads_are_shared_out_over_the_team() -> None:
    desk = Desk()
    owners = [desk.receive().owner for _ in range(60)]
    assert 15 < owners.count("anna") < 45
    assert set(owners) == {"anna", "boris"}


def test_time_never_runs_back_for_a_lead() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.wait(hours=-1)
    (noted,) = desk.act(lead, "note", text="…")
    assert noted.time == MONDAY


def test_rules_that_start_each_other_without_end_are_stopped() -> None:
    loop = """
[[rule]]
id   = "house-98"
says = "туда"
when = { stage_entered = "offer_sent" }
do   = [ { move = "two_attempts" } ]

[[rule]]
id   = "house-99"
says = "и обратно"
when = { stage_entered = "two_attempts" }
do   = [ { move = "offer_sent" } ]

[[rule]]
id   = "house-97"
says = "начало"
when = { contact_made = "sms" }
do   = [ { move = "offer_sent" } ]
"""
    desk = Desk(load({**files(), "rulebook.toml": files()["rulebook.toml"] + loop}))
    lead = desk.receive(IVAN)
    with pytest.raises(CascadeTooLong, match=f"more than {CASCADE_LIMIT} rules ran"):
        desk.act(lead, "log_contact", channel="sms")


def test_the_site_chooses_its_first_response_and_never_beyond_the_range() -> None:
    def first_response(value: str) -> str | None:
        site = company().site("minsk")
        chosen = Site(**{**site.model_dump(), "settings": {"first_response": value}})
        desk = Desk(directory=company().with_(chosen))
        lead = desk.receive(IVAN)
        due = desk.task(lead, "call_back").due
        return due.in_ if due else None

    assert [first_response(v) for v in ("4h", "49h", "30m", "soon")] == ["4h", "48h", "1h", "2h"]


def test_what_the_owner_reads_names_who_from_where_with_which_words() -> None:
    desk = Desk()
    desk.receive(IVAN, IVAN_MAIL, channel="form", name="Иван", text="Нужен аудит")
    lead = desk.one(NotificationRequested).values["lead"]
    assert isinstance(lead, dict)
    assert (lead["name"], lead["phone"], lead["email"], lead["text"]) == (
        "Иван",
        IVAN.value,
        IVAN_MAIL.value,
        "Нужен аудит",
    )
    assert (lead["source"], lead["stage"]) == ("Форма на нашем сайте", "Новая заявка")


def test_the_welcome_goes_to_the_contact_with_every_known_address_once_per_lead() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, IVAN_MAIL, channel="form", tags=("amoCRM",))
    desk.act(lead, "set_fields", fields={"platform": "amocrm"})
    desk.act(lead, "move", to="in_work")
    welcome = desk.one(NotificationRequested)
    assert (welcome.template, welcome.to.kind) == ("welcome", "contact")
    assert welcome.to.points == (IVAN, IVAN_MAIL)
    assert (welcome.to.zone, welcome.to.language) == ("Europe/Minsk", "ru")
    assert welcome.occasion == f"lead:{lead.id}"


def test_an_event_pipeline_does_not_read_makes_nothing() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    world = desk.world
    assert handle(world, desk.events[0], desk.book, desk.directory) == (world, [])
    assert lead.number == desk.lead(lead).number


def test_somebody_who_gets_in_touch_again_is_never_left_without_a_next_step() -> None:
    desk = Desk()
    caller = desk.receive(IVAN)
    desk.act(caller, "complete_task", task="call_back")
    desk.receive(IVAN)
    assert desk.task(caller, "call_back").to == caller.owner

    writer = desk.receive(IVAN_MAIL, channel="form")
    desk.receive(IVAN_MAIL, channel="form")
    assert desk.task(writer, "write_back").to == writer.owner


def test_an_email_only_lead_has_a_next_step_when_there_is_nothing_left_to_ask_for() -> None:
    for act, arguments in (
        ("set_fields", {"fields": {"phone": IVAN.value}}),
        ("log_contact", {"channel": "email"}),
    ):
        desk = Desk()
        lead = desk.receive(IVAN_MAIL, channel="form")
        asked = desk.envelope_of(DeadlineSet)
        desk.act(lead, act, **arguments)
        desk.wait(days=1)
        fired = DeadlineReached(name="contact_data", deadline_set=asked.id, due_at=desk.now)
        desk.put(fired, lead.id)
        assert desk.task(lead, "write_back").to == lead.owner


@pytest.mark.parametrize(
    ("act", "due", "missing"),
    [
        ("create_task", {"in": "1y"}, ("due",)),
        ("create_task", {"in": "first_respons"}, ("due",)),
        ("create_task", {"before": "soon", "from": "received"}, ("due",)),
        ("create_task", {"on": "nothing_of_that_name"}, ("field",)),
        ("postpone_task", {"in": "1y"}, ("due",)),
        ("postpone_task", {"in": "first_response", "of": "working_days"}, ("due",)),
    ],
)
def test_a_due_time_that_nobody_can_count_is_refused_and_not_lost(
    act: str, due: dict[str, str], missing: tuple[str, ...]
) -> None:
    """Before, reminders set such a deadline aside, and nobody was told of it."""
    desk = Desk()
    lead = desk.receive(IVAN)

    (refusal,) = desk.act(lead, act, task="call_back", due=due)

    assert isinstance(refusal.data, ActionRefused)
    assert [need.missing for need in refusal.data.needs] == [missing]
