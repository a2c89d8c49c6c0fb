"""The envelope: one CloudEvents 1.0 event, structured JSON, as it lies on every topic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha1
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SerializeAsAny,
    TypeAdapter,
)

CONTENT_TYPE = "application/cloudevents+json"

NAMESPACE = UUID("7c0b9a52-4f0e-5f5a-9a27-6d1c1f3b7e10")
"""The root of every id Relance derives (uuid5), so that core, replay and retry agree."""


_NAMESPACE_BYTES = NAMESPACE.bytes
# Values are frozen to everybody else. Setters looked up once: a new lead makes 25 copies.
_new = object.__new__
_set_values = BaseModel.__dict__["__dict__"].__set__
_set_given = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


V = TypeVar("V", bound=BaseModel)
_GIVEN: set[str] = set()
"""Which fields were given: nobody asks that of a value."""


class Value(BaseModel):
    """A frozen value. Readers ignore unknown fields; mypy keeps writers strict."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same value with some fields replaced: what pydantic does, in half the time.

        The other half goes into extra and private fields, which values do not have, and into
        which fields were given, which nobody asks of a value.
        """
        if deep:
            return super().model_copy(update=update, deep=True)
        return _made(type(self), {**self.__dict__, **update} if update else self.__dict__.copy())

    @classmethod
    def model_construct(  # type: ignore[override]  # pydantic's plugin types it, by the fields
        cls, _fields_set: set[str] | None = None, **values: Any
    ) -> Self:
        """A value of parts that were checked already, by their names, not checked again: what
        pydantic does, in a tenth of the time."""
        return _made(cls, {**_left_out(cls), **values})


def _made(cls: type[V], fields: dict[str, Any]) -> V:
    """A value with these fields, in the order in which they are declared."""
    value = _new(cls)
    _set_values(value, fields)
    _set_given(value, _GIVEN)
    _set_extra(value, None)
    _set_private(value, None)
    return value


@cache
def _left_out(cls: type[Value]) -> Mapping[str, Any]:
    """What each field is that nobody gives."""
    return {
        name: None if field.is_required() else field.get_default(call_default_factory=True)
        for name, field in cls.model_fields.items()
    }


class Because(Value):
    """The rule that made an event: rulebook, its version, and the numbered rule."""

    rulebook: str
    version: str
    rule: str


class Event(Value):
    """The payload of an envelope: a past-tense fact. Each class names its wire type."""

    type: ClassVar[str]
    because: Because | None = None


def _typed(data: object) -> object:
    """Refuse a bare dict: payloads are made typed by `shared.contract.topics.decode`."""
    if isinstance(data, Event):
        return data
    raise ValueError("data must be a typed Event")


class Envelope(Value):
    """One event with its CloudEvents attributes.

    `id` is a UUID in text. `source` is the service (`/pipeline`) or the outside system.
    `subject` is the key that orders events (a lead or notification id, `tenant/agent`).
    `time` is when intake accepted the input that caused it, UTC; the only now a core sees.
    `sequence` is dense per (source, subject), set by the outbox (`runtime.md` 9).
    """

    # Its JSON, once somebody asked for it: history and outbox write the same. A copy has none.
    __slots__ = ("_written",)

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: AwareDatetime
    tenant: str
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: int | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    data: Annotated[SerializeAsAny[Event], BeforeValidator(_typed)]

    def to_bytes(self) -> bytes:
        """The envelope as it is written to Kafka: compact JSON without absent attributes."""
        try:
            written: bytes = _written.__get__(self)
        except AttributeError:
            written = _to_json(self, by_alias=True, exclude_none=True)
            _written.__set__(self, written)
        return written

    def numbered(self, sequence: int) -> bytes:
        """The same with its place among the events of its subject, which is known last of all."""
        if self.sequence is not None:
            return self.model_copy(update={"sequence": sequence}).to_bytes()
        return self.to_bytes()[:-1] + b',"sequence":%d}' % sequence


# Asked for by the model, what is not there goes through pydantic first, slowly. The serializer
# itself gives bytes; a model's own method makes text of them first.
_written = Envelope.__dict__["_written"]
_to_json = TypeAdapter(Envelope).serializer.to_json


def derived_id(*parts: str) -> str:
    """A UUID that depends on `parts` alone: the same input makes the same id for ever.

    It is `uuid5(NAMESPACE, parts joined)`, written out because cores make several per event.
    """
    digest = sha1(_NAMESPACE_BYTES + "\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANTS[digest[16]]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


_VARIANTS = {f"{digit:x}": "89ab"[digit & 3] for digit in range(16)}


def caused(
    cause: Envelope,
    *,
    source: str,
    index: int,
    subject: str,
    data: Event,
    time: datetime | None = None,
) -> Envelope:
    """The `index`-th event that `source` makes of `cause`: same tenant, time and correlation."""
    known = cause.__dict__  # read one by one, attributes of a model are looked up slowly
    id_ = known["id"]
    return _made(
        Envelope,
        {
            **known,
            "id": derived_id(id_, source, str(index)),
            "source": source,
            "type": data.type,
            "subject": subject,
            "time": time or known["time"],
            "sequence": None,
            "correlationid": known["correlationid"] or id_,
            "causationid": id_,
            "data": data,
        },
    )
