"""What must be true, as phrases: `at least 4 attempts by call`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from relance.rulebook_diff.called import Called, plain
from relance.rulebook_diff.phrase import Many, Phrase, said
from relance.rulebook_diff.value import dumped
from relance.toml_text import inline
from shared.domain.count import noun
from shared.domain.rulebook import condition as asked


def phrase_of(condition: asked.Condition, called: Called) -> Phrase:
    """The condition in words; one that has none as the file says it."""
    speak = CONDITIONS.get(type(condition))
    return speak(called, condition) if speak else said(inline(dumped(condition)))


def _all_of(conditions: Iterable[asked.Condition], called: Called) -> Phrase:
    return _joined([phrase_of(each, called) for each in conditions], "and")


def _joined(phrases: list[Phrase], last: str) -> Phrase:
    parts: list[Phrase] = []
    for number, phrase in enumerate(phrases):
        parts += [said(last)] if number else []
        parts.append(phrase)
    return said(*parts)


def _bounds(table: Any) -> str:
    exactly = getattr(table, "exactly", None)
    words = [("exactly", exactly), ("at least", table.at_least)]
    words.append(("at most", getattr(table, "at_most", None)))
    found = [f"{word} {number}" for word, number in words if number is not None]
    return " and ".join(found)


def _is(called: Called, it: asked.Is) -> Phrase:
    parts = []
    for name, want in it.is_.items():
        what = called.name("attribute", name)
        if isinstance(want, asked.Range):
            parts.append(said(f"{what} is {_bounds(want)}"))
        else:
            values = tuple(called.value(name, value) for value in want)
            parts.append(said(f"{what} is", Many(values)))
    return _joined(parts, "and")


def _filled(called: Called, it: asked.Filled) -> Phrase:
    names = tuple(called.name("filled", name) for name in it.filled)
    some = f"at least {it.at_least} of" if it.at_least is not None else ""
    current = "of today" if it.current else ""
    return said("known:", some, Many(names, "and"), current)


def _given_with(called: Called, it: asked.Given) -> Phrase:
    if not isinstance(it.given, dict):
        return said("said with it:", Many(tuple(plain(name) for name in it.given), "and"))
    parts = []
    for name, values in it.given.items():
        meant = tuple(called.value(name, value) for value in values)
        parts.append(said(f"the {plain(name)} is", Many(meant)))
    return _joined(parts, "and")


def _counted(what: str, key: str) -> Callable[[Called, Any], Phrase]:
    def speak(called: Called, it: Any) -> Phrase:
        table = getattr(it, key)
        bounds = (table.exactly, table.at_least, table.at_most)
        many = max((bound for bound in bounds if bound is not None), default=0)
        return said(_bounds(table), noun(many, what), *_exchanges(called, table))

    return speak


def _exchanges(called: Called, table: asked.ExchangeCount) -> Iterator[str | Many | Phrase]:
    if isinstance(table, asked.AttemptCount):
        if table.days:
            yield "on as many days"
        if not table.counted:
            yield "(counted or not)"
        if table.code is not None:
            yield f"of {called.name('attempt', table.code)}"
        if table.outcome is not None:
            yield f"with {called.name('outcome', table.outcome)}"
        if table.apart is not None:
            yield f"{called.duration(table.apart)} apart"
    if table.channel is not None:
        yield f"by {plain(table.channel)}"
    if table.since != "received":
        since = called.name("moment", table.since)
        yield "just now" if table.since == "now" else f"since {since}"


def _elapsed(called: Called, it: asked.Elapsed) -> Phrase:
    span = it.elapsed
    bounds = [("at least", span.at_least), ("at most", span.at_most)]
    told = " and ".join(f"{word} {called.duration(n)}" for word, n in bounds if n)
    since = f"since {called.name('moment', span.since)}"
    until = f"until {called.name('moment', span.until)}" if span.until != "now" else ""
    return said(told, since, until)


def _task(called: Called, it: asked.Task) -> Phrase:
    task = it.task
    status = "open task" if task.status == "open" else "finished task"
    named = f"{status} {called.name('task', task.name)}"
    whose = "of whoever acts" if task.of == "actor" else ""
    note = ("noted", Many(tuple(f"«{n}»" for n in task.note))) if task.note else ()
    return said(_bounds(task), f"any {status}" if task.name == asked.ANY else named, whose, *note)


def _message(called: Called, it: asked.Message) -> Phrase:
    names = tuple(called.name("template", name) for name in it.message.template)
    return said(_bounds(it.message), f"{it.message.status}:", Many(names))


def _document(called: Called, it: asked.Document) -> Phrase:
    kinds = tuple(called.name("document", kind) for kind in it.document.kind)
    last = "and" if it.document.all else "or"
    return said("the document", Many(kinds, last), it.document.status or "")


def _mentions(called: Called, it: asked.Mentions) -> Phrase:
    fields = tuple(called.name("field", name) for name in it.mentions.field)
    lists = tuple(called.name("words", name) for name in it.mentions.words)
    return said("a word of", Many(lists), "in", Many(fields))


def _by(called: Called, it: asked.By) -> Phrase:
    return said("whoever acts is", Many(tuple(called.party(each) for each in it.by)))


def _availability(called: Called, it: asked.Availability) -> Phrase:
    return said(f"{called.party(it.availability.party)} is {it.availability.is_}")


def _linked(called: Called, it: asked.Linked) -> Phrase:
    return said("of another lead of the contact:", _all_of(it.linked, called))


def _not(called: Called, it: asked.Not) -> Phrase:
    return said("not (", phrase_of(it.not_, called), ")")


def _any_of(called: Called, it: asked.AnyOf) -> Phrase:
    return said("either", _joined([_all_of(branch, called) for branch in it.any_of], "or"))


CONDITIONS: Mapping[type[asked.Condition], Callable[[Called, Any], Phrase]] = {
    asked.Is: _is,
    asked.Filled: _filled,
    asked.Given: _given_with,
    asked.Attempts: _counted("attempt", "attempts"),
    asked.Contacts: _counted("exchange", "contacts"),
    asked.Elapsed: _elapsed,
    asked.Task: _task,
    asked.Message: _message,
    asked.Document: _document,
    asked.Mentions: _mentions,
    asked.By: _by,
    asked.Availability: _availability,
    asked.Linked: _linked,
    asked.Not: _not,
    asked.AnyOf: _any_of,
}
