"""`relance audit`: what was accepted, against what was done and what was sent.

Pure: it compares ledgers (`relance.ledgers` reads them). Two are kept outside of Relance where
there are any: what the doors answered 2xx for, and what the providers were handed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.contract.envelope import Envelope
from shared.contract.intake import LeadReceived
from shared.contract.notifications import (
    MessageEvent,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    NotificationUnknown,
)
from shared.contract.pipeline import (
    LeadCreated,
    LeadLinked,
    NotificationRequested,
    ReplyReceived,
)
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS

Fault = Literal["lost", "repeated", "disordered", "untold", "told_twice", "without_cause"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise: which, about what (an id), and a sentence for people."""

    fault: Fault
    about: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What is compared.

    `records`: topic name -> its events, in order within each partition.
    `leads`: lead ids in pipeline's database. `accepted`: event ids that doors answered 2xx for;
    without a ledger of the sender, what lies on `intake.events.v1` stands for it.
    `delivered`: notification id -> how often the providers were handed it; absent without a
    ledger of the provider.
    """

    records: Mapping[str, Sequence[Envelope]]
    leads: frozenset[str]
    accepted: frozenset[str] | None = None
    delivered: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The counts and the findings; `ok` when there is no finding."""

    counts: Mapping[str, int]
    findings: Sequence[Finding] = field(default_factory=tuple)

    @property
    def ok(self) -> bool:
        """Whether every promise held."""
        return not self.findings

    def count(self, fault: Fault) -> int:
        """How many findings of one kind."""
        return sum(finding.fault == fault for finding in self.findings)


def audit(ledgers: Ledgers) -> Report:
    """Every accepted input has its effect once, order kept, every message told once."""
    received = _first_by_id(ledgers.records.get(INTAKE.name, ()))
    pipeline = _first_by_id(ledgers.records.get(PIPELINE.name, ()))
    told = _first_by_id(ledgers.records.get(NOTIFICATIONS.name, ()))
    findings = [
        *_inputs(ledgers, received, pipeline),
        *_leads(ledgers, pipeline),
        *_sequences(ledgers),
        *_messages(ledgers, pipeline, told),
    ]
    unknown = {e.data.notification for e in told if isinstance(e.data, NotificationUnknown)}
    counts = {
        "accepted": len(ledgers.accepted if ledgers.accepted is not None else received),
        "leads": len(ledgers.leads),
        "events": sum(len(_first_by_id(records)) for records in ledgers.records.values()),
        "repeated_records": sum(
            len(records) - len(_first_by_id(records)) for records in ledgers.records.values()
        ),
        "messages_sent": sum(isinstance(e.data, NotificationSent) for e in told),
        "messages_unknown": len(unknown),
    }
    return Report(counts, tuple(findings))


def _first_by_id(records: Iterable[Envelope]) -> list[Envelope]:
    """A crash between publish and delete repeats a record; readers drop it by id."""
    first: dict[str, Envelope] = {}
    for envelope in records:
        first.setdefault(envelope.id, envelope)
    return list(first.values())


def _inputs(
    ledgers: Ledgers, received: Sequence[Envelope], pipeline: Sequence[Envelope]
) -> Iterator[Finding]:
    leads = {e.id for e in received if isinstance(e.data, LeadReceived)}
    known = {e.id for e in received}
    for id_ in sorted((ledgers.accepted or frozenset()) - known):
        yield Finding("lost", id_, f"input {id_} was answered 2xx but is not on {INTAKE.name}")
    effects = Counter(
        e.causationid
        for e in pipeline
        if isinstance(e.data, LeadCreated | LeadLinked | ReplyReceived)
    )
    for id_ in sorted(leads):
        if effects[id_] == 0:
            yield Finding("lost", id_, f"input {id_} became no lead, no link and no reply")
        elif effects[id_] > 1:
            yield Finding("repeated", id_, f"input {id_} took effect {effects[id_]} times")


def _leads(ledgers: Ledgers, pipeline: Sequence[Envelope]) -> Iterator[Finding]:
    created = Counter(e.subject for e in pipeline if isinstance(e.data, LeadCreated))
    for lead in sorted(ledgers.leads - created.keys()):
        yield Finding("without_cause", lead, f"lead {lead} is stored but was never announced")
    for lead in sorted(created.keys() - ledgers.leads):
        yield Finding("lost", lead, f"lead {lead} was announced but is not stored")
    for lead, times in sorted(created.items()):
        if times > 1:
            yield Finding("repeated", lead, f"lead {lead} was created {times} times")


def _sequences(ledgers: Ledgers) -> Iterator[Finding]:
    """Dense from 1 and in order, for each subject of each writer (`runtime.md` 9)."""
    for topic in (PIPELINE.name, REMINDERS.name, NOTIFICATIONS.name):
        seen: dict[str, list[int]] = defaultdict(list)
        for envelope in _first_by_id(ledgers.records.get(topic, ())):
            seen[envelope.subject].append(envelope.sequence or 0)
        for subject, sequence in seen.items():
            if sequence == list(range(1, len(sequence) + 1)):
                continue
            fault: Fault = "disordered"
            if len(set(sequence)) < len(sequence):
                fault = "repeated"
            elif max(sequence) > len(sequence):
                fault = "lost"
            yield Finding(fault, subject, f"{topic}: sequences of {subject} are {sequence[:20]}")


def _messages(
    ledgers: Ledgers, pipeline: Sequence[Envelope], told: Sequence[Envelope]
) -> Iterator[Finding]:
    requests = {e.id: e.data for e in pipeline if isinstance(e.data, NotificationRequested)}
    occasions = {(r.to.id, r.template, r.occasion) for r in requests.values()}
    answered = set()
    sent: set[str] = set()
    settled: set[str] = set()
    unknown: set[str] = set()
    for event in told:
        if not isinstance(message := event.data, MessageEvent):
            continue
        request = requests.get(message.request)
        if request is None:
            yield Finding(
                "without_cause",
                message.notification,
                f"message {message.notification} names a request that nobody made",
            )
            continue
        answered.add((request.to.id, request.template, request.occasion))
        if isinstance(message, NotificationSent):
            if message.notification in sent:
                yield Finding(
                    "told_twice",
                    message.notification,
                    f"message {message.notification} was recorded as sent twice",
                )
            sent.add(message.notification)
        elif isinstance(message, NotificationUnknown):
            unknown.add(message.notification)
        elif isinstance(message, NotificationFailed | NotificationSuppressed):
            settled.add(message.notification)
    for recipient, template, occasion in sorted(occasions - answered):
        yield Finding(
            "untold", recipient, f"{template} to {recipient} for {occasion} was never decided"
        )
    yield from _deliveries(ledgers.delivered, sent, unknown)


def _deliveries(
    delivered: Mapping[str, int] | None, sent: set[str], unknown: set[str]
) -> Iterator[Finding]:
    """Twice or missing only where a message is named unknown (`design.md` 10)."""
    if delivered is None:
        return
    for id_ in sorted(sent - unknown):
        if delivered.get(id_, 0) == 0:
            yield Finding("untold", id_, f"message {id_} is recorded as sent; no provider has it")
    for id_, times in sorted(delivered.items()):
        if times > 1 and id_ not in unknown:
            yield Finding("told_twice", id_, f"message {id_} was handed over {times} times")
        if id_ not in sent and id_ not in unknown:
            yield Finding(
                "without_cause", id_, f"message {id_} was handed over but is recorded nowhere"
            )
