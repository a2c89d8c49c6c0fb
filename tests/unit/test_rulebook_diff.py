"""What changes between two rulebooks is told in words for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from relance.rulebook_diff import differences
from relance.rulebook_diff.differences import UNNOTICED
from relance.stack.home import PROJECT
from shared.domain.rulebook.declaration import Proof
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


BOOKS = [
    load(texts(PROJECT / "rulebooks" / name))
    for name in ("carvivo", "car_bdc", "pagesjaunes", "sales_academy", "axelerator")
]


def otherwise(value: Any) -> Any:
    """The value changed as little as may be."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return f"{value}x"
        case tuple():
            return value[:-1]
        case dict():
            return dict(list(value.items())[:-1])
        case None:
            return "x"
        case _:
            return None


def broken(part: Any) -> Iterator[tuple[tuple[type, str], Any]]:
    """(class and field, the same part with that field changed), for every field below it."""
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if value not in ((), {}) and not isinstance(value, BaseModel):
                yield (type(part), name), part.model_copy(update={name: otherwise(value)})
            for which, inner in broken(value):
                yield which, part.model_copy(update={name: inner})
    elif isinstance(part, tuple):
        for place, each in enumerate(part):
            for which, inner in broken(each):
                yield which, (*part[:place], inner, *part[place + 1 :])
    elif isinstance(part, dict):
        for key, each in part.items():
            for which, inner in broken(each):
                yield which, {**part, key: inner}


def test_nothing_that_changes_goes_untold() -> None:
    seen: set[tuple[type, str]] = set()
    untold = []
    for book in BOOKS:
        for which, changed_book in broken(book):
            if which in seen or which[1] in UNNOTICED or which[0] is Proof:
                continue
            seen.add(which)
            if not differences(book, changed_book):
                untold.append(f"{which[0].__name__}.{which[1]}")

    assert untold == []
    assert len(seen) > 150


def diff(name: str, file: str, before: str, after: str) -> list[str]:
    """What is told where that is changed in a file of one of our rulebooks."""
    files = texts(PROJECT / "rulebooks" / name)
    assert before in files[file]
    changed_files = {**files, file: files[file].replace(before, after, 1)}
    return differences(load(files), load(changed_files))


@pytest.mark.parametrize(
    ("name", "file", "before", "after", "told"),
    [
        (
            "carvivo",
            "messages.toml",
            'closed = "003-05"\n',
            "",
            "what holds messages back: closed is nothing instead of 003-05",
        ),
        (
            "carvivo",
            "messages.toml",
            'company = "Carvivo Contact"',
            'company = "Carvivo"',
            "company is Carvivo instead of Carvivo Contact",
        ),
        ("carvivo", "rulebook.toml", 'language = "fr"', 'language = "en"', "language is en instead"
         " of fr"),
        (
            "carvivo",
            "rulebook.toml",
            'if   = [ { filled = "phone" } ]',
            'if   = [ { filled = "phone" }, { is = { channel = "form" } } ]',
            "rule 003-04 applies only if also: channel is form",
        ),
        (
            "carvivo",
            "rulebook.toml",
            'do   = [ { withdraw = "owner_absent" } ]',
            'do   = [ { withdraw = "owner_absent" }, { create_task = "rappeler", '
            'due = { in = "2h", of = "open_hours" } } ]',
            "rule house-05 also: create task «Rappeler le client», to owner, due in 2 hours of "
            "open hours",
        ),
        (
            "carvivo",
            "rulebook.toml",
            '["late", "due_today", "no_open_task", "absent"]',
            '["late", "due_today"]',
            "digest «digest_manager»: sections: no longer no_open_task, absent",
        ),
        (
            "car_bdc",
            "rulebook.toml",
            'keep   = ["call", "email"]',
            'keep   = ["email", "call"]',
            "pipeline «Opportunité»: identity keep: in this order: email, call",
        ),
        (
            "sales_academy",
            "messages.toml",
            'from     = "20:00"',
            'from     = "19:00"',
            "quiet time (channels sms, from 20:00, until 08:00, days sun, rule house-05): "
            "from is 19:00 instead of 20:00",
        ),
    ],
)  # fmt: skip
def test_what_is_not_a_rule_is_told_as_well(
    name: str, file: str, before: str, after: str, told: str
) -> None:
    assert diff(name, file, before, after) == [told]


def test_rules_in_another_order_are_told() -> None:
    files = texts(PROJECT / "rulebooks" / "carvivo")
    head, one, two, *rest = files["rulebook.toml"].split("[[rule]]")
    swapped = "[[rule]]".join([head, two, one, *rest])

    (told,) = differences(load(files), load({**files, "rulebook.toml": swapped}))

    assert " is now looked at " in told
