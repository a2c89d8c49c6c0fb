"""Every small way to break a rulebook, file by file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relance.mutants import message, source, table
from relance.mutants.table import Broken, without
from relance.mutants.word import Speech
from relance.toml_text import document
from shared.domain.rulebook.loader import MESSAGES, RULEBOOK, SOURCES
from shared.domain.rulebook.message import Messages
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.source import Sources

Changes = Mapping[str, str | None]
"""The files that read otherwise, whole, by name; None for one that is gone."""


@dataclass(frozen=True)
class Mutant:
    """`rule` is the number whose scenarios must notice; `words` say what was broken."""

    rule: str
    words: str
    changes: Changes

    @property
    def name(self) -> str:
        """How a justified survivor is named: number and words."""
        return f"{self.rule}: {self.words}"

    def files(self, whole: Mapping[str, str]) -> dict[str, str]:
        """The files of the rulebook with the changes."""
        read = {**whole, **self.changes}
        return {name: text for name, text in read.items() if text is not None}


UNHEARD = frozenset({"proof", "rest", "late"})
"""Tables by which nothing is done: what `relance check` or a reader wants to know."""
WHOLE = ("rule", "require")
"""Entries that are dropped under another name (`table`)."""


def mutants(files: Mapping[str, str]) -> Iterator[Mutant]:
    """All mutants of a rulebook's files, in file order; names are unique, and no two say the
    same."""
    seen: dict[str, int] = {}
    said: set[int] = set()
    for rule, words, changes in _all(files):
        alike = hash(tuple(changes.items()))
        if alike in said:
            continue
        said.add(alike)
        name = f"{rule}: {words}"
        seen[name] = seen.get(name, 0) + 1
        again = f" ({seen[name]})" if seen[name] > 1 else ""
        yield Mutant(rule, words + again, changes)


def _all(files: Mapping[str, str]) -> Iterator[tuple[str, str, Changes]]:
    book = tomllib.loads(files[RULEBOOK])
    for rule, words, tables in table.broken(book):
        yield rule, words, {RULEBOOK: document(tables)}
    for rule, words, tables in _otherwise(Speech(Rulebook, _first_stage(book)), book):
        yield rule, words, {RULEBOOK: document(tables)}
    sources = tomllib.loads(files.get(SOURCES, ""))
    for rule, words, tables in source.broken(sources):
        yield rule, words, {SOURCES: document(tables)}
    for rule, words, tables in _otherwise(Speech(Sources), sources, numbered=True):
        yield rule, words, {SOURCES: document(tables)}
    said = tomllib.loads(files.get(MESSAGES, ""))
    for rule, words, tables, gone in message.broken(said, files):
        yield rule, words, {MESSAGES: document(tables), **dict.fromkeys(gone)}
    for rule, words, tables in _otherwise(Speech(Messages), said, numbered=True):
        yield rule, words, {MESSAGES: document(tables)}


def _first_stage(book: Mapping[str, Any]) -> str:
    stage: str = book["pipeline"][0]["stage"][0]["id"]
    return stage


def _otherwise(
    speech: Speech, tables: Mapping[str, Any], *, numbered: bool = False
) -> Iterator[Broken]:
    """Each declaration with a number dropped, and every word of each entry said otherwise;
    `numbered`: of those without a number nothing. What has none is named by its table and id."""
    for kind, entries in tables.items():
        for number, entry in enumerate(entries) if isinstance(entries, list) else ():
            if kind in UNHEARD or (numbered and "rule" not in entry):
                continue
            rule = entry["id"] if kind in WHOLE else entry.get("rule")
            if rule is not None and kind not in WHOLE:
                name = entry.get("id") or entry.get("template") or ""
                yield rule, f"without the {kind} {name}".strip(), without(tables, (kind, number))
            for nearest, words, other in speech.broken(tables, (kind, number)):
                name = entry.get("id") or entry.get("template") or str(number + 1)
                yield nearest or rule or f"{kind} {name}", words, other
