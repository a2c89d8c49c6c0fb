"""At rest nothing waits: outboxes, parkings and quarantines are empty."""

from __future__ import annotations

from collections.abc import Iterator

from relance.promises.evidence import Evidence
from relance.promises.finding import Finding
from shared.domain.count import counted


def findings(evidence: Evidence) -> Iterator[Finding]:
    """What lies in the tables of each service and should not."""
    for service, waiting in evidence.ledgers.waiting.items():
        if waiting.outbox:
            wait = counted(waiting.outbox, "event waits", "events wait")
            yield Finding("stuck", service, f"{wait} in the outbox of {service}")
        for event, subject, why in waiting.parked:
            yield Finding("stuck", event, f"{service}: {event} of {subject} waits ({why})")
        for event, subject, why in waiting.set_aside:
            yield Finding("set_aside", event, f"{service}: {event} of {subject} set aside ({why})")
