"""Invitations to appointments: what goes into the contact's calendar, and what comes back."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from icalendar import Calendar

from services.intake.formats import mail as mail_format
from services.intake.formats.payload import Payload
from services.notifications.core.invitation import calendar_of
from services.notifications.core.message import Content
from services.notifications.core.template import TemplateError
from services.notifications.providers.mail_headers import MAIL
from services.notifications.providers.provider import Letter
from services.notifications.providers.smtp import compose
from shared.contract.invitation import Invitation
from tests.unit.message_house import BOOK, DIRECTORY, at

APPOINTMENT = "7c0b9a52-4f0e-5f5a-9a27-6d1c1f3b7e10"
INVITATION = Invitation(
    method="request",
    appointment=APPOINTMENT,
    revision=2,
    starts_at=at("2026-03-26T10:00"),
    ends_at=at("2026-03-26T10:45"),
    place="Победителей, 1; вход со двора",
    host="anna",
)
GOOGLE = """BEGIN:VCALENDAR\r
PRODID:-//Google Inc//Google Calendar 70.9054//EN\r
VERSION:2.0\r
CALSCALE:GREGORIAN\r
METHOD:REPLY\r
BEGIN:VEVENT\r
DTSTART:20260326T070000Z\r
DTEND:20260326T074500Z\r
DTSTAMP:20260323T081500Z\r
ORGANIZER;CN=Anna:mailto:crm@small.example\r
UID:{uid}\r
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={said};CN=i\r
 van@x.example;X-NUM-GUESTS=0:mailto:ivan@x.example\r
SEQUENCE:2\r
STATUS:CONFIRMED\r
END:VEVENT\r
END:VCALENDAR\r
"""


def written(invitation: Invitation = INVITATION) -> str:
    return calendar_of(
        invitation,
        guest="ivan@x.example",
        title="Встреча",
        text="До встречи",
        site="minsk",
        now=at("2026-03-23T10:00"),
        book=BOOK,
        directory=DIRECTORY,
    )


def reply(calendar: str, subtype: str = "calendar") -> Payload:
    message = EmailMessage()
    message["From"] = "Иван <ivan@x.example>"
    message["Message-ID"] = "<reply-1@x.example>"
    message["Subject"] = "Accepted"
    message.set_content("Буду вовремя")
    message.add_alternative(calendar, subtype=subtype, params={"method": "REPLY"})
    return Payload("smtp", "message/rfc822", bytes(message), mail_from="ivan@x.example")


def test_the_calendar_says_who_meets_whom_when_and_where_and_which_change_this_is() -> None:
    calendar = Calendar.from_ical(written())
    (meeting,) = calendar.walk("VEVENT")

    assert (calendar["METHOD"], meeting["UID"], meeting["SEQUENCE"]) == ("REQUEST", APPOINTMENT, 2)
    assert meeting.decoded("DTSTART") == datetime(2026, 3, 26, 7, 0, tzinfo=UTC)
    assert meeting.decoded("DTEND") == datetime(2026, 3, 26, 7, 45, tzinfo=UTC)
    assert meeting["LOCATION"] == "Победителей, 1; вход со двора"
    assert meeting["ATTENDEE"] == "mailto:ivan@x.example"
    assert meeting["ORGANIZER"] == "mailto:anna@small.example"
    assert meeting["ORGANIZER"].params["CN"] == "Анна Соколова"


def test_an_invitation_that_nobody_could_answer_is_not_sent() -> None:
    with pytest.raises(TemplateError, match="nobody could take the answer"):
        written(INVITATION.model_copy(update={"host": None}))


def test_the_mail_shows_the_invitation_to_calendars_and_brings_it_as_a_file() -> None:
    content = Content(
        "ivan@x.example",
        "До встречи",
        sender="Ромашка",
        subject="Встреча",
        html="<p>До встречи</p>",
        calendar=written(),
        method="REQUEST",
    )
    raw = compose(Letter(APPOINTMENT, content, at("2026-03-23T10:00")), "crm@small.example")
    mail = email.message_from_bytes(raw.as_bytes(policy=MAIL), policy=email.policy.default)
    parts = {part.get_content_type(): part for part in mail.walk()}

    assert parts["text/calendar"].get_param("method") == "REQUEST"
    assert parts["application/ics"].get_filename() == "invitation.ics"
    assert Calendar.from_ical(parts["text/calendar"].get_content()).walk("VEVENT")
    assert "text/plain" in parts
    assert "text/html" in parts


@pytest.mark.parametrize(
    ("said", "answer"),
    [("ACCEPTED", "accepted"), ("DECLINED", "declined"), ("TENTATIVE", "tentative")],
)
def test_a_calendar_s_answer_is_read_with_what_was_written_to_it(said: str, answer: str) -> None:
    arrival = mail_format.read(reply(GOOGLE.format(uid=APPOINTMENT, said=said)))

    assert arrival.answer is not None
    assert (arrival.answer.appointment, arrival.answer.answer) == (APPOINTMENT, answer)
    assert arrival.answer.revision == 2
    assert (arrival.text or "").strip() == "Буду вовремя"


@pytest.mark.parametrize(
    "calendar",
    [
        GOOGLE.format(uid="not-ours@google.com", said="ACCEPTED"),
        GOOGLE.format(uid=APPOINTMENT, said="NEEDS-ACTION"),
        GOOGLE.format(uid=APPOINTMENT, said="ACCEPTED").replace("REPLY", "REQUEST"),
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n",
        "BEGIN:VEVENT\r\nUID",
        "\x00" * 10,
    ],
)
def test_any_other_calendar_is_a_mail_like_all_others(calendar: str) -> None:
    arrival = mail_format.read(reply(calendar))

    assert arrival.answer is None
    assert [typed.text for typed in arrival.emails] == ["ivan@x.example"]
