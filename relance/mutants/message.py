"""Every small way to break what a rule lets be said (`messages.toml` and its texts)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from relance.mutants.table import Place, changed, changes, without
from shared.domain.rulebook.loader import TEMPLATES
from shared.domain.rulebook.message import CHANNEL_OF

Broken = tuple[str, str, Mapping[str, Any], Sequence[str]]
"""The rule, what was broken in words, the tables then, and the texts that are gone."""


def broken(tables: Mapping[str, Any], files: Mapping[str, str]) -> Iterator[Broken]:
    """A message on one channel less, without what goes along; waiting and quiet hours otherwise."""
    for why, rule in tables.get("hold", {}).items():
        yield rule, f"hold without {why}", without(tables, ("hold", why)), ()
    for number, quiet in enumerate(tables.get("quiet", ())):
        yield quiet["rule"], "without the quiet hours", without(tables, ("quiet", number)), ()
        for name in ("channels", "days"):
            said_of = quiet.get(name, ())
            for item, said in enumerate(said_of if name == "days" or len(said_of) > 1 else ()):
                less = without(tables, ("quiet", number, name, item))
                yield quiet["rule"], f"quiet without {name} {said}", less, ()
        for place, words, value in changes(quiet, ()):
            other = changed(tables, ("quiet", number, *place), value)
            yield quiet["rule"], f"quiet {words}", other, ()
    for number, template in enumerate(tables.get("template", ())):
        if "rule" in template:
            yield from _template(tables, number, template, files)


def _template(
    tables: Mapping[str, Any], number: int, template: Mapping[str, Any], files: Mapping[str, str]
) -> Iterator[Broken]:
    rule, called = template["rule"], f"template {template['id']}"
    for item, channel in enumerate(template["channels"]):
        if len(template["channels"]) > 1:
            less = without(tables, ("template", number, "channels", item))
            if channel == "email":
                less = without(less, ("template", number, "subject"))
            gone = [
                f"{TEMPLATES}{template['id']}.{body}.liquid"
                for body, by in CHANNEL_OF.items()
                if by == channel
            ]
            known = [name for name in gone if name in files]
            yield rule, f"{called} without channel {channel}", less, known
    for name in ("attempt", "ics", "attach_by"):
        if name in template:
            yield rule, f"{called} without {name}", without(tables, ("template", number, name)), ()
    for place, file in _listed(("attach",), template.get("attach", ())):
        less = without(tables, ("template", number, *place))
        yield rule, f"{called} without attach {file}", less, ()
    for value, files_of in template.get("attach_by", {}).get("files", {}).items():
        for place, file in _listed(("attach_by", "files", value), files_of):
            less = without(tables, ("template", number, *place))
            yield rule, f"{called} without attach {file} for {value}", less, ()


def _listed(place: Place, value: str | Sequence[str]) -> Iterator[tuple[Place, str]]:
    """Each file and where it stands: one alone needs no list."""
    if isinstance(value, str):
        yield place, value
        return
    for number, each in enumerate(value):
        yield (*place, number), each
