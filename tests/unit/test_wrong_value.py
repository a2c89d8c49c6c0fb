"""What is wrong with a value is said in the words of the file, not of the language we write in."""

from __future__ import annotations

from pathlib import Path

import pytest

from relance.stack.home import PROJECT
from shared.domain.rulebook.loader import RulebookError, load

FOLDER = PROJECT / "rulebooks" / "carvivo"
RULE = '\n[[rule]]\nid = "house-09"\nsays = "x"\n'
CREATED = 'when = { lead_created = "vente" }\n'


def files() -> dict[str, str]:
    names = ("rulebook.toml", "messages.toml", "sources.toml")
    paths = [*(FOLDER / name for name in names), *(FOLDER / "templates").glob("*.liquid")]
    return {str(path.relative_to(FOLDER)): Path(path).read_text() for path in paths}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            RULE + 'when = { answered = "x", overdue = "any" }\ndo = [{ note = "x" }]',
            "rule house-09: when: 'answered' and 'overdue': one table says one word of `when`",
        ),
        (RULE + CREATED + 'do = { note = "x" }', "expected a list in brackets, [ … ]"),
        (RULE + CREATED + "do = []", "do: it is too short: write at least 1"),
        (
            RULE + CREATED + 'do = [{ create_task = "rappeler", due = "30m" }]',
            "due: '30m' is not expected here; expected a table in braces, { … }",
        ),
        (
            RULE + CREATED + 'do = [{ miss_appointment = "yes" }]',
            "miss_appointment: 'yes' is not expected here; expected true",
        ),
        ('[[task]]\nid = "Call Back"\nlabel = "x"', "'Call Back' is not an id of letters, digits"),
        (
            '[[digest]]\ntemplate = "digest_agent"\nto = "owner"\nat = "9:00"\nsections = ["late"]',
            "at: '9:00' is not a time of day such as 09:00",
        ),
        (
            '[[digest]]\ntemplate = "digest_agent"\nto = "owner"\nat = "09:00"\nsections = ["now"]',
            "sections[0]: 'now' is not expected here; expected 'due_today'",
        ),
    ],
)
def test_the_sentence_speaks_of_the_file(text: str, sentence: str) -> None:
    book = files()
    book["rulebook.toml"] += text

    with pytest.raises(RulebookError) as error:
        load(book)

    said = str(error.value)
    assert sentence in said
    assert not any(word in said for word in ("tuple", "literal", "pattern", "dict", "True", "^"))
