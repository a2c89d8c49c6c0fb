"""`relance audit`: what was accepted, against what was done and what was sent.

Pure: it compares ledgers (`relance.ledgers` reads them). Two are kept outside of Relance where
there are any: what the doors answered 2xx for, and what the providers were handed. Each promise
has its own file in `relance.promises`.

It is right at rest: what is on its way looks stuck or lost (`relance.running_audit` looks at a
running system). What it does not do: audit topics whose beginning retention has cut off, what
upstream systems published on `inbound.*` and intake has not read, and whether the bytes of each
input lie on `intake.raw.v1`.
It reads everything into memory, about 3 KB an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from relance.promises import deadlines, inputs, leads, messages, order, rest
from relance.promises.evidence import Evidence, Ledgers, of
from relance.promises.finding import Fault, Finding
from shared.contract.notifications import NotificationSent, NotificationUnknown
from shared.contract.pipeline import DeadlineSet

__all__ = ["Fault", "Finding", "Ledgers", "Report", "audit"]

PROMISES = (inputs, leads, order, deadlines, messages, rest)


@dataclass(frozen=True, slots=True)
class Report:
    """The counts and the findings; `ok` when there is no finding.

    `books` are the channels whose providers' books were compared; `under_way` is what a running
    system has in hand, in words, and how many.
    """

    counts: Mapping[str, int]
    findings: Sequence[Finding] = field(default_factory=tuple)
    books: frozenset[str] = frozenset()
    under_way: Mapping[str, int] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether every promise held."""
        return not self.findings

    def count(self, fault: Fault) -> int:
        """How many findings of one kind."""
        return sum(finding.fault == fault for finding in self.findings)


def audit(ledgers: Ledgers) -> Report:
    """Every accepted input has its effect once, order kept, every message told once."""
    evidence = Evidence(ledgers)
    findings = [finding for promise in PROMISES for finding in promise.findings(evidence)]
    return Report(_counts(evidence), tuple(findings), frozenset(ledgers.delivered))


def _counts(evidence: Evidence) -> Mapping[str, int]:
    ledgers = evidence.ledgers
    accepted = ledgers.accepted
    events = sum(1 for _ in evidence.all)
    return {
        "accepted": len(evidence.received if accepted is None else accepted),
        "actions": len(ledgers.acted),
        "leads": len(ledgers.leads),
        "events": events,
        "repeated_records": sum(map(len, ledgers.records.values())) - events,
        "deadlines": len(of(evidence.pipeline, DeadlineSet)),
        "messages_sent": len(of(evidence.told, NotificationSent)),
        "messages_unknown": len(of(evidence.told, NotificationUnknown)),
        "messages_twice": sum(_surplus(evidence)),
        "messages_missing": sum(_missing(evidence)),
    }


def _surplus(evidence: Evidence) -> list[int]:
    """How often more than once each message was handed over; named unknown or not."""
    books = evidence.ledgers.delivered.values()
    return [times - 1 for delivered in books for times in delivered.values() if times > 1]


def _missing(evidence: Evidence) -> list[bool]:
    """Messages recorded as sent, or taken for sent, that no provider has; not those that the
    sandbox was to forget."""
    books = evidence.ledgers.delivered
    taken_for_sent = {
        data.notification: data
        for event in evidence.told
        if isinstance(data := event.data, NotificationSent | NotificationUnknown)
    }
    return [
        id_ not in books[data.channel] and not evidence.is_forgotten(data)
        for id_, data in taken_for_sent.items()
        if data.channel in books
    ]
