"""The decoder: what a record says, or why it cannot be taken up (`runtime.md` 5, 24)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from shared.contract.envelope import Envelope
from shared.contract.topics import Topic, UnknownEvent, typed
from shared.runtime.kafka import Record

_DEEPEST = 32
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Item:
    """A record on its way: its envelope, or `fault` (bad data), or `unknown` (a newer type)."""

    record: Record
    envelope: Envelope | None = None
    id: str | None = None
    source: str = ""
    subject: str = ""
    sequence: int | None = None
    fault: str | None = None
    unknown: str | None = None
    place: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What orders it."""
        return self.source, self.subject


def read(record: Record, topic: Topic) -> Item:
    """The item of a record; never raises."""
    item = Item(record)
    if record.value is None:
        item.fault = "the record has no value"
        return item
    try:
        attributes = from_json(record.value, allow_inf_nan=False)
        _refuse(attributes, 0)
        if isinstance(attributes, dict):
            _identify(item, attributes)
        envelope = typed(attributes)
    except UnknownEvent as error:
        item.unknown = str(error)
        if not item.subject or item.id is None:
            item.fault = "no event: it lacks a type, an id, a source or a subject"
        return item
    except ValueError as error:
        item.fault = _reason(error)
        return item
    if item.id is None:
        item.fault = "id: must be a UUID in lower case"
    elif type(envelope.data) not in topic.events:
        item.unknown = f"event type {envelope.type!r} does not belong on {topic.name}"
    item.envelope = envelope
    return item


def refusal(value: bytes) -> str | None:
    """Why no reader of ours would take these bytes up: to be asked before they are promised."""
    try:
        _refuse(from_json(value, allow_inf_nan=False), 0)
    except ValueError as error:
        return _reason(error)
    return None


def _identify(item: Item, attributes: dict[str, Any]) -> None:
    """What a faulty event is filed under, as far as it can be known."""
    id_, source, subject = (attributes.get(name) for name in ("id", "source", "subject"))
    sequence = attributes.get("sequence")
    if isinstance(id_, str) and _UUID.fullmatch(id_):
        item.id = id_
    if isinstance(source, str) and isinstance(subject, str):
        item.source, item.subject = source, subject
    if isinstance(sequence, int) and not isinstance(sequence, bool):
        item.sequence = sequence


def _refuse(value: object, depth: int) -> None:
    """Refuse what JSON allows and PostgreSQL (or a reader in another language) does not."""
    if depth > _DEEPEST:
        raise ValueError(f"nested deeper than {_DEEPEST}")
    kind = type(value)
    if kind is str:
        if "\0" in value:  # type: ignore[operator]  # mypy does not follow `kind is str`
            raise ValueError("a text holds the character NUL")
    elif kind is dict:
        for name, inner in value.items():  # type: ignore[attr-defined]  # as above
            if "\0" in name:
                raise ValueError("a name holds the character NUL")
            _refuse(inner, depth + 1)
    elif kind is list:
        for inner in value:  # type: ignore[attr-defined]  # as above
            _refuse(inner, depth + 1)
    elif kind is int:
        if not _SMALLEST <= value <= _LARGEST:  # type: ignore[operator]  # as above
            raise ValueError("an integer does not fit 64 bits")
    elif kind is float and value in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")


def _reason(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, item['loc'])) or 'event'}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)[:5]
    )
