"""`messages.toml` and its folder: what is missing or too much is named with its file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.domain.rulebook.message import read_messages

MAIL = {
    "id": "hello",
    "to": "contact",
    "channels": ["email"],
    "purpose": "service",
    "policy": "at_most_once",
    "subject": "Hello",
}
TEXT = {"templates/hello.txt.liquid": "Hello"}


def document(**changed: object) -> dict[str, object]:
    return {"company": "Small", "template": [{**MAIL, **changed}]}


def test_a_template_has_its_texts_and_what_templates_share() -> None:
    folder = {**TEXT, "templates/hello.html.liquid": "<p>", "templates/_foot.html.liquid": "foot"}
    messages = read_messages(document(), folder)
    assert messages.templates["hello"].files == {"txt": "Hello", "html": "<p>"}
    assert messages.partials == {"foot.html": "foot"}
    assert messages.by_id("farewell") is None


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ({}, "so templates/hello.txt.liquid is expected"),
        ({**TEXT, "templates/bye.txt.liquid": ""}, "messages.toml has no template 'bye'"),
        ({**TEXT, "templates/hello.sms.liquid": ""}, "gives template 'hello' no channel 'sms'"),
        ({**TEXT, "templates/hello.md": ""}, "<template>.<sms|chat|txt|html>.liquid"),
    ],
)
def test_a_file_without_its_template_or_a_template_without_its_file_is_named(
    folder: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=r"templates/|messages\.toml") as raised:
        read_messages(document(), folder)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"subject": None}, "channel email and a subject belong together"),
        ({"channels": ["email", "email"]}, "a channel is named twice"),
        ({"purpose": "alert"}, "purpose service is for contacts"),
        ({"policy": "twice"}, "at_most_once"),
        ({"colour": "red"}, "colour"),
        ({"channels": []}, "channels"),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused(
    changed: dict[str, object], said: str
) -> None:
    with pytest.raises(ValidationError) as raised:
        read_messages(document(**changed), TEXT)
    assert said in str(raised.value)


def test_a_template_declared_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="'hello' is declared twice"):
        read_messages({"company": "Small", "template": [MAIL, MAIL]}, TEXT)
