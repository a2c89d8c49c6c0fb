"""The language's page and schemas are what the models say; every example is really said."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from relance import (
    rulebook_example,
    rulebook_page,
    rulebook_schema,
    scenario,
    scenario_schema,
)
from relance.directory import ORDER
from relance.stack.home import PROJECT
from relance.toml_text import document
from shared.domain.rulebook.condition import CONDITIONS
from shared.domain.rulebook.effect import EFFECTS
from shared.domain.rulebook.loader import RulebookError, load
from shared.domain.rulebook.trigger import TRIGGERS
from shared.runtime.rulebook_folder import texts

SCHEMAS = rulebook_schema.documents()
FILES = sorted(
    file
    for name in SCHEMAS
    for file in PROJECT.glob(f"rulebooks/*/{name.removesuffix('json')}toml")
)
EXAMPLE = re.compile(r"```toml\n# (\S+)(?: (\S+))?( scenario)?\n(.*?)\n```\n\n", re.DOTALL)
MADE_UP = re.compile(r"```toml\n# as (\S+) would say it\n(.*?)\n```\n\n", re.DOTALL)
ENTRY = re.compile(r"^### (.+?)\n\n(.*?)(?=^##)", re.DOTALL | re.MULTILINE)
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

    assert len(examples) > 100
    for book, rule, played, text in examples:
        said = _is_played if played else _is_said
        assert said(book, rule, tomllib.loads(text)), f"{book} {rule}: {text}\n{RUN_DOCS}"


def test_every_example_that_no_rulebook_says_could_stand_in_one() -> None:
    examples = MADE_UP.findall(rulebook_page.PAGE.read_text(encoding="utf-8"))

    assert len(examples) == len(rulebook_example.MADE_UP)
    for book, text in examples:
        files = texts(PROJECT / "rulebooks" / book)
        table = tomllib.loads(text)
        if table.keys() & set(ORDER):
            assert problems(PROJECT / "directory.toml", text) == []
            continue
        rule = {"id": "001-99", "says": "…", "when": {"overdue": "any"}, "do": [{"note": "x"}]}
        whole = text if "rest" in table else "[[rule]]\n" + document({**rule, **table})
        assert load({**files, "rulebook.toml": f"{files['rulebook.toml']}\n{whole}\n"}).rules


def test_every_word_has_its_meaning_its_arguments_and_an_example() -> None:
    page = rulebook_page.PAGE.read_text(encoding="utf-8") + "##"
    lists, entries = page.index("## Tables inside others"), ENTRY.finditer(page)
    told = {each[1]: each[2] for each in entries if each.start() < lists}

    words = [*TRIGGERS, *CONDITIONS, *EFFECTS, *(f"[[{kind}]]" for kind in ORDER)]
    words += ["[[scenario]]", "[[rest]]", "[[queue]]", "[late]", "[hold]"]
    assert {f"`{word}`" for word in words} <= told.keys()
    assert {f"`{word}` (step)" for word in scenario.STEPS} <= told.keys()
    assert {f"`{word}` (action)" for word in scenario_schema.actions()} <= told.keys()
    for word, text in told.items():
        meaning, *rest = text.split("\n\n")
        assert meaning[0].isalpha() or meaning[0] == "`", word
        assert any(part.startswith(("- `", "No arguments.")) for part in rest), word
        assert "```toml" in text, word


def _is_played(book: str, rule: str, example: dict[str, Any]) -> bool:
    """Whether a scenario of that rule has that step, or is that scenario."""
    for file in PROJECT.glob(f"rulebooks/{book}/scenarios/*.toml"):
        for played in tomllib.loads(file.read_text(encoding="utf-8"))["scenario"]:
            steps = [*played["steps"], *(step.get("refuse") for step in played["steps"])]
            said = example.get("steps", ()) and all(step in steps for step in example["steps"])
            if played["rule"] == rule and (said or [played] == example.get("scenario")):
                return True
    return False


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


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schema_is_that_of_the_models(name: str) -> None:
    published = (rulebook_schema.FOLDER / name).read_text(encoding="utf-8")

    assert published == SCHEMAS[name], RUN_DOCS


def problems(file: Path, text: str) -> list[str]:
    schema = json.loads(SCHEMAS[f"{file.stem}.json"])
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


REFUSED = [
    ("rulebook.toml", 'in = "30m"', 'in = "30 minutes"'),
    ("rulebook.toml", 'in = "30m"', 'in = "30"'),
    ("rulebook.toml", 'at_least = "1h"', 'at_least = "1 hour"'),
    ("rulebook.toml", 'default = "2h"', 'default = "2 hours"'),
    ("rulebook.toml", 'max     = "14d"', 'max     = "a fortnight"'),
    ("rulebook.toml", 'since = "last_call"', 'since = "the last call"'),
    ("rulebook.toml", 'to = "owner"', 'to = "the owner"'),
    ("rulebook.toml", 'stage_entered = "in_work"', 'stage_entered = "in work"'),
    ("rulebook.toml", 'move = "in_work"', 'move = "в работе"'),
    ("rulebook.toml", 'at       = "09:00"', 'at       = "9:00"'),
    ("sources.toml", 'site = "minsk"', 'repeat_within = "10 min"\nsite = "minsk"'),
]


@pytest.mark.parametrize(("name", "right", "wrong"), REFUSED, ids=[t[2][-24:] for t in REFUSED])
def test_what_the_loader_refuses_in_a_text_an_editor_underlines(
    name: str, right: str, wrong: str
) -> None:
    files = texts(PROJECT / "rulebooks" / "axelerator")
    assert right in files[name]
    changed = files[name].replace(right, wrong, 1)

    with pytest.raises(RulebookError):
        load({**files, name: changed})
    assert problems(PROJECT / name, changed) != []


DIRECTORY = [
    ('opens = "09:00"', 'opens = "9 o’clock"'),
    ('first_response = "2h"', 'first_response = "2 hours"'),
]


def test_an_opening_hour_and_a_sites_setting_are_underlined_too() -> None:
    day = '[[calendar]]\nid = "c"\nweekly = { mon = [ { opens = "09:00", closes = "18:00" } ] }\n'
    site = (
        '[[site]]\nid = "s"\nname = "S"\nzone = "Europe/Minsk"\nregion = "BY"\ncalendar = "c"\n'
        'settings = { first_response = "2h" }\n'
    )
    file = PROJECT / "directory.toml"

    assert problems(file, day + site) == []
    for right, wrong in DIRECTORY:
        assert problems(file, (day + site).replace(right, wrong)) != []


SCENARIOS = sorted(PROJECT.glob("rulebooks/*/scenarios/*.toml"))


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda f: f"{f.parent.parent.name}/{f.name}")
def test_every_file_of_scenarios_passes_their_schema(file: Path) -> None:
    assert problems(PROJECT / "scenario.toml", file.read_text(encoding="utf-8")) == []


STEP = '{ wait = "31m" }'
WRONG_STEPS = [
    '{ wait = "31 minutes" }',
    '{ waits = "31m" }',
    '{ until = "2026-03-02T10:00+01:00" }',
    '{ until = "Monday" }',
    '{ expect = "LeadClose" }',
    '{ expect = "LeadClosed", times = 0 }',
    '{ act = "move", by = "anna" }',
    '{ act = "move", stages = "won", by = "anna" }',
    '{ act = "move", stage = "won" }',
    '{ receive = "letter" }',
    '{ receive = "form", phones = "1" }',
    '{ act = "create_task", task = "x", due = { in = "two days" }, by = "anna" }',
]


@pytest.mark.parametrize("wrong", WRONG_STEPS)
def test_a_step_that_cannot_be_read_is_underlined(wrong: str) -> None:
    text = (
        '[[scenario]]\nrule = "001-01"\ntitle = "A lead that waits"\nsite = "minsk"\n'
        f'start = "2026-03-02T10:00"\nsteps = [ {STEP}, {{ expect = "LeadClosed" }} ]\n'
    )
    file = PROJECT / "scenario.toml"

    assert scenario.parse(text, "x.toml")
    assert problems(file, text) == []
    assert problems(file, text.replace(STEP, wrong)) != []


def test_editors_find_the_schema_of_scenarios() -> None:
    (rule,) = tomllib.loads((PROJECT / ".taplo.toml").read_text(encoding="utf-8"))["rule"]

    assert (PROJECT / rule["schema"]["path"]).resolve() == rulebook_schema.FOLDER / "scenario.json"
    assert sorted(f for glob in rule["include"] for f in PROJECT.glob(glob)) == SCENARIOS


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_every_file_names_its_schema_in_its_first_line(file: Path) -> None:
    first = file.read_text(encoding="utf-8").splitlines()[0]
    schema = first.removeprefix("#:schema ")

    assert (file.parent / schema).resolve() == rulebook_schema.FOLDER / f"{file.stem}.json"
