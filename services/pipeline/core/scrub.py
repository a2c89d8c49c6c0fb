"""An event without the person: what it says of them is gone, what happened and when stays.

Nothing is kept by chance: a text stays only where its name stands for an id or a word of the
rulebook, so a field that is new tomorrow is dropped until somebody says that it may stay.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from services.pipeline.core.action import SetFields
from services.pipeline.core.evolve_erased import ours
from shared.contract.due import Due
from shared.contract.envelope import Because, Envelope
from shared.contract.intake import LeadReceived
from shared.contract.pipeline import LeadCreated, NotificationWithdrawn, TaskCreated

ERASED = "erased"
"""Stands where a text must stand."""

IDS = frozenset(
    {"contact", "previous", "lead", "linked", "kept", "other", "duplicate_of", "notification"}
    | {"request", "task", "document", "appointment", "deadline", "deadline_set", "id"}
)
AGENTS = frozenset({"by", "to", "agent", "answered_by", "issuer", "owner"})
WORDS = frozenset(
    {"pipeline", "stage", "left", "site", "source", "code", "outcome", "kind", "template"}
    | {"occasion", "question", "answer", "target", "reason", "action", "act", "queue", "lasts"}
    | {"resolution", "rulebook", "version", "rule", "number", "in_", "of", "before", "anchor", "at"}
)
KEPT = IDS | AGENTS | WORDS
LISTS = frozenset({"to", "channels", "leads", "tags", "not_by"})
NAMES_OF_KINDS = "name"
"""The kind of a task or a deadline, but in what says who got in touch the person's."""

M = TypeVar("M", bound=BaseModel)


def scrubbed(envelope: Envelope) -> Envelope:
    """The envelope with its data scrubbed; its ids, time and place among the others stay."""
    return envelope.model_copy(update={"data": _scrubbed(envelope.data)})


def _scrubbed(value: M) -> M:
    cls = type(value)
    update = {
        name: _kept(cls, name, field, getattr(value, name))
        for name, field in cls.model_fields.items()
    }
    if isinstance(value, TaskCreated):
        update["title"] = value.name
    if isinstance(value, SetFields):
        update["fields"] = {ERASED: ERASED}
    return value.model_copy(update=update)


def _kept(cls: type[BaseModel], name: str, field: FieldInfo, value: Any) -> Any:
    """What of this field may stay."""
    if value is None or isinstance(value, bool | int | float | datetime | date | Due | Because):
        return value
    if isinstance(value, str):
        return _text(cls, name, field, value)
    if isinstance(value, BaseModel):
        return _scrubbed(value)
    if isinstance(value, tuple):
        if name == "mail_ids":
            return ours(value)
        return value if name in LISTS else ()
    return {} if isinstance(value, dict) else None


def _text(cls: type[BaseModel], name: str, field: FieldInfo, value: str) -> str | None:
    if _is_choice(field.annotation) or (name in KEPT and not _names_a_person(cls, name)):
        return value
    if name == NAMES_OF_KINDS and _is_a_kind(cls):
        return value
    if name == "why" and cls is NotificationWithdrawn:  # a word of ours
        return value
    return ERASED if field.is_required() else None


def _is_choice(annotation: Any) -> bool:
    """Whether it is one of a closed list of words."""
    options = (annotation, *get_args(annotation))
    return any(get_origin(option) is Literal for option in options)


def _names_a_person(cls: type[BaseModel], name: str) -> bool:
    """The owner in a file is whatever was written there."""
    return cls is LeadReceived and name == "owner"


def _is_a_kind(cls: type[BaseModel]) -> bool:
    return cls is not LeadCreated and cls.__name__.startswith(("Task", "Deadline", "LeadOverdue"))
