"""The words of the language as phrases: what starts a rule, what it does, what is bound.

What no sentence here names is told as `argument value`, so that a new argument is never silent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from relance.rulebook_diff.called import Called, kind_named, plain
from relance.rulebook_diff.phrase import Many, Phrase, said
from relance.rulebook_diff.value import given
from shared.domain.rulebook.condition import ANY
from shared.domain.rulebook.due import DueTime
from shared.domain.rulebook.effect import Answer, Effect
from shared.domain.rulebook.rule import ACTION_WORDS, Target
from shared.domain.rulebook.trigger import Trigger
from shared.domain.rulebook.word import Word
from shared.domain.wording.say import OF

STARTS = {
    "lead_created": "a new lead in",
    "lead_linked": "the same contact again, in",
    "lead_assigned": "the lead given to",
    "lead_acknowledged": "the lead taken up",
    "stage_entered": "the stage",
    "field_set": "another value of",
    "call_started": "the beginning of a call:",
    "call_ended": "the end of a call:",
    "attempt": "an attempt:",
    "contact_made": "an exchange by",
    "reply": "the contact's reply:",
    "classified": "the outcome",
    "payment": "a payment:",
    "appointment": "the appointment:",
    "task_assigned": "another agent for the task",
    "task_completed": "the task done:",
    "overdue": "the task overdue:",
    "deadline": "the end of the watch",
    "sent": "the sending of",
    "opened": "the opening of",
    "blocked": "no more contact by",
    "closed": "the lead closed:",
    "owner_absent": "an owner who is away",
    "answered": "the answer to",
}
DOES = {
    "create_task": "",
    "postpone_task": "put off",
    "complete_task": "finish",
    "cancel_task": "cancel",
    "set_deadline": "watch",
    "clear_deadline": "stop watching",
    "set_fields": "set",
    "assign": "give it to",
    "move": "move to",
    "close": "close as",
    "reopen": "reopen in",
    "create_lead": "one more lead in",
    "log_attempt": "log the attempt",
    "miss_appointment": "nobody came to the appointment:",
    "hand_off": "hand over to",
    "withdraw": "do not send any more",
    "block": "no more contact by",
}
WITH = {"to": "to", "from_": "from", "once_per": "once per", "reason": "because of", "for_": "for"}
OTHERWISE = {"on": "on the contact's other lead", "collect": "all of a file together"}
"""Arguments with one value only."""

VERBS = {"confirm_payment": "confirm a payment:", "attach": "attach", "answer": "answer"}


class Speech:
    """Phrases with the names of two rulebooks."""

    def __init__(self, called: Called) -> None:
        self.called = called

    def trigger(self, when: Trigger) -> Phrase:
        """`the stage «New»`."""
        start = STARTS.get(when.word, when.word.replace("_", " "))
        return said(start, *self._value(when, when.word, "or"), *self._rest(when))

    def effect(self, effect: Effect) -> Phrase:
        """`«Call back» within 30 minutes of open hours`."""
        verb = DOES.get(effect.word, effect.word.replace("_", " "))
        return said(verb, *self._value(effect, effect.word, "and"), *self._rest(effect))

    def target(self, to: Target) -> Phrase:
        """`move «Qualified»`: what a requirement binds."""
        verb = VERBS.get(to.action, to.action.replace("_", " "))
        rest = [name for name in given(to) if name not in ACTION_WORDS]
        more = [part for name in rest for part in self._argument(to, name)]
        return said(verb, *self._value(to, to.action, "or"), *more)

    def due(self, due: DueTime) -> Phrase:
        """`within 2 hours of open hours from the receipt`."""
        parts: list[str] = []
        if due.in_ is not None:
            parts = [f"within {self.called.duration(due.in_)}{OF[due.of]}"]
        elif due.before is not None:
            parts = [f"{self.called.duration(due.before)}{OF[due.of]} before"]
        elif due.on is not None:
            on = due.on if not isinstance(due.on, str) else self.called.name("date field", due.on)
            parts = [f"on {on}"]
        if due.before is not None:
            parts.append(self.called.name("moment", due.from_))
        elif due.from_ != "now":
            parts.append(f"from {self.called.name('moment', due.from_)}")
        if due.at is not None:
            parts.append(f"at {plain(due.at)}")
        if due.if_past == "skip":
            parts.append("unless that is past")
        return said(" ".join(parts))

    def fields(self, model: BaseModel, *without: str) -> Iterator[str | Many | Phrase]:
        """Whatever else is said in a table, an argument at a time."""
        for name in given(model):
            if name not in without:
                yield from self._argument(model, name)

    def _rest(self, word: Word) -> Iterator[str | Many | Phrase]:
        yield from self.fields(word, word.word, f"{word.word}_")

    def _argument(self, model: BaseModel, name: str) -> Iterator[str | Many | Phrase]:
        value = getattr(model, name)
        if isinstance(value, DueTime):
            yield self.due(value)
        elif name in OTHERWISE:
            yield OTHERWISE[name]
        else:
            kind = name.rstrip("_").replace("_", " ")
            text = name in ("note", "subject")
            yield WITH.get(name, f"with the {kind}" if text else kind)
            yield from (f"«{value}»",) if text else self._value(model, name, "or")

    def _value(self, model: BaseModel, name: str, last: str) -> Iterator[str | Many | Phrase]:
        name = name if name in type(model).model_fields else f"{name}_"
        value, kind = getattr(model, name), kind_named(type(model).model_fields[name])
        if isinstance(model, Effect) and name == "note":
            yield f"«{value}»"
        elif name == "set_deadline":
            yield self.called.name("deadline", value)
        elif not (isinstance(model, Target) and value in (ANY, (ANY,))):
            yield from self.said_as(value, kind, last)

    def said_as(self, value: Any, kind: str | None, last: str) -> Iterator[str | Many | Phrase]:
        """A value, by the kind of name that it is."""
        match value:
            case True:
                return
            case tuple():
                yield Many(tuple(self._one(each, kind) for each in value), last)
            case Mapping():
                yield Many(tuple(self._pair(key, each) for key, each in value.items()), last)
            case _:
                yield self._one(value, kind)

    def _one(self, value: Any, kind: str | None) -> str:
        if kind is None:
            return f"«{value}»" if isinstance(value, str) and " " in value else plain(value)
        return self.called.name(kind, str(value))

    def _pair(self, key: str, value: Any) -> str:
        if isinstance(value, Answer):
            return f"«{value.label}»{' naming an agent' if value.agent else ''}"
        return f"{self.called.name('field', key)} {self.called.value(key, str(value))}"
