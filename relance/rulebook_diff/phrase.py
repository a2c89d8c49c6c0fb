"""What one part of a rulebook says, and two such phrases told as one: `45 instead of 30 minutes`.

A phrase is made of words and of lists, so that of a list is told what came and what went.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\s«]*«[^»]*»\S*|[^ \n]+")
LONG = 10
"""From so many words on, what is there instead is told after what was there, not in the midst."""


@dataclass(frozen=True, slots=True)
class Many:
    """Several things of which one or all count; `ordered`: the first one goes first."""

    items: tuple[str, ...]
    last: str = "or"
    ordered: bool = False

    def __str__(self) -> str:
        """`form, call or chat`."""
        if len(self.items) < 2 or self.ordered:
            return ", ".join(self.items) or "nothing"
        return f"{', '.join(self.items[:-1])} {self.last} {self.items[-1]}"


Phrase = tuple[str | Many, ...]
TIED = "\u00a0"
"""A space inside what is one word to people: `the owner`."""


def said(*parts: str | Many | Phrase) -> Phrase:
    """A phrase of texts, lists and other phrases; «a label» stays one word, as do tied ones."""
    found: list[str | Many] = []
    for part in parts:
        match part:
            case str():
                found += _WORD.findall(part)
            case Many():
                found.append(part)
            case _:
                found += part
    return tuple(found)


def shown(phrase: Iterable[str | Many]) -> str:
    """The phrase as a text."""
    return " ".join(map(str, phrase))


def instead(old: Phrase, new: Phrase) -> str:
    """The new phrase, with what was there before where they differ."""
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    head, tail = shown(new[:start]), shown(new[len(new) - end :])
    match before, after:
        case (Many() as one,), (Many() as other,) if set(one.items) & set(other.items):
            colon = ":" if head and not head.endswith(":") else ""
            return _spaced(f"{head}{colon}", _come_and_gone(one, other), tail)
        case (), _:
            return _spaced(head, "now", shown(after), tail)
        case _, ():
            return _spaced(head, "no longer", shown(before), tail)
    if max(len(before), len(after)) > LONG:
        return f"{shown(new)}; before: {shown(old)}"
    return _spaced(head, shown(after), "instead of", shown(before), tail)


def _come_and_gone(old: Many, new: Many) -> str:
    come = [each for each in new.items if each not in old.items]
    gone = [each for each in old.items if each not in new.items]
    told = [f"now also {Many(tuple(come), 'and')}"] if come else []
    told += [f"no longer {Many(tuple(gone), 'and')}"] if gone else []
    stayed = [each for each in new.items if each in old.items]
    moved = stayed != [each for each in old.items if each in new.items]
    if not told or (moved and new.ordered):
        told += [f"in the order {', '.join(new.items)} instead of {', '.join(old.items)}"]
    return " and ".join(told)


def _common(one: Sequence[object], other: Sequence[object]) -> int:
    """How many they have in common at the beginning."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def untied(text: str) -> str:
    """As people read it."""
    return text.replace(TIED, " ").replace("( ", "(").replace(" )", ")")
