"""Every small way to break a way in that a rule speaks of (`sources.toml`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relance.mutants.table import Place, changed, changes, without
from shared.domain.rulebook.source import IGNORED

LISTS = ("tags", "asks", "consent")
"""Lists of which each item does something."""
OPTIONS = ("pipeline", "channel", "portal", "honeypot")
"""Keys without which a source does what its format says."""


def broken(tables: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The rule, what was broken in words, and the tables then."""
    for number, entry in enumerate(tables.get("source", ())):
        if "rule" not in entry:
            continue
        called = f"source {entry['id']}"
        for place, words in _parts(entry):
            yield (
                entry["rule"],
                f"{called} without {words}",
                without(tables, ("source", number, *place)),
            )
        for place, words, value in changes(entry, ()):
            yield (
                entry["rule"],
                f"{called}: {words}",
                changed(tables, ("source", number, *place), value),
            )


def _parts(entry: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for name in LISTS:
        for number, item in enumerate(entry.get(name, ())):
            yield (name, number), f"{name} {item}"
    for name in OPTIONS:
        if name in entry:
            yield (name,), f"{name} {entry[name]}"
    for field, word in entry.get("mapping", {}).items():
        if word != IGNORED:
            yield ("mapping", field), f"mapping {field}"
