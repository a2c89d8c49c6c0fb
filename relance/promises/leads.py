"""A lead is stored as it was announced, once, and never without a next step."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from relance.promises.evidence import Evidence, of
from relance.promises.finding import Finding
from services.pipeline.core.evolve import create, evolve
from services.pipeline.core.lead import Lead
from services.pipeline.store import Step
from shared.contract.envelope import Envelope, Event
from shared.contract.pipeline import LeadClosed, LeadCreated, LeadLate, LeadReopened, TaskCompleted

ONCE: tuple[type[Event], ...] = (LeadCreated, LeadLate, LeadClosed)
"""What happens to a lead once at most; what is open again can be closed again."""


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Stored and announced alike, its history published, one open lead a person, a next step."""
    yield from _announced(evidence)
    yield from _once(evidence)
    yield from _published(evidence)
    yield from state(evidence)
    yield from next_steps(evidence)


def _announced(evidence: Evidence) -> Iterator[Finding]:
    stored = evidence.ledgers.leads.keys()
    created = {event.subject for event, _ in of(evidence.pipeline, LeadCreated)}
    for lead in sorted(stored - created):
        yield Finding("without_cause", lead, f"lead {lead} is stored but was never announced")
    for lead in sorted(created - stored):
        yield Finding("lost", lead, f"lead {lead} was announced but is not stored")


def _once(evidence: Evidence) -> Iterator[Finding]:
    for kind in ONCE:
        times = Counter(event.subject for event in evidence.pipeline if type(event.data) is kind)
        if kind is LeadClosed:
            times -= Counter(event.subject for event, _ in of(evidence.pipeline, LeadReopened))
        for lead, many in times.items():
            if many > 1:
                yield Finding("repeated", lead, f"lead {lead}: {kind.__name__} {many} times")


def _published(evidence: Evidence) -> Iterator[Finding]:
    """What pipeline's history keeps of a lead is what its topic says, in the same order."""
    kept: dict[str, list[str]] = defaultdict(list)
    for step in evidence.ledgers.history:
        kept[step.lead] += [event.id for event in step.events if event.subject == step.lead]
    said: dict[str, list[str]] = defaultdict(list)
    for event in evidence.pipeline:
        if event.subject in kept:
            said[event.subject].append(event.id)
    for lead, ids in kept.items():
        if ids == said[lead]:
            continue
        for id_ in sorted(set(ids) - set(said[lead])):
            if not _in_outbox(evidence):
                yield Finding("lost", id_, f"lead {lead}: event {id_} is kept but not published")
        for id_ in sorted(set(said[lead]) - set(ids)):
            yield Finding("without_cause", id_, f"lead {lead}: event {id_} is in no history")
        if sorted(ids) == sorted(said[lead]):
            yield Finding("disordered", lead, f"lead {lead} is published in another order")


def _in_outbox(evidence: Evidence) -> bool:
    waiting = evidence.ledgers.waiting.get("pipeline")
    return waiting is not None and waiting.outbox > 0


def state(evidence: Evidence) -> Iterator[Finding]:
    """The stored state is what the lead's own history makes of it: no update overwrote another."""
    steps: dict[str, list[Step]] = defaultdict(list)
    for step in evidence.ledgers.history:
        steps[step.lead].append(step)
    for id_, stored in evidence.ledgers.leads.items():
        folded = fold(steps[id_])
        differing = folded and [
            name
            for name in Lead.model_fields
            if name != "time" and getattr(folded, name) != getattr(stored, name)
        ]
        if folded is None:
            yield Finding("lost", id_, f"lead {id_} has no history")
        elif differing:
            yield Finding(
                "lost", id_, f"lead {id_} is not what its history says: {', '.join(differing)}"
            )


def fold(steps: Sequence[Step]) -> Lead | None:
    """The lead that a history makes; None without its beginning. (`time` is not meant.)"""
    lead: Lead | None = None
    for step in steps:
        for envelope in (step.cause, *step.events):
            lead = _after(lead, envelope)
    return lead


def _after(lead: Lead | None, envelope: Envelope) -> Lead | None:
    if isinstance(envelope.data, LeadCreated):
        return create(envelope, envelope.data)
    return None if lead is None else evolve(lead, envelope)


def next_steps(evidence: Evidence) -> Iterator[Finding]:
    """A person has one open lead in a pipeline; it has an owner and something to come.

    Unless somebody completed its tasks by hand: such a lead is a line of the next digest.
    """
    by_hand = {
        step.lead
        for step in evidence.ledgers.history
        for event in step.events
        if isinstance(event.data, TaskCompleted) and event.data.by is not None
    }
    of_contact: dict[tuple[str, str], list[str]] = defaultdict(list)
    for id_, lead in evidence.ledgers.leads.items():
        if not lead.is_open:
            continue
        of_contact[lead.contact, lead.pipeline].append(id_)
        if lead.owner is None:
            yield Finding("stuck", id_, f"open lead {lead.number} has no owner")
        if not lead.open_tasks() and not lead.deadlines and id_ not in by_hand:
            yield Finding("stuck", id_, f"open lead {lead.number} has no next step")
    for (contact, _), leads in of_contact.items():
        if len(leads) > 1:
            yield Finding(
                "repeated", contact, f"contact {contact} has {len(leads)} open leads: {leads}"
            )
