"""Who got in touch: a new lead, a link, a reply; and whose contact point it is."""

from __future__ import annotations

import pytest

from services.pipeline.core.engine import handle, points_of, threads_of
from services.pipeline.core.lead import Lead
from shared.contract.intake import CallFacts, ContactPoint, LeadReceived, MailFacts
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import (
    ContactMade,
    FieldsSet,
    LeadAssigned,
    LeadCreated,
    LeadInvalidated,
    LeadLinked,
    LeadUnlinked,
    NoteAdded,
    ReplyReceived,
)
from shared.domain.directory import Directory, Unknown
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, Desk

OLGA_MAIL = ContactPoint(kind="email", value="olga@example.com")


def test_the_same_number_stays_on_the_open_lead_and_brings_no_second_task() -> None:
    desk = Desk()
    lead = desk.receive(IVAN)
    desk.receive(IVAN, IVAN_MAIL, channel="form")

    assert desk.names() == ["LeadLinked"]
    assert desk.events[0].subject == lead.id
    assert desk.one(LeadLinked).because is not None
    contact = desk.world.contacts[lead.contact]
    assert [point.value for point in contact.points] == [IVAN.value, IVAN_MAIL.value]


def test_after_the_close_the_same_person_gets_a_new_lead() -> None:
    desk = Desk()
    first = desk.receive(IVAN, name="Иван")
    desk.refuse(first)
    second = desk.receive(IVAN)

    assert second.id != first.id
    assert second.contact == first.contact
    assert second.name == "Иван"
    assert desk.world.contacts[first.contact].leads == (first.id, second.id)


def test_a_mail_in_a_known_thread_is_a_reply_whoever_writes_it() -> None:
    desk = Desk()
    lead = desk.receive(IVAN_MAIL, channel="email", mail=MailFacts(message_id="<1@example.com>"))
    answer = LeadReceived(
        channel="email",
        source="mail",
        site="minsk",
        points=(OLGA_MAIL,),
        text="ответ",
        mail=MailFacts(message_id="<2@example.com>", in_reply_to="<1@example.com>"),
    )
    desk.put(answer)

    assert desk.names() == ["ReplyReceived", "ContactMade", "DeadlineSet"]
    assert desk.events[0].subject == lead.id
    assert desk.one(ContactMade).direction == "inbound"
    assert threads_of(desk.envelope(answer)) == ("<1@example.com>", "1")


def test_an_answer_to_a_mail_that_we_sent_is_a_reply_too() -> None:
    desk = Desk()
    lead = desk.receive(IVAN_MAIL, channel="form")
    sent = NotificationSent(
        notification="0c1f3b7e-1042-5f5a-9a27-6d1c1f3b7e10",
        request="r1",
        to="contact",
        channel="email",
        template="request_contact_data",
        occasion="o",
        lead=lead.id,
        address=IVAN_MAIL.value,
        text="…",
        provider_id="2.0.0 OK queued",
    )
    desk.put(sent, lead.id)
    ours = f"<{sent.notification}@axelerator.example>"
    desk.receive(OLGA_MAIL, channel="email", mail=MailFacts(in_reply_to=ours))

    assert desk.one(ReplyReceived).channel == "email"
    assert "contact_data" not in desk.lead(lead).deadlines
    assert desk.task(lead, "write_back").name == "write_back"


def test_a_mail_to_the_mailbox_by_somebody_with_an_open_lead_is_a_reply() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, IVAN_MAIL, channel="form")
    desk.receive(IVAN_MAIL, channel="email", mail=MailFacts(message_id="<9@example.com>"))

    assert desk.names() == ["ReplyReceived", "ContactMade", "DeadlineSet"]
    assert desk.events[0].subject == lead.id


def test_the_same_input_makes_the_same_lead_and_only_once() -> None:
    desk, again = Desk(), Desk()
    assert desk.receive(IVAN).id == again.receive(IVAN).id
    assert [event.id for event in desk.events] == [event.id for event in again.events]
    repeated = again.events[0].causationid
    desk._inputs = 0
    envelope = desk.envelope(LeadReceived(channel="call", source="phone", site="minsk"))
    assert envelope.id == repeated
    assert handle(desk.world, envelope, desk.book, desk.directory)[1] == []


def test_the_same_form_sent_again_around_a_close_is_one_lead_and_tells_nobody_twice() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, channel="form", dedupe_key="k")
    desk.refuse(lead)
    desk.wait(minutes=9)
    before = desk.lead(lead)
    desk.receive(IVAN, channel="form", dedupe_key="k")

    assert desk.names() == ["LeadLinked"]
    assert desk.one(LeadLinked).repeats == before.received_at
    assert desk.lead(lead) == before.model_copy(update={"time": desk.now})
    desk.wait(minutes=1)
    assert desk.receive(IVAN, channel="form", dedupe_key="k").id != lead.id


def test_other_words_of_the_same_person_are_no_repeat() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, channel="form", dedupe_key="k")
    desk.receive(IVAN, channel="form", dedupe_key="other")
    assert desk.one(LeadLinked).repeats is None
    desk.receive(IVAN, channel="form", dedupe_key="other")
    assert desk.one(LeadLinked).repeats == desk.now
    assert set(desk.lead(lead).heard) == {"k", "other"}


def test_of_two_equal_forms_the_one_that_came_in_first_may_be_judged_last() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, channel="form", dedupe_key="k")
    desk.wait(seconds=-1)
    desk.receive(IVAN, channel="form", dedupe_key="k")
    assert (desk.names(), desk.events[0].subject) == (["LeadLinked"], lead.id)


def test_the_same_words_of_somebody_else_are_somebody_elses() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, channel="form", dedupe_key="k")
    assert desk.receive(IVAN_MAIL, channel="form", dedupe_key="k").id != lead.id


def test_the_same_words_of_nobody_who_can_be_known_are_a_lead_each_time() -> None:
    desk = Desk()
    lead = desk.receive(channel="form", dedupe_key="k")
    assert desk.receive(channel="form", dedupe_key="k").id != lead.id


def test_a_reply_without_an_id_sent_twice_is_one_reply() -> None:
    desk = Desk()
    desk.receive(IVAN_MAIL, channel="form")
    desk.receive(IVAN_MAIL, channel="email", mail=MailFacts(), dedupe_key="m")
    assert desk.names()[0] == "ReplyReceived"
    desk.receive(IVAN_MAIL, channel="email", mail=MailFacts(), dedupe_key="m")
    assert desk.names() == ["LeadLinked"]


def test_a_caller_who_hides_the_number_still_becomes_a_lead() -> None:
    desk = Desk()
    lead = desk.receive()
    assert desk.names()[0] == "LeadCreated"
    assert desk.receive().contact != lead.contact


def test_whoever_takes_the_call_has_spoken_and_keeps_the_lead() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, call=CallFacts(outcome="answered", answered_by="boris"))

    assert lead.owner == "boris"
    assert [assigned.owner for assigned in desk.all(LeadAssigned)] == ["boris"]
    assert desk.one(ContactMade).by == "boris"


def test_a_call_answered_by_somebody_who_left_is_no_reason_to_give_them_the_lead() -> None:
    desk = Desk()
    boris = desk.directory.agent("boris").model_copy(update={"withdrawn": True})
    desk.directory = desk.directory.with_(boris)
    lead = desk.receive(IVAN, call=CallFacts(outcome="answered", answered_by="boris"))

    assert lead.owner == "anna"
    assert desk.one(ContactMade).by is None


def test_a_phone_typed_by_an_agent_joins_the_contact_in_its_one_form() -> None:
    desk = Desk()
    lead = desk.receive(IVAN_MAIL, channel="email")
    desk.act(lead, "set_fields", fields={"phone": "8 029 123-45-67", "name": "Иван"})

    assert desk.one(FieldsSet).fields == {"phone": "+375291234567", "name": "Иван"}
    desk.receive(IVAN)
    assert desk.names() == ["LeadLinked"]
    assert desk.lead(lead).name == "Иван"


def test_a_point_that_somebody_else_has_makes_the_two_one_contact_with_one_open_lead() -> None:
    desk = Desk()
    mail = desk.receive(OLGA_MAIL, channel="email")
    desk.wait(minutes=1)
    call = desk.receive(IVAN)
    desk.act(call, "set_fields", fields={"email": "OLGA@example.com"})

    assert desk.lead(call).contact == mail.contact
    contact = desk.world.contacts[mail.contact]
    assert [point.value for point in contact.points] == [OLGA_MAIL.value, IVAN.value]
    assert contact.leads == (mail.id, call.id)
    assert desk.world.contacts[call.contact].points == ()
    assert set(desk.world.points.values()) == {contact.id}
    assert desk.one(LeadInvalidated).kept == mail.id
    assert [desk.lead(each).status for each in (mail, call)] == ["open", "invalid"]


def test_two_contacts_in_one_request_are_one_and_the_open_lead_keeps_it() -> None:
    desk = Desk()
    mail = desk.receive(OLGA_MAIL, channel="email")
    desk.wait(minutes=1)
    call = desk.receive(IVAN)
    desk.refuse(call)
    desk.receive(IVAN, OLGA_MAIL, channel="form")

    assert desk.names() == ["ContactMerged", "LeadLinked"]
    assert desk.envelope_of(LeadLinked).subject == mail.id
    assert desk.lead(call).contact == mail.contact
    assert desk.lead(call).status == "lost"


def test_a_merge_is_undone_and_each_has_their_points_and_their_open_lead_again() -> None:
    desk = Desk()
    mail = desk.receive(OLGA_MAIL, channel="email")
    desk.wait(minutes=1)
    call = desk.receive(IVAN)
    desk.act(call, "set_fields", fields={"email": "OLGA@example.com"})
    desk.act(mail, "unlink", by="boss")

    assert desk.one(LeadUnlinked).by == "boss"
    assert desk.lead(call).contact == call.contact
    assert desk.lead(call).is_open
    assert desk.lead(mail).contact == mail.contact
    assert desk.world.points == {
        ("email", OLGA_MAIL.value): mail.contact,
        ("phone", IVAN.value): call.contact,
    }
    leads = {id_: contact.leads for id_, contact in desk.world.contacts.items()}
    assert leads == {mail.contact: (mail.id,), call.contact: (call.id,)}
    desk.act(mail, "unlink", by="boss")
    assert desk.refused() == [("house-00", ("merged",))]


def test_a_double_named_by_an_agent_is_invalid_and_its_person_one_with_the_other() -> None:
    desk = Desk()
    kept = desk.receive(OLGA_MAIL, channel="email")
    desk.wait(minutes=1)
    double = desk.receive(IVAN)
    desk.act(double, "classify", outcome="spam", duplicate_of=kept.id)

    assert desk.one(LeadInvalidated).kept == kept.id
    assert desk.lead(double).status == "invalid"
    assert desk.lead(double).contact == kept.contact
    desk.act(kept, "classify", outcome="spam", duplicate_of=kept.id)
    assert desk.refused() == [("house-00", ("duplicate_of",))]


def test_a_field_the_rulebook_does_not_know_is_kept_as_a_note() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, channel="form", fields={"niche": "Мебель", "platform": "?", "x": "1"})

    assert desk.one(LeadCreated).fields == {"niche": "Мебель"}
    assert [note.text for note in desk.all(NoteAdded)] == ["Площадка: ?", "x: 1"]
    assert lead.fields == {"niche": "Мебель"}


def test_an_input_for_a_site_that_is_not_there_yet_waits() -> None:
    with pytest.raises(Unknown, match="site 'minsk'"):
        Desk(directory=Directory()).receive(IVAN)


def test_the_points_to_lock_are_those_received_or_typed() -> None:
    desk = Desk()
    received = LeadReceived(channel="call", source="phone", site="minsk", points=(IVAN,))
    assert points_of(desk.envelope(received), "BY") == (IVAN,)


def test_a_lead_and_a_contact_survive_storage_as_json() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, IVAN_MAIL, channel="form", name="Иван")
    desk.no_answer(lead)
    desk.act(lead, "log_contact", channel="call")
    state = desk.lead(lead)
    assert Lead.model_validate_json(state.model_dump_json()) == state
    contact = desk.world.contacts[lead.contact]
    assert type(contact).model_validate(contact.model_dump(mode="json")) == contact
