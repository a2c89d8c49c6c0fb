import smtplib
import urllib.request
from collections.abc import Iterator

import pytest

from relance.stack.home import Home
from relance.stack.mail import Mail


@pytest.fixture(scope="module")
def running(home: Home) -> Iterator[Mail]:
    mail = Mail(home)
    mail.start()
    yield mail
    mail.stop()


@pytest.fixture
def mail(running: Mail) -> Mail:
    running.behave()
    running.clear()
    return running


def send(mail: Mail, subject: str = "Rappel", body: str = "Bonjour") -> None:
    text = f"From: Anna <anna@x.example>\r\nSubject: {subject}\r\n\r\n{body}"
    with smtplib.SMTP("127.0.0.1", mail.smtp_port, timeout=10) as client:
        client.sendmail("anna@x.example", ["ivan@x.example"], text)


def page(mail: Mail, path: str) -> str:
    with urllib.request.urlopen(mail.url + path, timeout=10) as answer:
        return str(answer.read().decode())


def test_mail_goes_in_by_smtp_and_is_seen_as_data_and_on_the_page(mail: Mail) -> None:
    send(mail, subject="Rappel <b>12</b>")
    (caught,) = mail.messages()
    assert (caught["from"], caught["to"]) == ("anna@x.example", ["ivan@x.example"])
    assert (caught["subject"], caught["text"].strip()) == ("Rappel <b>12</b>", "Bonjour")
    assert caught["headers"]["From"] == "Anna <anna@x.example>"
    assert "Rappel &lt;b&gt;12&lt;/b&gt;" in page(mail, "/")
    assert "Bonjour" in page(mail, f"/messages/{caught['id']}")
    assert page(mail, f"/messages/{caught['id']}/raw").startswith("From: Anna")


def test_mail_is_still_there_after_the_catcher_was_killed(mail: Mail) -> None:
    send(mail)
    mail.kill()
    mail.start()
    assert [caught["subject"] for caught in mail.messages()] == ["Rappel"]


def test_the_newest_mail_comes_first(mail: Mail) -> None:
    send(mail, subject="one")
    send(mail, subject="two")
    assert [caught["subject"] for caught in mail.messages()] == ["two", "one"]


def test_a_refusal_lasts_as_long_as_asked(mail: Mail) -> None:
    mail.behave(reply="451", times=1)
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        send(mail)
    send(mail)
    assert len(mail.messages()) == 1


def test_a_recipient_can_be_refused(mail: Mail) -> None:
    mail.behave(reply="550 No such user", stage="recipient")
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(mail)


@pytest.mark.parametrize("keep", [True, False])
def test_a_dropped_connection_leaves_the_sender_in_doubt(mail: Mail, keep: bool) -> None:
    mail.behave(drop_after_data=True, keep=keep, times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(mail)
    assert len(mail.messages()) == int(keep)
    send(mail)
    assert len(mail.messages()) == int(keep) + 1
