"""Rules that cannot both be right are found in the words alone; what only looks so is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from relance.check.contradiction import contradictions
from relance.cli_rulebook import all_rulebooks
from relance.simulation.company import read_company
from shared.domain.rulebook.loader import load
from shared.runtime import rulebook_folder

CARVIVO = next(folder for folder in all_rulebooks() if folder.name == "carvivo")
FILES = rulebook_folder.texts(CARVIVO)
STARTS = '\n[[rule]]\nid = "house-{}"\nsays = "x"\nwhen = {{ payment = "deposit" }}\n'
BINDS = '\n[[require]]\nid = "house-{}"\nsays = "x"\nto = {{ {} }}\n'


def rules(*said: str) -> str:
    return "".join(STARTS.format(20 + n) + each for n, each in enumerate(said))


def requires(*said: tuple[str, str]) -> str:
    return "".join(BINDS.format(20 + n, to) + need for n, (to, need) in enumerate(said))


def found(text: str) -> list[tuple[str, str]]:
    book = load({**FILES, "rulebook.toml": FILES["rulebook.toml"] + text})
    return [(each.where, each.says) for each in contradictions(book)]


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        (
            rules('do = [{ close = "won" }]', 'do = [{ move = "essai" }]'),
            "house-20 and house-21",
            "where the lead stands cannot be both",
        ),
        (
            rules(
                'do = [{ create_task = "ecrire", due = { in = "1h" } }]',
                'do = [{ create_task = "ecrire", due = { in = "2h" } }]',
            ),
            "house-20 and house-21",
            "the new task ecrire for owner cannot be both",
        ),
        (
            rules(
                'do = [{ set_fields = { projet = "achat" } }]',
                'do = [{ set_fields = { projet = "reprise" } }]',
            ),
            "house-20 and house-21",
            "the field projet cannot be both",
        ),
        (
            rules('do = [{ move = "essai" }, { close = "lost" }]'),
            "house-20",
            "it decides twice: where the lead stands cannot be both",
        ),
        (
            rules(
                'do = [{ create_task = "ecrire", due = { in = "1h" } }]',
                'do = [{ cancel_task = "all" }]',
            ),
            "house-20 and house-21",
            "the task ecrire is created and cancelled, the one right after the other",
        ),
        (
            rules('do = [{ create_task = "ecrire" }, { cancel_task = "ecrire" }]'),
            "house-20",
            "the task ecrire is created and cancelled, in one and the same rule",
        ),
        (
            rules('do = [{ set_deadline = "d", due = { in = "1h" } }, { clear_deadline = "all" }]'),
            "house-20",
            "the deadline d is set and cleared",
        ),
        (
            requires(
                ('close = "won"', 'need = [{ is = { channel = "form" } }]'),
                ('close = "any"', 'need = [{ is = { channel = "call" } }]'),
            ),
            "house-20 and house-21",
            "they can never both be met: channel cannot be two things at once",
        ),
    ],
)
def test_two_words_that_exclude_each_other_are_found(text: str, where: str, says: str) -> None:
    assert any(w == where and says in said for w, said in found(text))


@pytest.mark.parametrize(
    "text",
    [
        # What is owed is taken back first, and then something new is owed.
        rules('do = [{ cancel_task = "all" }, { create_task = "ecrire" }]'),
        # The later one looks whether anything is owed.
        rules(
            'do = [{ create_task = "ecrire", due = { in = "1h" } }]',
            'if = [{ not = { task = { name = "any" } } }]\n'
            'do = [{ create_task = "ecrire", due = { in = "2h" } }]',
        ),
        # The first takes the lead out of the stage that the other one asks for.
        rules(
            'if = [{ is = { stage = "nouveau" } }]\ndo = [{ move = "essai" }]',
            'if = [{ is = { stage = "nouveau" } }]\ndo = [{ move = "en_contact" }]',
        ),
        # The first fills the field that the other one wants empty.
        rules(
            'if = [{ not = { filled = "projet" } }]\n'
            'do = [{ set_fields = { projet = "achat" } }, { assign = "role:gestionnaire" }]',
            'if = [{ not = { filled = "projet" } }]\ndo = [{ assign = "team:site" }]',
        ),
        # Of two leads.
        rules('do = [{ close = "won", on = "linked" }]', 'do = [{ move = "essai" }]'),
        # Never asked together.
        requires(
            ('close = "won"', 'need = [{ is = { channel = "form" } }]'),
            ('close = "lost"', 'need = [{ is = { channel = "call" } }]'),
        ),
        requires(
            ('close = "lost", reason = "injoignable"', 'need = [{ is = { channel = "form" } }]'),
            ('close = "lost", reason = "hors_sujet"', 'need = [{ is = { channel = "call" } }]'),
        ),
        requires(
            (
                'close = "won"',
                'if = [{ is = { source = "site" } }]\nneed = [{ is = { channel = "form" } }]',
            ),
            (
                'close = "won"',
                'if = [{ is = { source = "courrier" } }]\nneed = [{ is = { channel = "call" } }]',
            ),
        ),
    ],
)
def test_what_only_looks_like_it_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("folder", all_rulebooks(), ids=lambda folder: folder.name)
def test_no_rulebook_contradicts_itself(folder: Path) -> None:
    assert list(contradictions(read_company(folder).book)) == []
