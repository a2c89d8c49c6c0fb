"""Conditions in words: what would satisfy one, said to the agent who was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core.condition import mentioned
from services.pipeline.core.moment import later, moment_of
from services.pipeline.core.phrase import Phrases, shown
from services.pipeline.core.turn import Scene
from shared.domain.rulebook import condition as words
from shared.domain.rulebook.condition import ANY, Condition


def describe(condition: Condition, scene: Scene) -> str:
    """One sentence in the company's language, labels instead of ids."""
    return WORDS[type(condition)](condition, scene, Phrases(scene.book.language))


def label(scene: Scene, name: str) -> str:
    """A field's label with its values, or the name itself."""
    field = scene.book.fields.get(name)
    if field is None:
        return name
    choices = field.choices(scene.today).values()
    return f"{field.label} ({', '.join(choices)})" if choices else field.label


def _filled(condition: words.Filled, scene: Scene, phrases: Phrases) -> str:
    names = [label(scene, name) for name in condition.filled]
    if condition.at_least is not None:
        return phrases.say("filled_some", names, number=condition.at_least)
    return phrases.say("filled", names)


def _given(condition: words.Given, scene: Scene, phrases: Phrases) -> str:
    given = condition.given
    if isinstance(given, dict):
        choices = {name: list(values) for name, values in given.items()}
    else:
        reasons = [reason.label for reason in scene.book.reasons.values()]
        choices = {name: reasons if name == "reason" else [] for name in given}
    return phrases.say(
        "given",
        [
            f"{phrases.noun(name)} ({', '.join(values)})" if values else phrases.noun(name)
            for name, values in choices.items()
        ],
    )


def _attempts(condition: words.Attempts, _: Scene, phrases: Phrases) -> str:
    want = condition.attempts
    what = [phrases.bounds(want.at_least, want.at_most, want.exactly)]
    if want.days:
        what.append(phrases.say("days"))
    if want.channel is not None:
        each = want.channel == "each_known"
        what.append(phrases.say("each_known") if each else want.channel)
    return phrases.say("attempts", what)


def _contacts(condition: words.Contacts, _: Scene, phrases: Phrases) -> str:
    want = condition.contacts
    return phrases.say("contacts", phrases.bounds(want.at_least, want.at_most, want.exactly))


def _elapsed(condition: words.Elapsed, scene: Scene, phrases: Phrases) -> str:
    span = condition.elapsed
    start = moment_of(scene, span.since) or scene.now
    zone = scene.directory.opening(scene.lead.site).zone
    key, duration = "elapsed", span.at_least
    if duration is None:
        key, duration = "too_late", span.at_most
    until = start if duration is None else later(scene, start, duration)
    return phrases.say(key, shown(until.astimezone(zone)))


def _task(condition: words.Task, scene: Scene, phrases: Phrases) -> str:
    want = condition.task
    label_ = phrases.say("any_task") if want.name == ANY else scene.book.tasks[want.name].label
    if want.note:
        label_ = f"{label_} ({' / '.join(want.note)})"
    return phrases.say(f"task_{want.status}", label_)


def _message(condition: words.Message, scene: Scene, phrases: Phrases) -> str:
    want = condition.message
    templates = scene.book.messages.templates
    return phrases.say(f"message_{want.status}", [templates[t].label for t in want.template])


def _document(condition: words.Document, scene: Scene, phrases: Phrases) -> str:
    want = condition.document
    labels = [scene.book.documents[kind].label for kind in want.kind]
    what = (", " if want.all else phrases.say("or")).join(labels)
    if want.status is not None:
        what = f"{what} ({phrases.noun(want.status)})"
    return phrases.say("document", what)


def _mentions(condition: words.Mentions, scene: Scene, phrases: Phrases) -> str:
    """The words that were found; before there are any, what the lists are called."""
    seen = mentioned(condition, scene)
    lists = [scene.book.words[list_].label for list_ in condition.mentions.words]
    return phrases.say("mentions", [f"« {word} »" for word in seen] or lists)


def _by(condition: words.By, _: Scene, phrases: Phrases) -> str:
    return phrases.say("by", [phrases.noun(party) for party in condition.by])


def _availability(condition: words.Availability, _: Scene, phrases: Phrases) -> str:
    want = condition.availability
    return phrases.say(want.is_, phrases.noun(want.party))


def _linked(condition: words.Linked, scene: Scene, phrases: Phrases) -> str:
    return phrases.say("linked", [describe(each, scene) for each in condition.linked])


def _is(condition: words.Is, scene: Scene, phrases: Phrases) -> str:
    what = []
    for name, want in condition.is_.items():
        values = want if isinstance(want, tuple) else (phrases.bounds(want.at_least, want.at_most),)
        what.append(f"{label(scene, name)} = {' / '.join(values)}")
    return phrases.say("is", what)


def _not(condition: words.Not, scene: Scene, phrases: Phrases) -> str:
    return phrases.say("not", describe(condition.not_, scene))


def _any_of(condition: words.AnyOf, scene: Scene, phrases: Phrases) -> str:
    branches = [", ".join(describe(c, scene) for c in branch) for branch in condition.any_of]
    return phrases.say("or").join(branches)


WORDS: Mapping[type[Condition], Callable[[Any, Scene, Phrases], str]] = {
    words.Filled: _filled,
    words.Given: _given,
    words.Attempts: _attempts,
    words.Contacts: _contacts,
    words.Elapsed: _elapsed,
    words.Task: _task,
    words.Message: _message,
    words.Document: _document,
    words.Mentions: _mentions,
    words.By: _by,
    words.Availability: _availability,
    words.Linked: _linked,
    words.Is: _is,
    words.Not: _not,
    words.AnyOf: _any_of,
}
