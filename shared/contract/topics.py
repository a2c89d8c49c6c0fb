"""The topics: who writes them, how they are keyed and kept, which events lie on them.

This table is the truth (`runtime.md` 23); the cluster is checked against it at start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from shared.contract.directory import DIRECTORY_EVENTS
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import INTAKE_EVENTS, RawReceived
from shared.contract.notifications import NOTIFICATIONS_EVENTS
from shared.contract.pipeline import PIPELINE_EVENTS
from shared.contract.reminders import REMINDERS_EVENTS

DAY_MS = 24 * 60 * 60 * 1000
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `partitions` never changes: the order of a subject depends on it.

    `retention_ms` is absent for compacted topics. `flush_each` puts every record on disk before
    it is acknowledged, where one broker holds it (`runtime.md` 20). `readers` are the services
    that subscribe to it; anybody may read for themselves.
    """

    name: str
    writer: str
    key: str
    partitions: int = 12
    retention_ms: int | None = 120 * DAY_MS
    max_bytes: int = 1 * MIB
    compacted: bool = False
    flush_each: bool = False
    events: tuple[type[Event], ...] = ()
    readers: tuple[str, ...] = ()


def _inbound(kind: str) -> Topic:
    return Topic(
        f"inbound.{kind}.v1", "outside", "any", partitions=6, max_bytes=8 * MIB, readers=("intake",)
    )


def _dead_letters(service: str) -> Topic:
    return Topic(
        f"{service}.dead-letters.v1", service, "as it came", partitions=1, max_bytes=8 * MIB
    )


INBOUND_CALLS, INBOUND_FORMS, INBOUND_EMAILS = map(_inbound, ("calls", "forms", "emails"))
INTAKE_RAW = Topic(
    "intake.raw.v1",
    "intake",
    "event id",
    partitions=6,
    retention_ms=30 * DAY_MS,
    max_bytes=8 * MIB,
    flush_each=True,
    events=(RawReceived,),
)
INTAKE = Topic(
    "intake.events.v1",
    "intake",
    "keyed hash of tenant and first contact point",
    flush_each=True,
    events=INTAKE_EVENTS,
    readers=("pipeline",),
)
DIRECTORY = Topic(
    "directory.v1",
    "intake",
    "tenant/kind/id",
    partitions=1,
    retention_ms=None,
    compacted=True,
    flush_each=True,
    events=DIRECTORY_EVENTS,
    readers=("intake", "pipeline", "reminders", "notifications"),
)
PIPELINE = Topic(
    "pipeline.events.v1",
    "pipeline",
    "lead id (digest requests: tenant/agent; of a person: contact id)",
    events=PIPELINE_EVENTS,
    readers=("reminders", "notifications"),
)
REMINDERS = Topic(
    "reminders.events.v1",
    "reminders",
    "lead id (AgentAbsent, DigestDue: tenant/agent)",
    events=REMINDERS_EVENTS,
    readers=("pipeline",),
)
NOTIFICATIONS = Topic(
    "notifications.events.v1",
    "notifications",
    "lead id or tenant/agent",
    events=NOTIFICATIONS_EVENTS,
    readers=("pipeline",),
)
SERVICES = ("intake", "pipeline", "reminders", "notifications")
DEAD_LETTERS = {service: _dead_letters(service) for service in SERVICES}

TOPICS: tuple[Topic, ...] = (
    INBOUND_CALLS,
    INBOUND_FORMS,
    INBOUND_EMAILS,
    INTAKE_RAW,
    INTAKE,
    DIRECTORY,
    PIPELINE,
    REMINDERS,
    NOTIFICATIONS,
    *DEAD_LETTERS.values(),
)

EVENT_CLASSES: dict[str, type[Event]] = {cls.type: cls for topic in TOPICS for cls in topic.events}


class UnknownEvent(Exception):
    """A type or version this release does not know; the subject waits for one that does.

    `subject` and `source` let the consumer park it (`runtime.md` 24).
    """

    def __init__(self, type_: str, source: str, subject: str, sequence: int | None) -> None:
        super().__init__(f"event type {type_!r} is not known to this release")
        self.type, self.source, self.subject, self.sequence = type_, source, subject, sequence


def decode(raw: bytes) -> Envelope:
    """The typed envelope of a record's value.

    Raises `UnknownEvent` for a type not in the topic table and `ValueError` (pydantic's
    `ValidationError` included) for anything that is no valid envelope.
    """
    return typed(from_json(raw, allow_inf_nan=False))


def typed(attributes: Any) -> Envelope:
    """The envelope of what JSON said; raises what `decode` raises."""
    if not isinstance(attributes, dict):
        raise ValueError("an envelope is a JSON object")
    cls = EVENT_CLASSES.get(str(attributes.get("type")))
    if cls is None:
        raise UnknownEvent(
            str(attributes.get("type")),
            str(attributes.get("source")),
            str(attributes.get("subject")),
            attributes.get("sequence"),
        )
    return Envelope.model_validate(
        {**attributes, "data": cls.model_validate(attributes.get("data"))}
    )
