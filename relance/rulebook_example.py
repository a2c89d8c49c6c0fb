"""Examples for the language's page: as our rulebooks and their scenarios say it, which the loader
reads; what none of them says is made up here, and read by a test."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from relance.rulebook_schema import PARTS
from relance.stack.home import PROJECT
from relance.toml_text import inline

Example = tuple[str, str]
"""Where it stands, and what it says."""

BOOKS = PROJECT / "rulebooks"
FIRST = "axelerator"
"""The rulebook that is looked at first for examples: the oldest, so that they change rarely."""

SEVERAL = frozenset({"receive", "declare", "view", "reply"})
"""Steps that take other arguments with each thing that they begin with."""

ATTACK = "javascript:"
"""What some scenarios try is no example to follow."""

MADE_UP: Mapping[tuple[str, str], str] = {
    ("when", "document"): 'when = { document = "letter" }',
    ("do", "log_attempt"): 'do = [ { log_attempt = "email" } ]',
    ("do", "miss_appointment"): "do = [ { miss_appointment = true } ]",
    ("directory.toml", "absence"): '[[absence]]\nid = "anna-march"\nagent = "anna"\n'
    'begins = "2026-03-09T00:00:00+03:00"\nends = "2026-03-14T00:00:00+03:00"',
    ("directory.toml", "availability"): '[[availability]]\nid = "anna"\nstate = "busy"',
    ("rulebook.toml", "rest"): '[[rest]]\nstage = "start_agreed"\n'
    'why   = "the client says when, and nobody is to push"',
}


@cache
def books() -> dict[str, dict[str, Any]]:
    """The tables of every rulebook file, the oldest rulebook first."""
    files = sorted(BOOKS.glob("*/*.toml"), key=lambda f: (f.parent.name != FIRST, f))
    return {
        f"{f.parent.name}/{f.name}": tomllib.loads(f.read_text(encoding="utf-8")) for f in files
    }


def example_of(part: str, word: str) -> tuple[str, str] | None:
    """The first place where a rulebook says this word: (where, text)."""
    for name, tables in books().items():
        if not name.endswith("/rulebook.toml"):
            continue
        for entry in (*tables.get("rule", ()), *tables.get("require", ())):
            for said in _said(entry, part):
                if _says(said, word, part):
                    key = "need" if part == "if" and said in entry.get("need", ()) else part
                    listed = f"[ {inline(said)} ]" if part in ("if", "do") else inline(said)
                    return f"{name.partition('/')[0]} {entry['id']}", f"{key} = {listed}"
    return _made_up(part, word)


def _said(entry: Mapping[str, Any], part: str) -> Iterator[Any]:
    if part == "if":
        yield from (each for key in ("if", "need") for each in entry.get(key, ()))
    elif part == "do":
        yield from entry.get("do", ())
    elif part in entry:
        yield entry[part]


def _says(table: Any, word: str, part: str) -> bool:
    """Whether that table is this word, or (conditions) has it inside."""
    registry = PARTS.get(part, {})
    if not isinstance(table, Mapping):
        return isinstance(table, list) and any(_says(each, word, part) for each in table)
    spoken = [key for key in table if key in registry or part == "to"]
    if word in spoken and (part != "do" or len(spoken) == 1 or spoken[0] == word):
        return True
    inner = (table[key] for key in ("not", "any_of", "linked") if key in table)
    return part == "if" and any(_says(each, word, part) for each in inner)


def example_table(file: str, key: str) -> tuple[str, str] | None:
    """The shortest such table of the first rulebook that has one."""
    for name, tables in books().items():
        found = tables.get(key)
        if not name.endswith(f"/{file}") or not found:
            continue
        table = min(found, key=lambda t: len(inline(t))) if isinstance(found, list) else found
        head = f"[[{key}]]" if isinstance(found, list) else f"[{key}]"
        body = "\n".join(f"{k} = {inline(v)}" for k, v in table.items() if k != "stage")
        return name.partition("/")[0], f"{head}\n{body}"
    return _made_up(file, key)


def examples_of_step(word: str, key: str = "") -> Iterator[Example]:
    """The shortest such step of our scenarios for each thing that it can begin with; with `key`
    only where the word says that."""
    found: dict[str, tuple[bool, bool, int, Example]] = {}
    for refused, where, step in _steps():
        text = f"steps = [ {inline(step)} ]"
        if next(iter(step)) == word and key in ("", step[word]) and ATTACK not in text:
            kind = str(step[word]) if word in SEVERAL else ""
            rank = (refused, FIRST not in where, len(text), (f"{where} scenario", text))
            found[kind] = min(found.get(kind, rank), rank)
    yield from (rank[-1] for rank in found.values())
    if not found and (example := _made_up(word, key)):
        yield example


def example_scenario() -> Example:
    """The shortest scenario of the first rulebook."""
    where, table = min(_scenarios(), key=lambda each: (FIRST not in each[0], len(inline(each[1]))))
    head = "\n".join(f"{key} = {inline(value)}" for key, value in table.items() if key != "steps")
    steps = "\n".join(f"  {inline(step)}," for step in table["steps"])
    return f"{where} scenario", f"[[scenario]]\n{head}\nsteps = [\n{steps}\n]"


def _steps() -> Iterator[tuple[bool, str, Mapping[str, Any]]]:
    """Every step of every scenario: whether it is to be refused, where it stands, what it says."""
    for where, scenario in _scenarios():
        for step in scenario["steps"]:
            yield False, where, step
            if isinstance(step.get("refuse"), dict):
                yield True, where, step["refuse"]


@cache
def _scenarios() -> list[tuple[str, Mapping[str, Any]]]:
    """Every scenario, the oldest rulebook first, with where it stands."""
    files = sorted(BOOKS.glob("*/scenarios/*.toml"), key=lambda f: (f.parts[-3] != FIRST, f))
    return [
        (f"{file.parts[-3]} {scenario['rule']}", scenario)
        for file in files
        for scenario in tomllib.loads(file.read_text(encoding="utf-8"))["scenario"]
    ]


def _made_up(part: str, word: str) -> Example | None:
    found = MADE_UP.get((part, word))
    return (f"as {FIRST} would say it", found) if found else None
