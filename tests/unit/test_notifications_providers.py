"""What a provider's answer means, and what goes out, without sending anything."""

from __future__ import annotations

from datetime import UTC, datetime
from email.header import decode_header, make_header

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.notifications.core.delivery import Accepted, NotTaken, Refused, Unclear
from services.notifications.core.message import Content
from services.notifications.providers.mail_headers import MAIL
from services.notifications.providers.provider import Letter
from services.notifications.providers.sandbox_page import page
from services.notifications.providers.sms import HttpSms
from services.notifications.providers.smtp import MailServer, Smtp, compose
from services.notifications.settings import NotificationsSettings
from shared.runtime.settings import WrongSetting

ID = "7c0b9a52-4f0e-5f5a-9a27-6d1c1f3b7e10"
NOON = datetime(2026, 3, 2, 9, tzinfo=UTC)


def letter(
    address: str = "ivan@x.example", subject: str = "Тема", html: str | None = None
) -> Letter:
    content = Content(address, "Текст\n", sender="Ромашка", subject=subject, html=html)
    return Letter(ID, content, NOON)


def provider(answer: httpx2.Response | Exception) -> HttpSms:
    def handle(request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    sms = HttpSms(lambda: "http://sms.example/v1", token=None, at_once=1, timeout_s=1)
    sms._client = httpx2.AsyncClient(transport=httpx2.MockTransport(handle))
    return sms


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (httpx2.Response(201, json={"id": 17}), Accepted("17")),
        (httpx2.Response(202, text="thanks"), Accepted(None)),
        (httpx2.Response(429), NotTaken),
        (httpx2.Response(401), NotTaken),
        (httpx2.Response(422), Refused),
        (httpx2.Response(502), Unclear),
        (httpx2.ConnectError("refused"), NotTaken),
        (httpx2.ConnectTimeout("slow"), NotTaken),
        (httpx2.ReadTimeout("no answer"), Unclear),
        (httpx2.RemoteProtocolError("cut"), Unclear),
    ],
)
async def test_only_what_was_certainly_not_taken_is_sent_again(
    answer: httpx2.Response | Exception, result: object
) -> None:
    sms = provider(answer)
    found = await sms.send(letter())
    await sms.close()
    assert found == result if isinstance(result, Accepted) else type(found) is result


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (httpx2.Response(200, json={"id": "p-1"}), Accepted("p-1")),
        (httpx2.Response(404), NotTaken("the provider does not have it")),
        (httpx2.Response(503), Unclear("the provider answers 503")),
    ],
)
async def test_a_provider_that_is_away_is_not_taken_for_one_that_has_nothing(
    answer: httpx2.Response, result: object
) -> None:
    sms = provider(answer)
    assert await sms.ask(ID) == result
    await sms.close()


def test_a_mail_says_who_we_are_when_it_is_and_that_a_machine_wrote_it() -> None:
    mail = compose(letter(html="<b>Текст</b>"), "crm@small.example")
    assert mail["Message-ID"] == f"<{ID}@small.example>"
    assert mail["From"] == "Ромашка <crm@small.example>"
    assert mail["Date"] == "Mon, 02 Mar 2026 09:00:00 +0000"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def head(mail: bytes) -> dict[str, str]:
    """The headers as they went over the wire, unfolded."""
    lines = mail.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n ", " ").split("\r\n")
    return dict(line.split(": ", 1) for line in lines)


WORDS = st.lists(st.text("abcЯж«»·–,", min_size=1, max_size=12), min_size=1, max_size=12)
LINE = WORDS.map(" ".join)


@given(subject=LINE, sender=LINE)
@example(
    subject="Новая заявка: +375 29 123-45-67 · Звонок", sender="ООО Ромашка, Smith & Sons, Минск"
)
def test_the_head_of_a_mail_is_read_as_it_was_written(subject: str, sender: str) -> None:
    content = Content("anna@x.example", "Текст", sender=sender, subject=subject)
    mail = compose(Letter(ID, content, NOON), "crm@small.example").as_bytes(policy=MAIL)
    read = {name: str(make_header(decode_header(value))) for name, value in head(mail).items()}
    assert read["Subject"] == subject
    assert read["From"] in (f"{sender} <crm@small.example>", f'"{sender}" <crm@small.example>')
    assert max(map(len, mail.split(b"\r\n"))) <= 78


def test_a_mail_leaves_no_class_behind() -> None:
    one, other = (compose(letter(subject=each), "crm@small.example") for each in ("Да", "Нет"))
    for name in ("From", "To", "Subject", "Date", "Message-ID", "Content-Type"):
        assert type(one[name]) is type(other[name])


@pytest.mark.parametrize(
    "wrong",
    [
        letter(address="no address"),
        letter(address="a@x.example\nBcc: b@x.example"),
        letter(subject="a\nBcc: b@x"),
    ],
)
async def test_a_mail_that_would_break_its_headers_is_refused_before_anything_is_said(
    wrong: Letter,
) -> None:
    nobody = MailServer("127.0.0.1", 1, "none", None, None, None, timeout_s=1)
    assert isinstance(await Smtp(nobody, "crm@small.example", 1).send(wrong), Refused)


async def test_a_mail_server_that_is_not_there_has_certainly_taken_nothing() -> None:
    nobody = MailServer("127.0.0.1", 1, "none", None, None, None, timeout_s=1)
    result = await Smtp(nobody, "crm@small.example", 1).send(letter())
    assert isinstance(result, NotTaken)
    assert result.why.startswith("the mail server cannot be used")


def test_the_sandbox_page_says_so_when_there_is_nothing() -> None:
    assert "No SMS yet" in page([])


def test_a_lease_shorter_than_a_call_may_take_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RELANCE_LEASE_S", "20")
    with pytest.raises(WrongSetting, match="at least three times RELANCE_PROVIDER_TIMEOUT_S"):
        NotificationsSettings.read()
