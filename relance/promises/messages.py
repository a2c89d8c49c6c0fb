"""Every message has a cause and every cause its message; nobody is told twice.

Twice or missing only where a message is named unknown, and no more often than it is
(`design.md` 10).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta

from relance.promises.evidence import Evidence, of
from relance.promises.finding import Finding
from services.notifications.core.message import request_of
from shared.contract.notifications import (
    MessageEvent,
    NotificationDeferred,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    NotificationUnknown,
)
from shared.contract.pipeline import HandoffRequested, NotificationRequested

PATIENCE = timedelta(minutes=1)
"""So long after its time a message may still wait, at rest."""

Fates = dict[str, list[MessageEvent]]
"""What was told of each message, in order."""


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Requests answered, messages sent once, table and topic alike, providers' books alike."""
    fates: Fates = defaultdict(list)
    for event in evidence.told:
        if isinstance(event.data, MessageEvent):
            fates[event.data.notification].append(event.data)
    yield from _requests(evidence, fates)
    yield from _fates(fates)
    yield from _table(evidence, fates)
    yield from _deliveries(evidence, fates)


def _requests(evidence: Evidence, fates: Fates) -> Iterator[Finding]:
    """Each request was decided; a withdrawn one too, a held one at least put off."""
    requests = {
        event.id: _occasion(event.tenant, request_of(event))
        for kind in (NotificationRequested, HandoffRequested)
        for event, _ in of(evidence.pipeline, kind)
    }
    answered = set()
    for id_, told in fates.items():
        for message in told:
            if message.request not in requests:
                yield Finding(
                    "without_cause", id_, f"message {id_} names a request that nobody made"
                )
            else:
                answered.add(requests[message.request])
    for _, recipient, template, occasion in sorted(set(requests.values()) - answered):
        yield Finding(
            "untold", recipient, f"{template} to {recipient} for {occasion} was never decided"
        )


def _occasion(tenant: str, request: NotificationRequested) -> tuple[str, str, str, str]:
    """What makes two requests the same message; two companies may have agents of one id."""
    return tenant, request.to.id, request.template, request.occasion


def _fates(fates: Fates) -> Iterator[Finding]:
    for id_, told in fates.items():
        ends = Counter(type(message) for message in told)
        if ends[NotificationSent] > 1:
            yield Finding("told_twice", id_, f"message {id_} was recorded as sent twice")
        if ends[NotificationSent] and (ends[NotificationSuppressed] or ends[NotificationFailed]):
            yield Finding("told_twice", id_, f"message {id_} was recorded as sent and as not sent")


_TOLD: dict[str, type[MessageEvent]] = {
    "sent": NotificationSent,
    "failed": NotificationFailed,
    "suppressed": NotificationSuppressed,
    "unknown": NotificationUnknown,
    "held": NotificationDeferred,
}


def _table(evidence: Evidence, fates: Fates) -> Iterator[Finding]:
    """What the table says of a message was told, and what was told is in the table."""
    at = evidence.ledgers.at
    for id_, kept in evidence.ledgers.messages.items():
        expected = _TOLD.get(kept.status)
        waits_too_long = at is not None and kept.send_after + PATIENCE < at
        if expected is None or (kept.status == "held" and waits_too_long):
            yield Finding("stuck", id_, f"message {id_} is still {kept.status}")
        elif not any(isinstance(message, expected) for message in fates.get(id_, ())):
            yield Finding("untold", id_, f"message {id_} is {kept.status}, which was never told")
    if evidence.ledgers.messages:
        for id_ in sorted(fates.keys() - evidence.ledgers.messages.keys()):
            yield Finding("lost", id_, f"message {id_} was told of but is not stored")


def _deliveries(evidence: Evidence, fates: Fates) -> Iterator[Finding]:
    """The providers' own books: missing or twice at most as often as named unknown."""
    for channel, delivered in evidence.ledgers.delivered.items():
        for id_, told in fates.items():
            if told[0].channel != channel:
                continue
            sent = any(isinstance(message, NotificationSent) for message in told)
            unknown = sum(isinstance(message, NotificationUnknown) for message in told)
            times = delivered.get(id_, 0)
            if times == 0 and sent and not (unknown or any(map(evidence.is_forgotten, told))):
                yield Finding("untold", id_, f"message {id_} is recorded as sent; nobody has it")
            if times > 1 + unknown:
                yield Finding("told_twice", id_, f"message {id_} was handed over {times} times")
            if times and not sent and not unknown:
                yield Finding(
                    "without_cause", id_, f"message {id_} was handed over but not recorded as sent"
                )
        for id_ in sorted(delivered.keys() - fates.keys()):
            yield Finding(
                "without_cause", id_, f"message {id_} was handed over but is recorded nowhere"
            )
