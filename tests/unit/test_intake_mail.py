"""Mail as it comes: in any charset, broken, hostile; and what is no mail of a person."""

import asyncio
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from services.intake.core.arrival import Arrival, Refusal
from services.intake.formats import mail
from services.intake.formats.html_text import text_of_html
from services.intake.formats.mail_process import MailReaders
from services.intake.formats.payload import Payload


def the_mail(raw: bytes, mail_from: str | None = "ivan@example.com") -> Payload:
    return Payload(
        "smtp", "message/rfc822", raw, mail_from=mail_from, mailbox="sales@axelerator.example"
    )


def read(raw: bytes, mail_from: str | None = "ivan@example.com") -> Arrival:
    return mail.read(the_mail(raw, mail_from))


def written(charset: str = "utf-8", transfer: str = "base64", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Иван Петров <ivan@example.com>"
    message["To"] = "sales@axelerator.example"
    message["Subject"] = "Нужен сайт"
    message["Message-ID"] = "<m1@example.com>"
    message.set_content("Здравствуйте!\nПозвоните.", charset=charset, cte=transfer)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return message.as_bytes()


@pytest.mark.parametrize(
    ("charset", "transfer"),
    [("utf-8", "8bit"), ("utf-8", "base64"), ("koi8-r", "quoted-printable"), ("cp1251", "base64")],
)
def test_a_mail_is_read_in_any_charset(charset: str, transfer: str) -> None:
    arrival = read(written(charset, transfer))
    assert (arrival.name, arrival.subject) == ("Иван Петров", "Нужен сайт")
    assert (arrival.text or "").strip() == "Здравствуйте!\nПозвоните."
    assert arrival.emails[0].text == "ivan@example.com"
    assert arrival.provider_id == "<m1@example.com>"


def test_a_mail_of_html_alone_is_read_as_a_person_sees_it() -> None:
    message = EmailMessage()
    message["From"] = "ivan@example.com"
    message.set_content(
        "<html><head><title>x</title><style>p{}</style></head><body><p>Добрый&nbsp;день</p>"
        "<script>alert(1)</script><table><tr><td>Тел</td><td>123</td></tr></table>",
        subtype="html",
    )
    assert read(message.as_bytes()).text == "Добрый день\n\nТел 123"


def test_a_thread_is_known_by_its_ids() -> None:
    arrival = read(written(In_Reply_To="<q1@relance>", References="<q0@relance> <q1@relance>"))
    assert arrival.mail is not None
    assert arrival.mail.in_reply_to == "<q1@relance>"
    assert arrival.mail.references == ("<q0@relance>", "<q1@relance>")
    assert arrival.mail.mailbox == "sales@axelerator.example"


def test_reply_to_is_the_person_where_a_portal_writes_for_them() -> None:
    assert read(written(Reply_To="Jo <jo@example.org>")).emails[0].text == "jo@example.org"


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"Auto_Submitted": "auto-replied"}, "automatic"),
        ({"X_Autoreply": "yes"}, "automatic"),
        ({"Precedence": "bulk"}, "bulk"),
        ({"List_Id": "<news.example.com>"}, "list"),
    ],
)
def test_machines_that_answer_are_no_leads(header: dict[str, str], why: str) -> None:
    assert why in (read(written(**header)).ignored or "")


def test_a_person_who_says_that_no_machine_wrote_is_a_lead() -> None:
    assert read(written(Auto_Submitted="no")).ignored is None


def test_a_bounce_is_no_lead() -> None:
    report = (
        b"From: MAILER-DAEMON@mx.example.com\r\nMessage-ID: <b1@mx>\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        b"--B\r\nContent-Type: text/plain\r\n\r\nNot delivered\r\n"
        b"--B\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        b"Final-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--B--\r\n"
    )
    assert "bounce" in (read(report).ignored or "")
    assert "empty return address" in (read(written(), mail_from="").ignored or "")


def test_a_mailbox_that_writes_to_itself_is_no_lead() -> None:
    raw = b"From: Sales <SALES@axelerator.example>\r\n\r\nx"
    assert "itself" in (read(raw).ignored or "")


@pytest.mark.parametrize(
    "broken",
    [
        b'From: "ivan@example.com" <\r\nSubject: x\r\n\r\nhello',
        b"From: =?bogus?Q?x?= <ivan@example.com>\r\nContent-Type: text/plain; charset=bogus"
        b"\r\n\r\nhello",
        b"From: ivan@example.com\r\nDate: Yesterday, 99 99\r\nContent-Type: ;;;\r\n\r\nhello",
        b"From: ivan@example.com\r\nContent-Type: multipart/mixed\r\n\r\nhello",
        b"\xff\xfe\r\nFrom: ivan@example.com\r\n\r\nhello",
    ],
)
def test_a_broken_mail_is_read_as_far_as_it_goes(broken: bytes) -> None:
    assert read(broken).emails[0].text == "ivan@example.com"


def test_a_mail_past_the_limits_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(Refusal, match="64 KB"):
        read(b"From: a@b.fr\r\nX: " + b"x" * 70_000 + b"\r\n\r\nhello")
    parts = b"".join(b"--B\r\n\r\nx\r\n" for _ in range(300))
    head = b"From: a@b.fr\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n"
    with pytest.raises(Refusal, match="200 parts"):
        read(head + parts + b"--B--\r\n")
    nested = b"From: a@b.fr\r\n"
    for level in range(30):
        nested += b"Content-Type: multipart/mixed; boundary=B%d\r\n\r\n--B%d\r\n" % (level, level)
    with pytest.raises(Refusal, match="nested deeper"):
        read(nested + b"\r\nx")


async def test_a_mail_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    readers = MailReaders(most=1, time_most_s=0.0)
    try:
        with pytest.raises(Refusal, match="longer than"):
            await readers.read(the_mail(written()))
        readers = MailReaders(most=1)
        arrivals = await asyncio.gather(*(readers.read(the_mail(written())) for _ in range(3)))
    finally:
        await readers.stop()
    assert [arrival.subject for arrival in arrivals] == ["Нужен сайт"] * 3


async def test_a_mail_is_not_refused_because_its_reader_starts_slowly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "python"
    slow.write_text(f'#!/bin/sh\nsleep 1.5\nexec {sys.executable} "$@"\n', encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    readers = MailReaders(most=1, time_most_s=1.0)
    try:
        arrival = await readers.read(the_mail(written()))
    finally:
        await readers.stop()
    assert arrival.subject == "Нужен сайт"


async def test_a_mail_in_hand_when_the_service_stops_is_given_back_and_not_refused() -> None:
    readers = MailReaders(most=1)
    await readers.read(the_mail(written()))  # there is a worker
    reading = asyncio.create_task(readers.read(the_mail(written() + b"a" * 4_000_000)))
    await asyncio.sleep(0)
    await readers.stop()
    with pytest.raises(OSError, match="the mail has not been read"):
        await reading
    with pytest.raises(OSError, match="no mail is read any more"):
        await readers.read(the_mail(written()))


def test_broken_html_gives_what_can_be_read_of_it() -> None:
    assert "дом" in text_of_html("<p>дом<![x[ <b")
    assert text_of_html("<div>" * 20_000 + "дом") == "дом"
