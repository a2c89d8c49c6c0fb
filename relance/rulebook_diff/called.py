"""What the names in a rulebook are called by people, and values in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from relance.rulebook_diff.phrase import TIED
from shared.domain.count import counted
from shared.domain.duration import parse
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.word import Ref

UNITS = {"m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month"}
PLAIN = {
    "email": "e-mail",
    "sms": "SMS",
    "any": "any",
    "each_known": "every known channel",
    "refuse": "refused",
    "warn": "warned",
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
PARTIES = {
    "owner": "the owner",
    "manager": "the manager",
    "contact": "the contact",
    "actor": "whoever acts",
    "issuer": "whoever gave the task",
    "assignee": "whoever has the task",
    "last_caller": "whoever tried last",
    "linked_owner": "the other lead's owner",
    "answer": "the agent answered",
    "next_of": "the next one of",
    "role": "the role",
    "team": "the team",
}
MOMENTS = {
    "now": "now",
    "received": "the receipt",
    "stage_entered": "the entry into the stage",
    "last_contact": "the last exchange",
    "last_attempt": "the last attempt",
    "last_call": "the last call",
    "opened": "the opening of the mail",
    "appointment": "the appointment",
    "closed": "the end of the lead",
    "today": "today",
}
ALIKE = {
    "filled": ("field",),
    "attribute": ("field",),
    "date field": ("field",),
    "attempt or outcome": ("attempt", "outcome"),
    "question": ("template",),
}
"""Kinds of names that are called as others are."""


class Called:
    """What ids are called: by the new rulebook, else by the old one."""

    def __init__(self, old: Rulebook, new: Rulebook) -> None:
        self._labels = dict(_labels(old)) | dict(_labels(new))
        self._values = {
            (field.id, id_): choice.label
            for book in (old, new)
            for field in book.fields.values()
            for id_, choice in field.values.items()
        }

    def name(self, kind: str, id_: str) -> str:
        """`«Call back»`; what has no label is shown as it is."""
        if kind == "duration":
            return self.duration(id_)
        if kind == "moment" and id_ in MOMENTS:
            return _tied(MOMENTS[id_])
        if kind == "party":
            return self.party(id_)
        if kind == "deadline":
            return id_ if id_ == "all" else f"«{plain(id_)}»"
        for each in ("field",) if kind == "moment" else ALIKE.get(kind, (kind,)):
            if (each, id_) in self._labels:
                return f"«{self._labels[each, id_]}»"
        return plain(id_)

    def value(self, attribute: str, value: str) -> str:
        """What a value of an attribute, or of a field, is called."""
        if (attribute, value) in self._values:
            return f"«{self._values[attribute, value]}»"
        return self.name(attribute, value)

    def duration(self, text: str) -> str:
        """`30 minutes`, or the name of the setting."""
        return as_duration(text) or self.name("setting", text)

    def party(self, text: str) -> str:
        """`the next one of the team sales`."""
        if text in ("any", "all"):
            return text
        words = (part.partition(":") for part in text.split())
        return _tied(
            " ".join(f"{PARTIES.get(word, word)} {rest}".strip() for word, _, rest in words)
        )


def _labels(book: Rulebook) -> Iterator[tuple[tuple[str, str], str]]:
    kinds: Mapping[str, Mapping[str, Any]] = {
        "pipeline": book.pipelines,
        "field": book.fields,
        "task": book.tasks,
        "outcome": book.outcomes,
        "reason": book.reasons,
        "attempt": book.attempts,
        "document": book.documents,
        "words": book.words,
        "setting": book.settings,
        "queue": book.queues,
        "template": book.messages.templates,
        "target": book.messages.targets,
        "source": {source.id: source for source in book.sources.source},
    }
    for kind, declared in kinds.items():
        for id_, each in declared.items():
            yield (kind, id_), each.label or id_
    for (pipeline, id_), stage in book.stages.items():
        yield ("stage", id_), stage.label
        yield ("stage", f"{pipeline}.{id_}"), stage.label


def as_duration(text: str) -> str | None:
    """`30 minutes` for `30m`; None for what is no duration."""
    try:
        found = parse(text)
    except ValueError:
        return None
    return counted(found.count, UNITS[found.unit])


def _tied(text: str) -> str:
    return text.replace(" ", TIED)


def plain(value: object) -> str:
    """A value that is no name, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case dt.date():
            return f"{value:%Y-%m-%d}"
        case str() if not value:
            return "nothing"
        case str():
            known = as_duration(value) or _tied(PLAIN.get(value, ""))
            return known or (value.replace("_", TIED) if value.isidentifier() else value)
        case _:
            return str(value)


def kind_named(info: FieldInfo) -> str | None:
    """The kind of name that a field of a model holds, if it holds one."""
    return _kind((*info.metadata, info.annotation))


def _kind(parts: Iterable[Any]) -> str | None:
    for part in parts:
        if isinstance(part, Ref):
            return part.kind
        if (found := _kind(get_args(part) or getattr(part, "__metadata__", ()))) is not None:
            return found
    return None
