"""What people would have lived, counted; tallies of parts of a year add up to the year's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime

from shared.contract.envelope import Envelope
from shared.contract.notifications import (
    NotificationDeferred,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
)
from shared.contract.pipeline import (
    ActionRefused,
    AttemptLogged,
    ContactMade,
    LeadClosed,
    LeadCreated,
    LeadLate,
    LeadLinked,
    LeadReopened,
    ReplyReceived,
    TaskCompleted,
    TaskCreated,
)
from shared.contract.reminders import LeadOverdue

Name = str | tuple[str, ...]


@dataclass
class Tally:
    """Counters by name. `first_try_minutes` and `first_contact_minutes`: of each lead that had
    one, since it was received; `forgotten`: leads that at some time had no next step, by where."""

    leads: Counter[Name] = field(default_factory=Counter)
    ended: Counter[Name] = field(default_factory=Counter)
    messages: Counter[Name] = field(default_factory=Counter)
    sms_parts: Counter[Name] = field(default_factory=Counter)
    happened: Counter[Name] = field(default_factory=Counter)
    refused: Counter[Name] = field(default_factory=Counter)
    forgotten: Counter[Name] = field(default_factory=Counter)
    first_try_minutes: list[int] = field(default_factory=list)
    first_contact_minutes: list[int] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """The other's counts come on top."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            else:
                mine.extend(theirs)


@dataclass
class Diary:
    """One contact's events, read once each into a tally."""

    tally: Tally
    received: dict[str, datetime] = field(default_factory=dict)
    pipelines: dict[str, str] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    spoken: set[str] = field(default_factory=set)

    def read(self, said: Iterable[Envelope]) -> None:
        """Count what happened."""
        for envelope in said:
            self._read(envelope)

    def _read(self, envelope: Envelope) -> None:
        tally, lead = self.tally, envelope.subject
        match envelope.data:
            case LeadCreated() as data:
                tally.leads[data.pipeline, data.channel] += 1
                self.received[lead] = envelope.time
                self.pipelines[lead] = data.pipeline
            case LeadClosed() as data:
                tally.ended[self.pipelines[lead], data.status, data.reason or ""] += 1
            case NotificationSent() as data:
                whom = "contact" if data.to == "contact" else "agent"
                tally.messages[data.template, data.channel, whom] += 1
                if data.channel == "sms":
                    tally.sms_parts[whom] += data.parts
            case AttemptLogged() as data:
                tally.happened["attempts"] += 1
                tally.happened["attempt cost"] += data.cost
                self._since(envelope, self.tried, tally.first_try_minutes)
            case ContactMade(direction="outbound"):
                tally.happened["conversations"] += 1
                self._since(envelope, self.spoken, tally.first_contact_minutes)
                self._since(envelope, self.tried, tally.first_try_minutes)
            case ActionRefused() as data:
                tally.refused.update({(need.rule,): 1 for need in data.needs})
            case data if (name := NAMED.get(type(data))) is not None:
                tally.happened[name] += 1

    def _since(self, envelope: Envelope, known: set[str], minutes: list[int]) -> None:
        """The first time for this lead counts."""
        received = self.received.get(envelope.subject)
        if received is not None and envelope.subject not in known:
            known.add(envelope.subject)
            minutes.append(int((envelope.time - received).total_seconds() // 60))


NAMED = {
    LeadLinked: "linked",
    LeadReopened: "reopened",
    ReplyReceived: "replies",
    LeadLate: "late",
    LeadOverdue: "overdue",
    TaskCreated: "tasks",
    TaskCompleted: "tasks done",
    NotificationDeferred: "messages held",
    NotificationSuppressed: "messages withheld",
    NotificationFailed: "messages failed",
}
