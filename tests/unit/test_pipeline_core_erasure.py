"""A person is forgotten on all their leads, once, by whom the rulebook lets; their no is not."""

from __future__ import annotations

from typing import Any

from services.pipeline.core.contact import Contact
from shared.contract.intake import LeadReceived, MailFacts
from shared.contract.pipeline import (
    ConsentRevoked,
    ContactErased,
    ContactMerged,
    LeadBlocked,
    LeadClosed,
    LeadCreated,
    LeadErased,
    NotificationRequested,
    TaskCreated,
)
from shared.domain.rulebook.rule import Requirement
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, Desk, axelerator


def _desk_with(*more: dict[str, Any]) -> Desk:
    """The shipped rulebook with more requirements."""
    book = axelerator()
    requires = tuple(Requirement.model_validate(each) for each in more)
    own = book.model_copy(update={"requires": (*book.requires, *requires)})
    own.__dict__.pop("_requires_by_action", None)
    return Desk(own)


def _words(desk: Desk) -> str:
    """Everything that the world knows."""
    everything = [*desk.world.leads.values(), *desk.world.contacts.values()]
    told = "".join(each.model_dump_json() for each in everything)
    return told + str(desk.world.points) + str(desk.world.threads)


def test_nothing_is_known_of_who_it_was_and_the_lead_is_closed() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, name="Иван Петров", text="перезвоните")
    desk.act(lead, "set_fields", fields={"email": IVAN_MAIL.value, "company": "Петров и К"})
    desk.act(lead, "note", text="Петров спешит")
    desk.act(lead, "attach", kind="call_recording", name="Петров.mp3")

    desk.act(lead, "erase_contact", "boss")

    for word in ("Петров", IVAN.value, IVAN_MAIL.value, "перезвоните"):
        assert word not in _words(desk)
    assert desk.lead(lead).status == "invalid"
    assert desk.lead(lead).stage_entered_at is not None
    erased = desk.one(ContactErased)
    assert (erased.leads, erased.by, erased.not_by) == ((lead.id,), "boss", ())
    assert desk.envelope_of(ContactErased).subject == lead.contact
    assert desk.one(LeadErased).by == "boss"


def test_it_starts_no_rule_and_asks_for_no_message() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)

    desk.act(lead, "erase_contact", "boss")

    assert desk.all(LeadClosed)
    assert not desk.all(NotificationRequested)
    assert not desk.all(TaskCreated)


def test_again_it_is_nothing() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "erase_contact", "boss")
    before = desk.world

    assert desk.act(lead, "erase_contact", "boss") == []
    assert desk.world.leads == before.leads


def test_only_a_manager_forgets_somebody() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)

    desk.act(lead, "erase_contact")

    assert desk.refused() == [("house-05", ("by",))]
    assert desk.lead(lead).points == (IVAN,)


def test_every_reason_of_any_of_their_leads_is_told_at_once() -> None:
    desk = _desk_with(
        {
            "id": "house-90",
            "says": "Пока есть встреча, данные нужны",
            "to": {"erase_contact": "any"},
            "need": [{"not": {"is": {"appointment": "booked"}}}],
        },
        {
            "id": "house-91",
            "says": "Пока договор не закрыт, данные нужны",
            "to": {"erase_contact": "any"},
            "need": [{"not": {"is": {"payment": "deposit"}}}],
        },
    )
    first = desk.receive(IVAN)
    desk.act(first, "confirm_payment", kind="deposit")
    desk.act(first, "close", status="invalid", reason="spam")
    second = desk.receive(IVAN)
    assert second.id != first.id
    desk.act(second, "book", start="2026-03-05T10:00")

    desk.act(second, "erase_contact")

    assert {rule for rule, _ in desk.refused()} == {"house-05", "house-90", "house-91"}
    assert desk.lead(first).points == (IVAN,)


def test_who_was_merged_into_them_is_forgotten_too_and_cannot_be_parted_again() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, name="Иван Петров")
    other = desk.receive(IVAN_MAIL, channel="form", name="Ваня Петров")
    desk.act(lead, "set_fields", fields={"email": IVAN_MAIL.value})
    assert desk.all(ContactMerged)

    desk.act(lead, "erase_contact", "boss")

    assert "Петров" not in _words(desk)
    assert set(desk.one(ContactErased).leads) == {lead.id, other.id}
    desk.act(lead, "unlink", "boss")
    assert ("house-00", ("erased",)) in desk.refused()


def test_an_objection_outlives_them_for_each_point_they_had() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "set_fields", fields={"email": IVAN_MAIL.value})
    desk.act(lead, "block", channels=["email"], **{"for": "contact"})
    desk.act(lead, "erase_contact", "boss")
    assert desk.one(ContactErased).not_by == ("email",)

    new = desk.receive(IVAN_MAIL, channel="form")

    assert new.contact != lead.contact
    assert desk.one(ConsentRevoked).points == (IVAN_MAIL,)
    assert desk.one(LeadBlocked).channels == ("email",)


def test_an_objection_is_found_when_the_point_is_learnt_later() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "block", channels=["call"], **{"for": "contact"})
    desk.act(lead, "erase_contact", "boss")
    new = desk.receive(IVAN_MAIL, channel="form")
    assert not desk.lead(new).forbidden

    desk.act(new, "set_fields", fields={"phone": IVAN.value})

    assert desk.one(LeadBlocked).channels == ("call",)


def test_who_gave_consent_again_before_is_free_afterwards() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.act(lead, "block", channels=["call"], **{"for": "contact"})
    desk.act(lead, "unblock", "boss", channels=["call"], why="сам попросил", **{"for": "contact"})
    desk.act(lead, "erase_contact", "boss")

    new = desk.receive(IVAN)

    assert not desk.lead(new).forbidden


def test_a_late_reply_in_the_old_thread_is_somebody_new() -> None:
    desk = Desk()
    lead = desk.receive(IVAN_MAIL, channel="email", mail=MailFacts(message_id="<m-1@example.com>"))
    desk.act(lead, "erase_contact", "boss")

    desk.put(
        LeadReceived(
            channel="email",
            source="mail",
            site="minsk",
            points=(IVAN_MAIL,),
            text="а мой вопрос?",
            mail=MailFacts(message_id="<m-2@example.com>", in_reply_to="<m-1@example.com>"),
        )
    )

    created = desk.envelope_of(LeadCreated)
    assert created.subject != lead.id
    assert desk.lead(lead).text is None


def test_a_contact_that_was_never_known_by_name_is_erased_like_any_other() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    before = desk.world.contacts[lead.contact]
    desk.act(lead, "erase_contact", "boss")

    after = desk.world.contacts[lead.contact]
    assert after == Contact(
        id=before.id, tenant=before.tenant, leads=(lead.id,), erased_at=desk.now
    )
