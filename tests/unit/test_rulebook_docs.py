"""The language's page and schemas are what the models say; every example is really said."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from relance import rulebook_page, rulebook_schema
from relance.stack.home import PROJECT
from shared.domain.rulebook.condition import CONDITIONS
from shared.domain.rulebook.effect import EFFECTS
from shared.domain.rulebook.trigger import TRIGGERS

FILES = sorted(
    file
    for name in rulebook_schema.documents()
    for file in PROJECT.glob(f"rulebooks/*/{name.removesuffix('json')}toml")
)
EXAMPLE = re.compile(r"```toml\n# (\S+)(?: (\S+))?\n(.*?)\n```\n\n", re.DOTALL)
RUN_DOCS = "run `relance docs` and commit docs/rulebook.md and rulebooks/schema"


def test_the_page_says_what_the_models_say() -> None:
    """Apart from its examples: another one is as good as long as it is really said."""
    published = EXAMPLE.sub("", rulebook_page.PAGE.read_text(encoding="utf-8"))

    assert published == EXAMPLE.sub("", rulebook_page.page()), RUN_DOCS


def test_every_word_is_on_the_page() -> None:
    page = rulebook_page.page()

    for word in (*TRIGGERS, *CONDITIONS, *EFFECTS):
        assert f"### `{word}`" in page


def test_every_example_on_the_page_is_said_by_a_rulebook() -> None:
    examples = EXAMPLE.findall(rulebook_page.PAGE.read_text(encoding="utf-8"))

    assert len(examples) > 40
    for book, rule, text in examples:
        assert _is_said(book, rule, tomllib.loads(text)), f"{book} {rule}: {text}\n{RUN_DOCS}"


def _is_said(book: str, rule: str, example: dict[str, Any]) -> bool:
    ((key, value),) = example.items()
    for file in PROJECT.glob(f"rulebooks/{book}/*.toml"):
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        entries = [*tables.get("rule", ()), *tables.get("require", ())]
        for entry in [e for e in entries if rule and e["id"] == rule]:
            said = entry.get(key)
            if said == value or (isinstance(value, list) and all(v in (said or ()) for v in value)):
                return True
        if not rule and key in tables:
            found = tables[key] if isinstance(tables[key], list) else [tables[key]]
            wanted = value[0] if isinstance(value, list) else value
            if any(wanted.items() <= table.items() for table in found):
                return True
    return False


@pytest.mark.parametrize("name", rulebook_schema.documents())
def test_the_published_schema_is_that_of_the_models(name: str) -> None:
    published = (rulebook_schema.FOLDER / name).read_text(encoding="utf-8")

    assert published == rulebook_schema.documents()[name], RUN_DOCS


def problems(file: Path, text: str) -> list[str]:
    schema = json.loads(rulebook_schema.documents()[f"{file.stem}.json"])
    value = json.loads(json.dumps(tomllib.loads(text), default=lambda date: date.isoformat()))
    return [error.message for error in Draft7Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_every_file_of_every_rulebook_passes_its_schema(file: Path) -> None:
    assert problems(file, file.read_text(encoding="utf-8")) == []


TYPOS = [
    ("rulebook.toml", '[[rule]]\nid   = "001-23"\nsays', '[[rule]]\nid   = "001-23"\nsay'),
    ("rulebook.toml", 'create_task = "qualify", due', 'create_task = "qualify", duee'),
    ("rulebook.toml", 'of = "open_hours"', 'of = "opened_hours"'),
    ("rulebook.toml", "exactly = 1", 'exactly = "one"'),
    ("rulebook.toml", "when = { stage_entered", "when = { stage_enterd"),
    ("rulebook.toml", 'policy = "link"', 'policy = "links"'),
    ("rulebook.toml", 'to   = { move = "in_work" }', 'to   = { moves = "in_work" }'),
    ("sources.toml", 'format = "call"', 'format = "phone"'),
    ("messages.toml", 'purpose  = "notice"', 'purpose  = "note"'),
    ("directory.toml", 'zone = "Europe/Minsk"', 'zones = "Europe/Minsk"'),
]


@pytest.mark.parametrize(("name", "right", "wrong"), TYPOS, ids=[t[2][-24:] for t in TYPOS])
def test_a_typo_does_not_pass(name: str, right: str, wrong: str) -> None:
    file = PROJECT / "rulebooks" / "axelerator" / name
    text = file.read_text(encoding="utf-8")
    assert right in text

    assert problems(file, text.replace(right, wrong, 1)) != []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_every_file_names_its_schema_in_its_first_line(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    schema = first.removeprefix("#:schema ")

    assert (file.parent / schema).resolve() == rulebook_schema.FOLDER / f"{file.stem}.json"
