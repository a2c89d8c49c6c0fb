"""One input decided: the pure core asked, and what to remember of it. The same for all doors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.pipeline.core.engine import (
    CONSUMED,
    handle,
    lead_of,
    leads_named,
    points_of,
    threads_of,
)
from services.pipeline.core.world import World, point_key
from services.pipeline.erasure import scrubbed_step
from services.pipeline.store import Step
from services.pipeline.world_lock import Named
from shared.contract.directory import agent_subject
from shared.contract.envelope import Envelope
from shared.contract.intake import EmailOpened, InvitationAnswered
from shared.contract.reminders import AgentAbsent, DigestDue
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Decided:
    """The world after an input, what pipeline says of it, and the history to keep."""

    world: World
    events: Sequence[Envelope]
    steps: Sequence[Step]


def decide(world: World, envelope: Envelope, book: Rulebook, directory: Directory) -> Decided:
    """Ask the core; an input that it does not judge (how a message fared) is only remembered.

    Raises what `handle` raises: `UnknownLead`, `Unknown`, `CascadeTooLong`.
    """
    events: Sequence[Envelope] = ()
    if type(envelope.data) in CONSUMED:
        world, events = handle(world, envelope, book, directory)
    return Decided(world, events, _steps(world, envelope, events))


def lead_about(envelope: Envelope) -> str | None:
    """The lead that an input is about. A digest is due for an agent, about all their leads; so
    is an absence, until it is one input a lead (`absences_of`)."""
    data = envelope.data
    if isinstance(data, DigestDue):
        return None
    if isinstance(data, AgentAbsent):
        agent = (agent_subject(envelope.tenant, data.agent), data.agent)  # as it was once
        if envelope.subject in agent:
            return None
    return lead_of(envelope)


def named_by(envelopes: Iterable[Envelope], region: str | None = None) -> Named:
    """What these inputs name. `region` reads the phones in an action: that of the lead's site."""
    inputs = list(envelopes)
    return Named(
        points={point_key(point) for each in inputs for point in points_of(each, region or "")},
        leads={
            *(lead for each in inputs if (lead := lead_about(each)) is not None),
            *(lead for each in inputs for lead in leads_named(each)),
        },
        mails={mail for each in inputs for mail in threads_of(each)},
    )


def _answered_lead(world: World, cause: Envelope) -> str | None:
    """The lead whose mail was opened, or whose invitation was answered."""
    if not isinstance(cause.data, EmailOpened | InvitationAnswered):
        return None
    return next((world.threads[mail] for mail in threads_of(cause) if mail in world.threads), None)


def _steps(world: World, cause: Envelope, events: Sequence[Envelope]) -> list[Step]:
    of_lead: dict[str, list[Envelope]] = {}
    about = lead_about(cause) or _answered_lead(world, cause)
    if about is not None and about in world.leads:
        of_lead[about] = []
    for event in events:
        if event.subject in world.leads:
            of_lead.setdefault(event.subject, []).append(event)
        elif about in of_lead:  # what was said of the contact: shown where it was asked for
            of_lead[about].append(event)
    steps = [Step(lead, cause, tuple(own)) for lead, own in of_lead.items()]
    return [scrubbed_step(s) if world.leads[s.lead].erased_at is not None else s for s in steps]
