"""Every small way to break a rulebook, file by file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from relance.mutants import message, source, table
from relance.toml_text import document
from shared.domain.rulebook.loader import MESSAGES, RULEBOOK, SOURCES

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


def mutants(files: Mapping[str, str]) -> Iterator[Mutant]:
    """All mutants of a rulebook's files, in file order; names are unique."""
    seen: dict[str, int] = {}
    for rule, words, changes in _all(files):
        name = f"{rule}: {words}"
        seen[name] = seen.get(name, 0) + 1
        again = f" ({seen[name]})" if seen[name] > 1 else ""
        yield Mutant(rule, words + again, changes)


def _all(files: Mapping[str, str]) -> Iterator[tuple[str, str, Changes]]:
    for rule, words, tables in table.broken(tomllib.loads(files[RULEBOOK])):
        yield rule, words, {RULEBOOK: document(tables)}
    for rule, words, tables in source.broken(tomllib.loads(files.get(SOURCES, ""))):
        yield rule, words, {SOURCES: document(tables)}
    said = tomllib.loads(files.get(MESSAGES, ""))
    for rule, words, tables, gone in message.broken(said, files):
        yield rule, words, {MESSAGES: document(tables), **dict.fromkeys(gone)}
