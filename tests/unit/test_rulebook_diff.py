"""What changes between two rulebooks is told in words for people."""

from __future__ import annotations

import pytest

from relance.rulebook_diff import differences
from relance.stack.home import PROJECT
from shared.domain.rulebook.loader import load
from shared.runtime.rulebook_folder import texts

FILES = texts(PROJECT / "rulebooks" / "axelerator")
OLD = load(FILES)


def changed(file: str, before: str, after: str) -> list[str]:
    assert before in FILES[file]
    return differences(OLD, load({**FILES, file: FILES[file].replace(before, after, 1)}))


def test_the_same_rulebook_changes_nothing() -> None:
    assert differences(OLD, load(FILES)) == []


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            '{ create_task = "qualify", due = { in = "30m", of = "open_hours" } }',
            '{ create_task = "qualify", due = { in = "45m", of = "open_hours" } }',
            "rule 001-23: «Связаться с клиентом – Провести квалификацию» within 45 instead of "
            "30 minutes of open hours",
        ),
        (
            'max     = "48h"\ndefault = "2h"',
            'max     = "48h"\ndefault = "4h"',
            "setting «Срок первого ответа»: default is 4 instead of 2 hours",
        ),
        (
            "  { attempts = { at_least = 4,",
            "  { attempts = { at_least = 5,",
            "rule 001-06 applies if attempts at least 5 instead of 4",
        ),
        ('label = "Квалифицирован"', 'label = "Оценён"', "stage «Оценён»: label is Оценён instead"
         " of Квалифицирован"),
    ],
)  # fmt: skip
def test_a_change_is_told_as_people_will_notice_it(before: str, after: str, told: str) -> None:
    assert changed("rulebook.toml", before, after) == [told]


def test_a_rule_that_comes_or_goes_is_told_by_its_number_and_sentence() -> None:
    rule = OLD.rules[0]
    text = f'[[rule]]\nid   = "{rule.id}"'
    start = FILES["rulebook.toml"].index(text)
    end = FILES["rulebook.toml"].index("[[rule]]", start + 5)
    poorer = load({**FILES, "rulebook.toml": FILES["rulebook.toml"].replace(
        FILES["rulebook.toml"][start:end], "", 1)})  # fmt: skip

    assert differences(OLD, poorer) == [f"rule {rule.id} no longer: {rule.says}"]
    assert differences(poorer, OLD) == [f"rule {rule.id} now also: {rule.says}"]


def test_a_message_that_is_worded_differently_is_named() -> None:
    name = "templates/overdue.sms.liquid"

    assert changed(name, "Просрочено", "Опоздали") == [
        "message «overdue» (SMS) is worded differently"
    ]
