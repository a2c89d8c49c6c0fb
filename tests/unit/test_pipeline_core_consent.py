"""Who does not want to be contacted is not: on no lead, by nobody, not by what is queued."""

from __future__ import annotations

from services.pipeline.core.action import ActionRequested, Block
from services.pipeline.core.contact import Contact
from shared.contract.intake import OptInReceived, OptOutReceived
from shared.contract.pipeline import (
    ActionRefused,
    ConsentGiven,
    ConsentRevoked,
    LeadBlocked,
    LeadUnblocked,
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


def stop(text: str = "STOP") -> OptOutReceived:
    return OptOutReceived(channel="sms", source="phone", points=(IVAN,), text=text)


def contact_of(desk: Desk, id_: str) -> Contact:
    return desk.world.contacts[id_]


def test_stop_revokes_its_channel_for_the_person_and_says_what_they_wrote() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)

    desk.put(stop())

    revoked = desk.one(ConsentRevoked)
    assert (revoked.channels, revoked.points, revoked.why, revoked.by) == (
        ("sms",),
        (IVAN,),
        "STOP",
        None,
    )
    assert desk.envelope_of(ConsentRevoked).subject == lead.id
    assert desk.one(NotificationWithdrawn).channel == "sms"
    assert desk.lead(lead).forbidden.keys() == {"sms"}


def test_stop_said_twice_is_said_once() -> None:
    desk = Desk()
    desk.receive(IVAN)
    desk.put(stop())

    assert desk.put(stop("Stop!")) == []


def test_stop_of_somebody_nobody_knows_waits_for_them_to_be_known() -> None:
    desk = Desk()
    desk.put(stop())
    revoked = desk.one(ConsentRevoked)
    assert desk.envelope_of(ConsentRevoked).subject == revoked.contact

    assert desk.put(stop()) == []
    lead = desk.receive(IVAN)

    assert lead.contact == revoked.contact
    assert desk.one(LeadBlocked).channels == ("sms",)


def test_start_gives_back_only_what_was_revoked() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    start = OptInReceived(
        channel="sms", channels=("sms", "email"), source="phone", points=(IVAN,), text="СТАРТ"
    )
    assert desk.put(start) == []
    desk.put(stop())

    desk.put(start)

    given = desk.one(ConsentGiven)
    assert (given.channels, given.why, given.by) == (("sms",), "СТАРТ", None)
    assert not desk.lead(lead).forbidden


def test_a_later_word_has_the_higher_revision_even_in_the_same_instant() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "block", channels=["all"], **{"for": "contact"})
    first = desk.one(ConsentRevoked).revision

    desk.act(lead, "unblock", "boss", channels=["all"], why="ошибка", **{"for": "contact"})
    second = desk.one(ConsentGiven).revision
    desk.act(lead, "block", channels=["all"], **{"for": "contact"})

    assert first < second < desk.one(ConsentRevoked).revision


def test_what_is_blocked_on_the_lead_itself_outlasts_the_persons_consent() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "block", channels=["all"], **{"for": "contact"})
    desk.act(lead, "block", channels=["call"])

    desk.act(lead, "unblock", "boss", channels=["all"], why="ошибка", **{"for": "contact"})
    assert desk.lead(lead).forbidden.keys() == {"call"}
    desk.act(lead, "unblock", "boss", channels=["call"], why="ошибка")

    assert desk.one(LeadUnblocked).channels == ("call",)
    assert not desk.lead(lead).forbidden


def test_nothing_is_lifted_where_nothing_is_blocked_and_every_reason_is_told() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)

    desk.act(lead, "unblock", channels=["sms"], why="ошибка")

    assert set(desk.refused()) == {("house-00", ("block",)), ("house-05", ("by",))}


def test_where_the_rulebook_names_nobody_nobody_lifts_a_block() -> None:
    desk = Desk()
    requires = tuple(each for each in desk.book.requires if each.to.action != "unblock")
    desk.book = desk.book.model_copy(update={"requires": requires})
    desk.book.__dict__.pop("_requires_by_action", None)
    lead = desk.receive(IVAN)
    desk.act(lead, "block", channels=["sms"])

    desk.act(lead, "unblock", "boss", channels=["sms"], why="ошибка")

    assert desk.refused() == [("house-00", ("by",))]


def test_what_two_people_said_counts_for_both_when_they_were_one_for_a_while() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.receive(IVAN_MAIL, channel="form")
    desk.put(stop())
    desk.act(lead, "set_fields", fields={"email": IVAN_MAIL.value})
    whole = contact_of(desk, desk.lead(lead).contact)
    assert whole.revoked.keys() == {"sms"}

    desk.act(lead, "unlink")

    assert all(each.revoked.keys() == {"sms"} for each in desk.world.contacts.values())
