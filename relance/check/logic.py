"""Whether conditions can hold together, as far as their words alone tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from shared.domain.duration import parse
from shared.domain.rulebook.condition import (
    ANY,
    AnyOf,
    Attempts,
    Condition,
    Contacts,
    Count,
    Elapsed,
    Filled,
    Is,
    Not,
    Task,
)

BOUNDS = frozenset({"at_least", "at_most", "exactly"})


def impossible(conditions: Iterable[Condition]) -> str | None:
    """Why they can never hold together, in a few words; None when the words alone allow it."""
    facts = tuple(_flat(conditions))
    for one, other in combinations(facts, 2):
        if why := _clash(one, other) or _clash(other, one):
            return why
    for choice in facts:
        if isinstance(choice, AnyOf):
            rest = [fact for fact in facts if fact is not choice]
            if all(impossible([*rest, *branch]) for branch in choice.any_of):
                return "none of the branches of any_of can hold"
    return next((why for fact in facts if (why := _absurd(fact))), None)


def _flat(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """What must hold: one attribute, one name at a time; a double `not` is none."""
    for condition in conditions:
        match condition:
            case Is():
                for name, want in condition.is_.items():
                    yield Is.model_validate({"is": {name: want}})
            case Filled(at_least=None):
                yield from (Filled(filled=(name,)) for name in condition.filled)
            case Not(not_=Not(not_=inner)):
                yield from _flat((inner,))
            case _:
                yield condition


def _clash(one: Condition, other: Condition) -> str | None:
    if isinstance(other, Not):
        return _denied(one, other.not_)
    if isinstance(one, Is) and isinstance(other, Is):
        return _values(one, other)
    if isinstance(one, Attempts) and isinstance(other, Attempts):
        return _counts(one.attempts, other.attempts, "attempts")
    if isinstance(one, Contacts) and isinstance(other, Contacts):
        return _counts(one.contacts, other.contacts, "contacts")
    if isinstance(one, Task) and isinstance(other, Not):
        return None
    return None


def _denied(fact: Condition, denied: Condition) -> str | None:
    """Whether `fact` and `not denied` exclude each other."""
    inner = tuple(_flat((denied,)))
    if len(inner) == 1 and inner[0] == fact:
        return f"{fact.word} is asked for and denied"
    if isinstance(fact, Task) and isinstance(denied, Task):
        wide = denied.task.name in (ANY, fact.task.name) and denied.task.status == fact.task.status
        if wide and denied.task.at_least in (None, 1) and fact.task.at_most is None:
            return "a task is asked for and denied"
    if isinstance(fact, Is) and isinstance(denied, Is) and len(denied.is_) == 1:
        ((name, want),), ((other, without),) = fact.is_.items(), denied.is_.items()
        same = name == other and isinstance(want, tuple) and isinstance(without, tuple)
        if same and set(want) <= set(without):
            return f"{name} can be none of what is asked for"
    return None


MANY = frozenset({"tags", "payment"})
"""Attributes with several values at once."""


def _values(one: Is, other: Is) -> str | None:
    ((name, want),), ((same, also),) = one.is_.items(), other.is_.items()
    if name != same or name in MANY:
        return None
    if isinstance(want, tuple) and isinstance(also, tuple):
        return None if set(want) & set(also) else f"{name} cannot be two things at once"
    if isinstance(want, tuple) or isinstance(also, tuple):
        return None
    low = max(b for b in (want.at_least, also.at_least, float("-inf")) if b is not None)
    high = min(b for b in (want.at_most, also.at_most, float("inf")) if b is not None)
    return None if low <= high else f"{name} cannot be both so small and so large"


def _counts(one: Count, other: Count, what: str) -> str | None:
    """Counts of the same things must have a number in common."""
    if one.model_dump(exclude=set(BOUNDS)) != other.model_dump(exclude=set(BOUNDS)):
        return None
    if any(one.admits(n) and other.admits(n) for n in range(_top(one, other) + 2)):
        return None
    return f"no number of {what} is right for both"


def _top(*counts: Count) -> int:
    bounds = (b for c in counts for b in (c.at_least, c.at_most, c.exactly) if b is not None)
    return max(bounds, default=0)


def _absurd(fact: Condition) -> str | None:
    """A condition that alone can never hold."""
    match fact:
        case Attempts(attempts=count) | Contacts(contacts=count):
            if not any(count.admits(n) for n in range(_top(count) + 2)):
                return f"no number of {fact.word} is right"
        case Elapsed(elapsed=span) if span.at_least and span.at_most:
            try:
                if parse(span.at_least).length > parse(span.at_most).length:
                    return "at least so long and at most so short"
            except ValueError:
                return None
    return None


def together(one: Sequence[Condition], other: Sequence[Condition]) -> bool:
    """Whether both can hold at once, as far as their words tell."""
    return impossible((*one, *other)) is None
