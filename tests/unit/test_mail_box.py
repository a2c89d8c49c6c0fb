from email.message import EmailMessage
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from relance.stack.mail_behaviour import Behaviour, Fault
from relance.stack.mail_box import MailBox, read_message


@given(st.binary(max_size=400))
def test_no_bytes_can_break_the_reader(content: bytes) -> None:
    read_message(b"Subject: x\r\nContent-Type: " + content)
    read_message(content)


def test_text_and_html_of_a_usual_message_are_found() -> None:
    message = EmailMessage()
    message["Subject"] = "Счёт №5"
    message.set_content("Bonjour Élodie")
    message.add_alternative("<p>Bonjour</p>", subtype="html")
    headers, text, html = read_message(message.as_bytes())
    assert headers["Subject"] == "Счёт №5"
    assert (text.strip(), html.strip()) == ("Bonjour Élodie", "<p>Bonjour</p>")


def test_an_unknown_charset_is_shown_as_well_as_it_can_be() -> None:
    raw = b"Subject: x\r\nContent-Type: text/plain; charset=klingon\r\n\r\nabc \xff"
    assert read_message(raw)[1] == "abc \ufffd"


def test_a_reopened_box_holds_the_same_mail(tmp_path: Path) -> None:
    first = MailBox(tmp_path).add("a@x.example", ["b@x.example"], b"Subject: hi\r\n\r\ntext")
    assert MailBox(tmp_path).newest_first() == [first]


def test_a_fault_happens_as_often_as_asked() -> None:
    behaviour = Behaviour(reply="451", times=2)
    replies = [behaviour.next("data").reply for _ in range(3)]
    assert replies == ["451 as the test asked", "451 as the test asked", None]


def test_a_fault_of_one_stage_leaves_the_other_alone() -> None:
    assert Behaviour(reply="550 no", stage="recipient").next("data") == Fault()
