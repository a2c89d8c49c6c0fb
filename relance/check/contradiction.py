"""Rules that cannot both be right: started by the same, true together, doing what excludes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from typing import Any

from relance.check.finding import Finding
from relance.check.logic import impossible, together
from shared.domain.rulebook.condition import ANY, Condition, Filled, Is, Task
from shared.domain.rulebook.effect import (
    ALL,
    Assign,
    CancelTask,
    ClearDeadline,
    Close,
    CreateTask,
    Effect,
    Move,
    PostponeTask,
    Reopen,
    Send,
    SetDeadline,
    SetFields,
    Withdraw,
)
from shared.domain.rulebook.rule import Requirement, Rule, Target
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
    for first, second in combinations(book.requires, 2):
        if why := _never_both(first, second):
            where = f"{first.id} and {second.id}"
            yield Finding("contradiction", where, f"they can never both be met: {why}")
    for rule in book.rules:
        yield from (Finding("contradiction", rule.id, what) for what in _undoing(rule))
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
    """What the two do that cannot both stand at the end; `one` runs first, and where what it does
    makes the other's `if` impossible, the other does not run at all."""
    if impossible((*_facts(one), *other.if_)):
        return
    for mine, theirs in product(one.do, other.do):
        if mine.on == theirs.on:
            for subject in _decided_otherwise(mine, theirs):
                yield f"both run for the same event, and {subject} cannot be both"
            yield from _undone(mine, theirs, "the one right after the other")


def _undoing(rule: Rule) -> Iterator[str]:
    """What a rule decides twice, or does and takes back itself."""
    for mine, theirs in combinations(rule.do, 2):
        if mine.on == theirs.on:
            for subject in _decided_otherwise(mine, theirs):
                yield f"it decides twice: {subject} cannot be both"
            yield from _undone(mine, theirs, "in one and the same rule")


def _facts(rule: Rule) -> Iterator[Condition]:
    """What holds of the lead once the rule has run."""
    for effect in rule.do:
        if effect.on is not None:
            continue
        match effect:
            case Move():
                yield Is.model_validate({"is": {"stage": [effect.move.rpartition(".")[2]]}})
            case CreateTask():
                yield Task.model_validate({"task": {"name": effect.create_task}})
            case SetFields():
                yield Is.model_validate({"is": {k: [v] for k, v in effect.set_fields.items()}})
                yield Filled(filled=tuple(name for name, v in effect.set_fields.items() if v))


def _decided_otherwise(one: Effect, other: Effect) -> Iterator[str]:
    mine, theirs = _decisions(one), _decisions(other)
    yield from (what for what in mine if what in theirs and mine[what] != theirs[what])


def _decisions(effect: Effect) -> Mapping[str, object]:
    """What an effect decides, and how; of what another decides otherwise only one can stand."""
    decide = DECIDES.get(type(effect))
    return {} if decide is None else decide(effect)


def _of(what: str, how: str | None) -> Callable[[Any], Mapping[str, object]]:
    """The decision of an effect: `what`, with its own arguments filled in, by its argument `how`;
    None for all of it."""
    return lambda effect: {what.format(**dict(effect)): getattr(effect, how) if how else effect}


DECIDES: Mapping[type[Effect], Callable[[Any], Mapping[str, object]]] = {
    Move: _of("where the lead stands", None),
    Close: _of("where the lead stands", None),
    Reopen: _of("where the lead stands", None),
    Assign: lambda effect: {f"the owner of the {effect.task or 'lead'}": effect.assign},
    CreateTask: _of("the new task {create_task} for {to}", "due"),
    PostponeTask: _of("the due time of {postpone_task}", "due"),
    SetDeadline: _of("the deadline {set_deadline}", "due"),
    SetFields: lambda effect: {f"the field {k}": value for k, value in effect.set_fields.items()},
}


def _undone(first: Effect, then: Effect, how: str) -> Iterator[str]:
    """What is asked for and taken back at once: nobody would ever see it."""
    match first, then:
        case CreateTask(), CancelTask() if {first.create_task, ALL} & set(then.cancel_task):
            yield f"the task {first.create_task} is created and cancelled, {how}"
        case SetDeadline(), ClearDeadline() if then.clear_deadline in (first.set_deadline, ALL):
            yield f"the deadline {first.set_deadline} is set and cleared, {how}"
        case Send(), Withdraw() if then.withdraw in (first.send, ALL):
            yield f"the template {first.send} is sent and withdrawn, {how}"


def _never_both(one: Requirement, other: Requirement) -> str | None:
    """Why an action that both bind can never be done; None where the words alone allow it."""
    if "warn" in (one.level, other.level) or not _same_action(one.to, other.to):
        return None
    return impossible((*one.need, *other.need)) if together(one.if_, other.if_) else None


def _same_action(one: Target, other: Target) -> bool:
    if one.action != other.action:
        return False
    narrowed = (
        (set(getattr(one, key)), set(getattr(other, key)))
        for key in ("from_", "task", "reason", "channel")
    )
    apart = any(mine and theirs and not mine & theirs for mine, theirs in narrowed)
    mine, theirs = set(one.values), set(other.values)
    return not apart and (bool(mine & theirs) or ANY in mine | theirs)
