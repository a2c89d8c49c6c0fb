"""Who does not want to be contacted is not: on no lead, by nobody, not by what is queued."""

from __future__ import annotations

from services.pipeline.core.action import ActionRequested, Block
from shared.contract.pipeline import (
    ActionRefused,
    ConsentRevoked,
    LeadBlocked,
    NotificationRequested,
    NotificationWithdrawn,
    TaskCancelled,
    TaskCreated,
)
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, Desk


def test_what_the_person_said_holds_for_a_point_that_is_learnt_later() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "block", channels=["all"], **{"for": "contact"})
    assert desk.one(ConsentRevoked).points == (IVAN,)

    desk.act(lead, "set_fields", fields={"email": IVAN_MAIL.value})

    assert desk.one(ConsentRevoked).points == (IVAN, IVAN_MAIL)


def test_calls_that_are_owed_and_messages_that_wait_are_taken_back() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    assert [task.name for task in desk.lead(lead).open_tasks()] == ["call_back"]

    desk.act(lead, "block", channels=["all"], **{"for": "contact"})

    assert desk.one(TaskCancelled).name == "call_back"
    withdrawn = desk.one(NotificationWithdrawn)
    assert (withdrawn.to, withdrawn.channel, withdrawn.why) == ("contact", None, "blocked")


def test_a_lead_that_may_not_be_called_may_still_be_written_to() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "set_fields", fields={"email": IVAN_MAIL.value})
    desk.act(lead, "block", channels=["call"])
    assert desk.one(LeadBlocked).channels == ("call",)

    desk.act(lead, "create_task", task="qualify")
    assert desk.refused() == [("house-00", ("block",))]
    desk.act(lead, "send", template="blank", text="Здравствуйте")

    assert desk.one(NotificationRequested).template == "blank"


def test_rules_leave_a_blocked_person_alone_and_every_later_lead_of_theirs() -> None:
    desk = Desk()
    first = desk.receive(IVAN)
    desk.act(first, "block", channels=["all"], **{"for": "contact"})
    desk.act(first, "close", status="invalid", reason="spam")
    desk.wait(days=1)

    second = desk.receive(IVAN)

    assert second != first
    assert desk.one(LeadBlocked).channels == ("call", "sms", "email", "chat", "social")
    assert not [event for event in desk.events if isinstance(event.data, TaskCreated)]


def test_blocking_twice_says_it_once() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    for _ in range(2):
        desk.act(lead, "block", channels=["sms"], **{"for": "contact"})

    assert not desk.events
    assert Block.model_validate({"channels": ["sms"], "for": "contact"}).for_ == "contact"
    assert not [e for e in desk.events if isinstance(e.data, ActionRefused | ActionRequested)]
