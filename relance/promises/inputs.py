"""An input that was answered 2xx takes effect exactly once, and in the order it came."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from relance.promises.evidence import Evidence, of
from relance.promises.finding import Finding
from shared.contract.envelope import Event
from shared.contract.intake import LeadReceived
from shared.contract.pipeline import LeadCreated, LeadLinked, ReplyReceived
from shared.contract.topics import INTAKE

EFFECTS: tuple[type[Event], ...] = (LeadCreated, LeadLinked, ReplyReceived)
"""What an input becomes: exactly one of these."""


def is_effect(data: Event) -> bool:
    """Whether it is what an input became; not, when two leads turned out to be one (002-03)."""
    return isinstance(data, EFFECTS) and getattr(data, "other", None) is None


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Inputs at the doors, actions at the API, and each person's inputs in order."""
    yield from _accepted(evidence)
    yield from _effects(evidence)
    yield from causes(evidence)
    yield from _order(evidence)


def _accepted(evidence: Evidence) -> Iterator[Finding]:
    known = {event.id for event in evidence.received}
    for id_ in sorted((evidence.ledgers.accepted or frozenset()) - known):
        yield Finding("lost", id_, f"input {id_} was answered 2xx but is not on {INTAKE.name}")


def _effects(evidence: Evidence) -> Iterator[Finding]:
    effects = Counter(event.causationid for event in evidence.pipeline if is_effect(event.data))
    for event, _ in of(evidence.received, LeadReceived):
        if effects[event.id] > 1:
            times = effects[event.id]
            yield Finding("repeated", event.id, f"input {event.id} took effect {times} times")
        elif not effects[event.id] and event.id not in evidence.waiting_events:
            yield Finding(
                "lost", event.id, f"input {event.id} became no lead, no link and no reply"
            )


def causes(evidence: Evidence) -> Iterator[Finding]:
    """Every cause in a lead's history is there once; an action that was answered is there."""
    taken = Counter((step.lead, step.cause.id) for step in evidence.ledgers.history)
    for (lead, cause), times in taken.items():
        if times > 1:
            yield Finding("repeated", cause, f"{cause} was applied {times} times to lead {lead}")
    known = {cause for _, cause in taken}
    for id_ in sorted(evidence.ledgers.acted - known):
        yield Finding("lost", id_, f"action {id_} was answered but is in no lead's history")


def _order(evidence: Evidence) -> Iterator[Finding]:
    """One person's inputs lie in one partition; a lead takes them up as they lie there."""
    place = {event.id: (event.subject, n) for n, event in enumerate(evidence.received)}
    last: dict[tuple[str, str], int] = defaultdict(lambda: -1)
    for step in evidence.ledgers.history:
        if step.cause.id not in place:
            continue
        person, at = place[step.cause.id]
        if at < last[step.lead, person]:
            yield Finding(
                "disordered", step.lead, f"lead {step.lead} took up {step.cause.id} too late"
            )
        last[step.lead, person] = at
