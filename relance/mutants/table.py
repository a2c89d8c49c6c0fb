"""Every small way to break the tables of a `rulebook.toml`, and what other files share with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domain.duration import parse

Place = tuple[str | int, ...]
Broken = tuple[str, str, Mapping[str, Any]]
"""The number, what was broken in words, and the tables then."""

PARTS = ("if", "need", "do", "any_of", "counts_if", "resume_if", "sections")
"""Lists of which each item says something: without it the rule is another one."""

WORDLESS = frozenset({"id", "label", "says", "rule", "guide", "script", "note", "why", "language"})
"""Keys that hold text for people, or a name."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DURATION = re.compile(r"\d{1,5}(mo|m|h|d|w)")


def broken(tables: Mapping[str, Any]) -> Iterator[Broken]:
    """The rule, what was broken in words, and the tables then: a rule or a part of one dropped,
    a number or a time changed, in file order."""
    for kind, entries in tables.items():
        for number, entry in enumerate(entries) if isinstance(entries, list) else ():
            rule = _number(kind, entry)
            if rule is None:
                continue
            if kind in ("rule", "require"):
                yield rule, _called(kind, entry), without(tables, (kind, number))
            for place, words, value in changes(entry, ()):
                yield (
                    nearest(entry, place, rule),
                    words,
                    changed(tables, (kind, number, *place), value),
                )
            for place, words in _droppable(entry, ()):
                yield nearest(entry, place, rule), words, without(tables, (kind, number, *place))


def nearest(entry: Any, place: Place, rule: str) -> str:
    """The number nearest to a place in a table: a part of a declaration may have its own."""
    for step in place:
        entry = entry[step]
        if isinstance(entry, Mapping) and isinstance(entry.get("rule"), str):
            rule = entry["rule"]
    return rule


def _number(kind: str, entry: Any) -> str | None:
    """The sentence that an entry stands for."""
    if not isinstance(entry, Mapping):
        return None
    found = entry.get("id") if kind in ("rule", "require") else entry.get("rule")
    return found if isinstance(found, str) else None


def _called(kind: str, entry: Mapping[str, Any]) -> str:
    about = entry.get("when") or entry.get("to") or {}
    what = ", ".join(f"{k} {v}" for k, v in about.items())
    return f"without the {'rule' if kind == 'rule' else 'requirement'} ({what})"


def changes(value: Any, place: Place) -> Iterator[tuple[Place, str, Any]]:
    """Every number, duration and time below, changed by a little."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in WORDLESS:
                yield from changes(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from changes(inner, (*place, number))
    elif (other := _other(value)) is not None:
        yield place, f"{_said(place)} {value} → {other}", other


def _other(value: Any) -> Any:
    """A little more; None for what is no quantity."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int):
        return value + 1
    if _DURATION.fullmatch(value):
        duration = parse(value)
        return f"{duration.count * 2}{duration.unit}"
    if (found := _TIME.fullmatch(value)) is not None:
        return f"{(int(found[1]) + 1) % 24:02d}:{found[2]}"
    return None


def _droppable(value: Any, place: Place) -> Iterator[tuple[Place, str]]:
    """Items of lists that say something; the last one of a list that needs one stays."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name in PARTS and isinstance(inner, list):
                needs_one = name in ("need", "do", "any_of", "sections")
                for number, item in enumerate(inner):
                    if len(inner) > 1 or not needs_one:
                        yield (
                            (*place, name, number),
                            f"without {_said((*place, name))} {short(item)}",
                        )
            yield from _droppable(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _droppable(inner, (*place, number))


def _said(place: Place) -> str:
    return ".".join(str(step) for step in place if not isinstance(step, int))


def short(item: Any) -> str:
    """A value as the name of a mutant says it."""
    if isinstance(item, bool):
        return str(item).lower()
    if isinstance(item, Mapping):
        return " ".join(f"{k} {short(v)}" for k, v in item.items())
    if isinstance(item, list):
        return " ".join(short(each) for each in item)
    return str(item)


def without(tables: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    """A copy that lacks what is at the place."""
    copy, holder = _copy_to(tables, place)
    del holder[place[-1]]
    return copy


def changed(tables: Mapping[str, Any], place: Place, value: Any) -> Mapping[str, Any]:
    """A copy that has the value at the place."""
    copy, holder = _copy_to(tables, place)
    holder[place[-1]] = value
    return copy


def _copy_to(tables: Mapping[str, Any], place: Place) -> tuple[dict[str, Any], Any]:
    """A copy of what leads to the last step of the place, and in it what holds that step."""
    copy: dict[str, Any] = dict(tables)
    holder: Any = copy
    for step in place[:-1]:
        inner = holder[step]
        holder[step] = list(inner) if isinstance(inner, list) else dict(inner)
        holder = holder[step]
    return copy, holder
