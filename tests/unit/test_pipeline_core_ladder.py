"""001-02 … 001-06: a missed call, four attempts, and the close, to the event."""

from __future__ import annotations

from shared.contract.due import Due
from shared.contract.envelope import Event
from shared.contract.pipeline import (
    AttemptLogged,
    DeadlineSet,
    LeadClosed,
    NoteAdded,
    TaskCreated,
    TaskPostponed,
)
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, Desk


def rule_of(data: Event) -> str | None:
    return data.because.rule if data.because else None


def test_a_missed_call_makes_a_lead_with_owner_task_deadline_and_a_word_to_the_owner() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)

    assert [(name, rule_of(e.data)) for name, e in zip(desk.names(), desk.events, strict=True)] == [
        ("LeadCreated", "001-01"),
        ("StageEntered", "001-18"),
        ("LeadAssigned", "house-01"),
        ("TaskCreated", "001-02"),
        ("DeadlineSet", "001-02"),
        ("NotificationRequested", "house-02"),
    ]
    task = desk.one(TaskCreated)
    assert (task.name, task.to, task.due) == (
        "call_back",
        lead.owner,
        Due(in_="2h", of="open_hours"),
    )
    deadline = desk.one(DeadlineSet)
    assert (deadline.name, deadline.kind, deadline.site) == (task.task, "task", "minsk")


def test_the_first_call_in_vain_is_noted_on_the_task_which_is_due_an_open_hour_later() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.no_answer(lead)

    assert desk.names() == ["AttemptLogged", "NoteAdded", "TaskPostponed", "DeadlineSet"]
    task = desk.task(lead, "call_back")
    note, postponed = desk.one(NoteAdded), desk.one(TaskPostponed)
    assert (note.text, note.task, rule_of(note)) == ("не поднял", task.id, "001-03")
    assert (postponed.task, postponed.due) == (task.id, Due(in_="1h", of="open_hours"))
    assert desk.lead(lead).deadlines[task.id].id == desk.envelope_of(DeadlineSet).id


def test_the_ladder_goes_an_hour_a_working_day_an_hour_and_then_closes() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    steps = []
    for hours in (1, 1, 24, 1):
        desk.wait(hours=hours)
        desk.no_answer(lead)
        steps += [(rule_of(p), p.due.in_, p.due.of) for p in desk.all(TaskPostponed)]

    assert steps == [
        ("001-03", "1h", "open_hours"),
        ("001-04", "1d", "working_days"),
        ("001-05", "1h", "open_hours"),
    ]
    assert desk.names() == [
        "AttemptLogged",
        "TaskCancelled",
        "DeadlineCleared",
        "NotificationWithdrawn",
        "StageEntered",
        "LeadClosed",
        "NotificationRequested",
        "TaskCreated",
        "NotificationRequested",
    ]
    closed = desk.one(LeadClosed)
    assert (closed.status, closed.reason, rule_of(closed)) == ("lost", "unreachable", "001-06")
    review = desk.one(TaskCreated)
    assert (review.name, review.to, rule_of(review)) == ("review_closing", "boss", "001-61")
    after = desk.lead(lead)
    assert (after.status, after.stage, dict(after.deadlines)) == ("lost", "refused", {})


def test_a_lead_with_an_email_closes_as_not_answering_instead_of_unreachable() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, IVAN_MAIL, channel="form")
    for hours in (1, 1, 24, 1):
        desk.wait(hours=hours)
        desk.no_answer(lead)

    assert desk.one(LeadClosed).reason == "no_answer"


def test_a_fourth_call_sooner_than_an_hour_after_the_third_is_logged_and_changes_nothing_else() -> (
    None
):
    desk = Desk()
    lead = desk.receive(IVAN)
    for _ in range(3):
        desk.wait(hours=1)
        desk.no_answer(lead)
    desk.wait(minutes=59)
    desk.no_answer(lead)

    assert desk.names() == ["AttemptLogged"]
    logged = desk.one(AttemptLogged)
    assert (logged.counted, rule_of(logged)) == (False, "001-05")
    desk.wait(minutes=1)
    desk.no_answer(lead)
    assert desk.one(AttemptLogged).counted
    assert desk.one(LeadClosed).reason == "unreachable"


def test_once_somebody_was_reached_the_ladder_stops() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.no_answer(lead)
    desk.act(lead, "log_contact", channel="call")
    for _ in range(4):
        desk.wait(hours=2)
        desk.no_answer(lead)
        assert desk.names() == ["AttemptLogged"]


def test_an_email_alone_is_answered_by_a_request_for_contact_data_repeated_the_next_day() -> None:
    desk = Desk()
    lead = desk.receive(IVAN_MAIL, channel="form")
    assert "TaskCreated" not in desk.names()
    deadline = desk.envelope_of(DeadlineSet)
    assert desk.lead(lead).deadlines["contact_data"].id == deadline.id
    requested = [n for n in desk.names() if n == "NotificationRequested"]
    assert len(requested) == 2
