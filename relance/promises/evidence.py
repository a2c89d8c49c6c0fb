"""What the audit looks at: ledgers kept by different hands, and handy views of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from services.pipeline.core.lead import Lead
from services.pipeline.store import Step
from shared.contract.envelope import Envelope, Event
from shared.contract.notifications import MessageEvent, NotificationSent
from shared.contract.pipeline import LeadErased
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS
from shared.domain.lead_number import number_of

E = TypeVar("E", bound=Event)

SEQUENCED = (PIPELINE, REMINDERS, NOTIFICATIONS)
"""The topics whose events count up, dense, for each subject."""

SANDBOXED = ("sms", "chat")
"""The channels whose book, where it is read, is the sandbox's."""


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A row of notifications' table: how the message stands, and before when it does not go."""

    status: str
    send_after: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """What one service has not finished; `parked` and `set_aside` hold (event, subject, why)."""

    outbox: int = 0
    parked: Sequence[tuple[str, str, str]] = ()
    set_aside: Sequence[tuple[str, str, str]] = ()

    @property
    def subjects(self) -> frozenset[str]:
        """Whose events wait."""
        return frozenset(subject for _, subject, _ in (*self.parked, *self.set_aside))


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What is compared.

    `records`: topic name -> its events, in order within each partition. Of pipeline's database
    `leads` and their `history`; `deadlines` armed in reminders' (`DeadlineSet` id -> instant);
    `messages` in notifications'. `reached`: service -> (source, subject) -> the last sequence it
    gave out (its own source) or took up; `waiting` by service.

    Kept outside of Relance, where somebody keeps them: `accepted`, ids of events the doors
    answered 2xx for; `acted`, ids of the actions that pipeline answered (done or refused);
    `delivered`, channel -> notification id -> how often a provider was handed it. `at` is when
    all of this was read, absent where time steps.
    """

    records: Mapping[str, Sequence[Envelope]]
    leads: Mapping[str, Lead]
    history: Sequence[Step] = ()
    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    messages: Mapping[str, KeptMessage] = field(default_factory=dict)
    reached: Mapping[str, Mapping[tuple[str, str], int]] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    accepted: frozenset[str] | None = None
    acted: frozenset[str] = frozenset()
    delivered: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    at: datetime | None = None


class Evidence:
    """The ledgers, read once: each event counted once, however often it lies on its topic."""

    def __init__(self, ledgers: Ledgers) -> None:
        self.ledgers = ledgers
        self.received = self._events(INTAKE.name)
        self.pipeline = self._events(PIPELINE.name)
        self.reminders = self._events(REMINDERS.name)
        self.told = self._events(NOTIFICATIONS.name)

    def _events(self, topic: str) -> list[Envelope]:
        """A crash between publish and delete repeats a record; readers drop it by id."""
        first: dict[str, Envelope] = {}
        for envelope in self.ledgers.records.get(topic, ()):
            first.setdefault(envelope.id, envelope)
        return list(first.values())

    @property
    def all(self) -> Iterator[Envelope]:
        """Every event of the four topics."""
        for events in (self.received, self.pipeline, self.reminders, self.told):
            yield from events

    @cached_property
    def erased(self) -> Mapping[str, str]:
        """The leads of persons who are forgotten, with their numbers."""
        return {
            event.subject: number_of(event.subject) for event, _ in of(self.pipeline, LeadErased)
        }

    def is_forgotten(self, message: MessageEvent) -> bool:
        """Whether the sandbox has forgotten it with a person, as notifications has it do: what was
        of their leads, and what names one of them (decision 20). A mailbox forgets nothing."""
        if message.channel not in SANDBOXED:
            return False
        text = message.text if isinstance(message, NotificationSent) else ""
        return message.lead in self.erased or any(n in text for n in self.erased.values())

    @cached_property
    def waiting_events(self) -> frozenset[str]:
        """Events that lie in a parking or a quarantine: told as such, not as lost."""
        return frozenset(
            event
            for waiting in self.ledgers.waiting.values()
            for event, _, _ in (*waiting.parked, *waiting.set_aside)
        )


def of(events: Iterable[Envelope], kind: type[E]) -> list[tuple[Envelope, E]]:
    """The events of one class, with their envelopes."""
    return [(event, event.data) for event in events if isinstance(event.data, kind)]
