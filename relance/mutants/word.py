"""Every small way to say a table otherwise, by the models that read it.

Of an enumerated word another value, of a yes a no, of a list one member less, and an optional key
left out. The models' JSON Schema says which is which, so that a new word is broken by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from relance.mutants.table import PARTS, WORDLESS, Broken, Place, changed, short, without
from relance.rulebook_schema import schema_of
from shared.domain.rulebook.effect import PREVIOUS

FEW = 4
"""Of so many values each is tried in place of another; of more only one."""

ONE_IS_ENOUGH = frozenset({"when", "to", "channels", "days"})
"""Keys below which one other value is tried: what waits for another event hears nothing."""

TEXTS = WORDLESS | {
    "subject",
    "url",
    "secret",
    "template",
    "title",
    "company",
    "secrets",
    "doors",
    "origins",
    "mapping",
}
"""What people read, names, and who may knock: the tests of intake hold that."""
DELIVERED = frozenset({"channels", "policy", "purpose"})
"""Of a template: `message` takes channels away; how often one is tried and how long it waits is
held by the tests of notifications, and alert or notice is a label."""


class Speech:
    """What the tables of one file may say. `first_stage` stands in for the one before."""

    def __init__(self, model: type[BaseModel], first_stage: str = "") -> None:
        self._whole = _schema(model)
        self._first_stage = first_stage

    def broken(self, tables: Mapping[str, Any], place: tuple[str, int]) -> Iterator[Broken]:
        """The number, what was broken in words, and the tables then, for an entry of a table."""
        kind, number = place
        entry = tables[kind][number]
        schema = self._whole["properties"][kind]["items"]
        about = (kind, entry["id"]) if "rule" in entry and "id" in entry else ()
        rule = entry.get("rule", "")
        yield from self._any(tables, entry, [schema], (place, rule, about), False)

    def _any(
        self,
        tables: Mapping[str, Any],
        value: Any,
        schemas: Sequence[Mapping[str, Any]],
        at: tuple[Place, str, tuple[str, ...]],
        one: bool,
    ) -> Iterator[Broken]:
        place, rule, called = at
        words = " ".join(called)
        options = [o for each in schemas for o in self._options(each) if _fits(value, o)]
        if not isinstance(value, Mapping | list):
            for other in self._others(value, options, one):
                yield (
                    rule,
                    f"{words} {short(value)} → {short(other)}",
                    changed(tables, place, other),
                )
            return
        for step, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
            if step in TEXTS or (place[0] == "template" and step in DELIVERED):
                continue
            here = (*place, step)
            number, said = _told(inner, step, rule, called)
            if isinstance(value, list) and len(value) > 1 and not isinstance(inner, Mapping):
                yield number, f"{words} without {short(inner)}", without(tables, here)
            if isinstance(value, Mapping) and _can_go(str(step), inner, value, options):
                told = f"without {' '.join(said)} {short(inner)}"
                yield number, told, without(tables, here)
            below = [b for o in options for b in self._below(o, value, step)]
            few = one or step in ONE_IS_ENOUGH
            yield from self._any(tables, inner, below, (here, number, said), few)

    def _others(self, value: Any, options: Sequence[Mapping[str, Any]], one: bool) -> list[Any]:
        """What else could stand here."""
        if isinstance(value, bool):
            return [not value]
        for option in options:
            if "enum" in option:
                listed = option["enum"]
                at = listed.index(value)
                turned = [*listed[at + 1 :], *listed[:at]]
                return turned[: 1 if one or len(listed) > FEW else FEW]
            about = option.get("description", "")
            if about == "party" or about.startswith("party,"):
                owned = value == "manager" or value.startswith("role:")
                return [] if value == "contact" else ["owner" if owned else "manager"]
            if value == PREVIOUS and about.startswith("stage,") and self._first_stage:
                return [self._first_stage]
        return []

    def _options(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """The plain schemas that a schema allows one of."""
        if "$ref" in schema:
            definition = self._whole["$defs"][schema["$ref"].removeprefix("#/$defs/")]
            yield from self._options(definition)
        elif "anyOf" in schema:
            for each in schema["anyOf"]:
                yield from self._options(each)
        else:
            yield schema

    def _below(
        self, schema: Mapping[str, Any], value: Any, step: str | int
    ) -> Iterator[Mapping[str, Any]]:
        """What may stand one step further, where the value fits."""
        for option in self._options(schema):
            if not _fits(value, option):
                continue
            if isinstance(step, int):
                yield option.get("items", {})
            elif step in option.get("properties", {}):
                yield option["properties"][step]
            elif isinstance(option.get("additionalProperties"), Mapping):
                yield option["additionalProperties"]


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return schema_of(model)


def _told(
    value: Any, step: str | int, rule: str, called: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The nearest number, and how people would call the place."""
    if not isinstance(value, Mapping):
        return rule, called if isinstance(step, int) else (*called, step)
    found = value.get("rule", rule)
    name = value.get("id") if isinstance(step, int) else step
    return found if isinstance(found, str) else rule, (*called, name) if name else called


def _can_go(
    step: str, inner: Any, holder: Mapping[str, Any], options: Sequence[Mapping[str, Any]]
) -> bool:
    """Whether a key can be left out: a number is changed instead, a yes becomes a no."""
    if isinstance(inner, bool | int | float) or not options:
        return False
    if step in PARTS and len(inner) == 1:  # the same as the list without its one item
        return False
    for option in options:
        if step in option.get("properties", {}):
            known = option["properties"][step]
            if "enum" in known and known.get("default") in known["enum"]:
                return len(known["enum"]) > FEW and inner != known["default"]
            return step not in option.get("required", ()) and inner != known.get("default")
    return len(holder) > 1


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value is of that shape."""
    kind = schema.get("type")
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        return (kind in ("object", None) and "enum" not in schema) and (
            (bool(schema.get("additionalProperties")) or known.keys() >= value.keys())
            and value.keys() >= set(schema.get("required", ()))
        )
    if isinstance(value, list):
        return kind == "array"
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, str):
        listed, pattern = schema.get("enum"), schema.get("pattern")
        return (
            kind in ("string", None)
            and (listed is None or value in listed)
            and (pattern is None or re.search(pattern, value) is not None)
        )
    return kind in ("integer", "number")
