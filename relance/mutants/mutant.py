"""Every small way to break a rulebook: drop a rule or a part of it, change a number or a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from shared.domain.duration import parse

Place = tuple[str | int, ...]

PARTS = ("if", "need", "do", "any_of", "counts_if", "resume_if", "sections")
"""Lists of which each item says something: without it the rule is another one."""

WORDLESS = frozenset({"id", "label", "says", "rule", "guide", "script", "note", "why", "language"})
"""Keys that hold text for people, or a name."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DURATION = re.compile(r"\d{1,5}(mo|m|h|d|w)")


@dataclass(frozen=True)
class Mutant:
    """`rule` is the number whose scenarios must notice; `words` say what was broken."""

    rule: str
    words: str
    tables: Mapping[str, Any]

    @property
    def name(self) -> str:
        """How a justified survivor is named: number and words."""
        return f"{self.rule}: {self.words}"


def mutants(tables: Mapping[str, Any]) -> Iterator[Mutant]:
    """All mutants of the tables of a `rulebook.toml`, in file order; names are unique."""
    seen: dict[str, int] = {}
    for rule, words, broken in _all(tables):
        name = f"{rule}: {words}"
        seen[name] = seen.get(name, 0) + 1
        again = f" ({seen[name]})" if seen[name] > 1 else ""
        yield Mutant(rule, words + again, broken)


def _all(tables: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for kind, entries in tables.items():
        for number, entry in enumerate(entries) if isinstance(entries, list) else ():
            rule = _number(kind, entry)
            if rule is None:
                continue
            if kind in ("rule", "require"):
                yield rule, _called(kind, entry), _without(tables, (kind, number))
            for place, words, value in _changes(entry, ()):
                yield rule, words, _changed(tables, (kind, number, *place), value)
            for place, words in _droppable(entry, ()):
                yield rule, words, _without(tables, (kind, number, *place))


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


def _changes(value: Any, place: Place) -> Iterator[tuple[Place, str, Any]]:
    """Every number, duration and time below, changed by a little."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in WORDLESS:
                yield from _changes(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _changes(inner, (*place, number))
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
                            f"without {_said((*place, name))} {_short(item)}",
                        )
            yield from _droppable(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _droppable(inner, (*place, number))


def _said(place: Place) -> str:
    return ".".join(str(step) for step in place if not isinstance(step, int))


def _short(item: Any) -> str:
    if isinstance(item, Mapping):
        return " ".join(f"{k} {_short(v)}" for k, v in item.items())
    if isinstance(item, list):
        return " ".join(_short(each) for each in item)
    return str(item)


def _without(tables: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    broken, holder = _copy_to(tables, place)
    del holder[place[-1]]
    return broken


def _changed(tables: Mapping[str, Any], place: Place, value: Any) -> Mapping[str, Any]:
    broken, holder = _copy_to(tables, place)
    holder[place[-1]] = value
    return broken


def _copy_to(tables: Mapping[str, Any], place: Place) -> tuple[dict[str, Any], Any]:
    """A copy, and in it what holds the last step of the place."""
    broken = deepcopy(dict(tables))
    holder: Any = broken
    for step in place[:-1]:
        holder = holder[step]
    return broken, holder
