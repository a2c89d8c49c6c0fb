"""Rules that cannot both be right: started by the same, true together, doing what excludes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from relance.check.finding import Finding
from relance.check.logic import impossible, together
from shared.domain.rulebook.condition import ANY
from shared.domain.rulebook.effect import (
    Assign,
    Close,
    Effect,
    Move,
    PostponeTask,
    SetDeadline,
    SetFields,
)
from shared.domain.rulebook.rule import Rule
from shared.domain.rulebook.rulebook import Rulebook


def contradictions(book: Rulebook) -> Iterator[Finding]:
    """What the words alone show: conditions that never hold, needs that nobody can meet, pairs."""
    for rule in book.rules:
        if why := impossible(rule.if_):
            yield Finding("never", rule.id, f"its `if` can never hold: {why}")
    for requirement in book.requires:
        if why := impossible(requirement.if_):
            yield Finding("never", requirement.id, f"its `if` can never hold: {why}")
        elif why := impossible(requirement.need):
            yield Finding("contradiction", requirement.id, f"its `need` can never be met: {why}")
    for one, other in combinations(book.rules, 2):
        if _same_start(book, one, other) and together(one.if_, other.if_):
            for what in _excluding(one, other):
                yield Finding("contradiction", f"{one.id} and {other.id}", what)


def _same_start(book: Rulebook, one: Rule, other: Rule) -> bool:
    if one.when.word != other.when.word:
        return False
    mine, theirs = set(one.when.values), set(other.when.values)
    if one.when.word == "stage_entered":  # `stage` and `pipeline.stage` are the same place
        names = {f"{p}.{s}": s for p, s in book.stages}
        if {names.get(v, v) for v in mine} & {names.get(v, v) for v in theirs}:
            return True
    return bool(mine & theirs) or ANY in mine | theirs


def _excluding(one: Rule, other: Rule) -> Iterator[str]:
    """What the two do that cannot both stand at the end."""
    for mine in one.do:
        for theirs in other.do:
            if type(mine) is type(theirs) and mine != theirs:
                subject = _subject(mine)
                if subject is not None and subject == _subject(theirs):
                    yield f"both run for the same event, and {subject} cannot be both"


def _subject(effect: Effect) -> str | None:
    """What an effect decides: two different decisions about it exclude each other."""
    said = DECIDES.get(type(effect))
    return None if said is None else said.format(**dict(effect))


DECIDES: Mapping[type[Effect], str] = {
    Move: "the stage",
    Close: "how the lead ends",
    Assign: "the owner",
    PostponeTask: "the due time of {postpone_task}",
    SetDeadline: "the deadline {set_deadline}",
    SetFields: "the fields {set_fields}",
}
