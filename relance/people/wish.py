"""What somebody does to make a condition hold: one function a word, from the state in hand.

A wish is a list of steps, each an action's arguments or a time to wait for; None where nobody
can do anything about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from relance.people.stand import Arguments
from relance.people.values import LINK, TEXT, known_value
from services.pipeline.core.condition import CHANNELS_OF_POINT, missing
from services.pipeline.core.moment import later, moment_of
from services.pipeline.core.party import agents
from services.pipeline.core.turn import Scene
from shared.domain.directory import Unknown
from shared.domain.rulebook import condition as words
from shared.domain.rulebook.condition import ANY, Condition, Count, Range

MINUTE = timedelta(minutes=1)
NOTE = "ok"
KIND_OF = {channel: kind for kind, channels in CHANNELS_OF_POINT.items() for channel in channels}


@dataclass(frozen=True)
class Wish:
    """`first` is done before, in order; `given` are arguments of the action itself; `by` is who
    is to act; `opens` is a template whose mail the contact is to open."""

    first: tuple[Arguments | datetime, ...] = ()
    given: Arguments | None = None
    by: str | None = None
    opens: tuple[str, ...] = ()


def wish(condition: Condition, scene: Scene) -> Wish | None:
    """How it can be made to hold; None for what nobody can bring about."""
    make = WISHES.get(type(condition))
    return None if make is None else make(condition, scene)


def _filled(condition: words.Filled, scene: Scene) -> Wish | None:
    names = missing(condition, scene)
    if condition.at_least is not None:
        names = names[: condition.at_least]
    values = {name: known_value(scene, name) for name in names}
    if not values or None in values.values():
        return None
    return Wish(({"act": "set_fields", "fields": values},))


def _given(condition: words.Given, scene: Scene) -> Wish | None:
    given: Arguments = {}
    first: list[Arguments | datetime] = []
    wanted = condition.given
    for name in wanted:
        if isinstance(wanted, Mapping):
            given[name] = wanted[name][0]
        elif name == "reason":
            given[name] = next(iter(scene.book.reasons), None)
        elif name == "evidence" and scene.book.documents:
            kind = next(iter(scene.book.documents))
            first.append({"act": "attach", "kind": kind, "status": "received"})
            given[name] = kind
        else:
            given[name] = LINK if name == "url" else NOTE
    return Wish(tuple(first), given)


def _attempts(condition: words.Attempts, scene: Scene) -> Wish | None:
    want = condition.attempts
    wanted = _enough(want)
    codes = scene.book.attempts
    code = want.code or next((c.id for c in codes.values() if c.counted), None)
    if code is None or not wanted:
        return None
    outcome = {"outcome": want.outcome} if want.outcome else {}
    one: Arguments = {"act": "log_attempt", "code": code, **outcome}
    first: list[Arguments | datetime] = []
    if want.channel == "each_known":
        kinds = dict.fromkeys(point.kind for point in scene.contact.points)
        for kind in kinds:
            usable = [c.id for c in codes.values() if c.channel in CHANNELS_OF_POINT.get(kind, ())]
            first += [{**one, "code": usable[0]}] if usable else []
    elif want.channel is not None:
        one["channel"] = want.channel
    apart = timedelta(0) if want.apart is None else later(scene, scene.now, want.apart) - scene.now
    at = scene.now
    while len(first) < wanted:
        if apart and first:
            at += apart + MINUTE
            first.append(at)
        first.append(one)
    return Wish(tuple(first))


def _contacts(condition: words.Contacts, _: Scene) -> Wish | None:
    want = condition.contacts
    channel = want.channel if want.channel not in (None, "each_known") else "call"
    wanted = _enough(want)
    one: Arguments = {"act": "log_contact", "channel": channel}
    return Wish((one,) * wanted) if wanted else None


def _elapsed(condition: words.Elapsed, scene: Scene) -> Wish | None:
    span = condition.elapsed
    since = moment_of(scene, span.since)
    if span.at_least is None or since is None:
        return None
    then = later(scene, since, span.at_least) + MINUTE
    if span.until == "now":
        return Wish((then,))
    if span.until == "last_attempt":
        code = next((c.id for c in scene.book.attempts.values() if c.counted), None)
        return None if code is None else Wish((then, {"act": "log_attempt", "code": code}))
    return None


def _task(condition: words.Task, scene: Scene) -> Wish | None:
    want = condition.task
    name = next(iter(scene.book.tasks), None) if want.name == ANY else want.name
    if name is None or want.at_most is not None:
        return None
    there = bool(scene.lead.open_tasks(name))
    create: Arguments = {"act": "create_task", "task": name, "due": {"in": "1d"}}
    if want.status == "open":
        return None if there else Wish((create,))
    note = {"note": want.note[0] if want.note else NOTE}
    done: Arguments = {"act": "complete_task", "task": name, **note}
    return Wish((done,) if there else (create, done))


def _message(condition: words.Message, scene: Scene) -> Wish | None:
    want = condition.message
    if want.status == "opened":
        return Wish(opens=want.template)
    known = scene.book.messages.templates
    template = next((name for name in want.template if known[name].to == "contact"), None)
    if template is None:
        return None
    send: Arguments = {"act": "send", "template": template, "subject": TEXT, "text": TEXT}
    kinds = [KIND_OF[channel] for channel in known[template].channels if channel in KIND_OF]
    if not kinds or any(scene.contact.point(kind) for kind in kinds):
        return Wish((send,))
    return Wish(({"act": "set_fields", "fields": {kinds[0]: known_value(scene, kinds[0])}}, send))


def _document(condition: words.Document, _: Scene) -> Wish | None:
    want = condition.document
    kinds = want.kind if want.all else want.kind[:1]
    status = {"status": want.status} if want.status else {}
    return Wish(tuple({"act": "attach", "kind": kind, **status} for kind in kinds))


def _by(condition: words.By, scene: Scene) -> Wish | None:
    for party in condition.by:
        try:
            found = agents(scene, party)
        except Unknown:
            continue
        if found:
            return Wish(by=found[0])
    return None


def _is(condition: words.Is, scene: Scene) -> Wish | None:
    first: list[Arguments | datetime] = []
    for name, want in condition.is_.items():
        value = want[0] if isinstance(want, tuple) else str(_bound(want))
        if name == "payment":
            first.append({"act": "confirm_payment", "kind": value})
        elif name in scene.book.fields:
            first.append({"act": "set_fields", "fields": {name: value}})
        elif name == "stage":
            first.append({"act": "move", "to": value})
        elif name == "outcome":
            first.append({"act": "classify", "outcome": value})
        elif name == "owner":
            first.append({"act": "assign", "to": value})
        else:
            return None
    return Wish(tuple(first))


def _not(condition: words.Not, scene: Scene) -> Wish | None:
    """Only what a person can take back: a field is emptied, an open task is done."""
    inner = condition.not_
    if isinstance(inner, words.Filled):
        names = [name for name in inner.filled if name in scene.book.fields]
        return Wish(({"act": "set_fields", "fields": dict.fromkeys(names, "")},)) if names else None
    if isinstance(inner, words.Task) and inner.task.status == "open":
        tasks = scene.lead.open_tasks(None if inner.task.name == ANY else inner.task.name)
        return Wish(tuple({"act": "complete_task", "task": t.id, "note": NOTE} for t in tasks))
    return None


def _any_of(condition: words.AnyOf, scene: Scene) -> Wish | None:
    """The first branch that people can bring about."""
    for branch in condition.any_of:
        lacking = [each for each in branch if missing(each, scene)]
        wishes = [wish(each, scene) for each in lacking]
        found = [each for each in wishes if each is not None]
        if len(found) == len(wishes):
            return joined(found)
    return None


def joined(wishes: list[Wish]) -> Wish:
    """All of them, one after the other."""
    given: Arguments = {}
    for each in wishes:
        given |= each.given or {}
    return Wish(
        tuple(step for each in wishes for step in each.first),
        given,
        next((each.by for each in wishes if each.by), None),
        tuple(name for each in wishes for name in each.opens),
    )


def _enough(want: Count) -> int:
    wanted = want.exactly if want.exactly is not None else want.at_least
    return wanted or 0


def _bound(want: Range) -> int:
    found = want.at_least if want.at_least is not None else want.at_most
    return found or 0


WISHES: Mapping[type[Condition], Callable[[Any, Scene], Wish | None]] = {
    words.Filled: _filled,
    words.Given: _given,
    words.Attempts: _attempts,
    words.Contacts: _contacts,
    words.Elapsed: _elapsed,
    words.Task: _task,
    words.Message: _message,
    words.Document: _document,
    words.By: _by,
    words.Is: _is,
    words.Not: _not,
    words.AnyOf: _any_of,
}
