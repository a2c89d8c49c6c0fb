"""Pipeline's core: what one input makes of the world. Pure; its now is the input's time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core.act import act
from services.pipeline.core.action import ActionRequested, Classify, CreateLead, SetFields
from services.pipeline.core.appointment import booked
from services.pipeline.core.attempt import log_attempt
from services.pipeline.core.calls import call_told
from services.pipeline.core.condition import all_hold, linked, speaks_of_status
from services.pipeline.core.consent import honour
from services.pipeline.core.effect import run
from services.pipeline.core.fields import typed_points
from services.pipeline.core.happened import happened
from services.pipeline.core.identity import receive, thread_of
from services.pipeline.core.judge import judge, judge_absence
from services.pipeline.core.turn import Turn
from services.pipeline.core.wish import opted_in, opted_out
from services.pipeline.core.world import UnknownLead, World
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import (
    CallEnded,
    CallFacts,
    CallStarted,
    ContactPoint,
    EmailOpened,
    InvitationAnswered,
    LeadReceived,
    OptInReceived,
    OptOutReceived,
)
from shared.contract.notifications import MessageEvent, NotificationSent
from shared.contract.pipeline import (
    LeadCreated,
    LeadInvalidated,
    LeadLinked,
    OutcomeClassified,
)
from shared.contract.reminders import AgentAbsent, DeadlinePlanned, DeadlineReached, LeadOverdue
from shared.domain.directory import Directory
from shared.domain.rulebook.condition import Linked
from shared.domain.rulebook.effect import CONTACT, Effect
from shared.domain.rulebook.rule import Rule
from shared.domain.rulebook.rulebook import Rulebook

CASCADE_LIMIT = 100
"""How many rules one input may start; more is a rulebook that feeds itself."""


class CascadeTooLong(Exception):
    """The rules of a rulebook start each other without end; the input is quarantined."""

    def __init__(self, lead: str, rule: str) -> None:
        super().__init__(
            f"more than {CASCADE_LIMIT} rules ran for one input on lead {lead}, the last of them "
            f"{rule}: look for rules that start each other"
        )
        self.lead, self.rule = lead, rule


def handle(
    world: World, envelope: Envelope, book: Rulebook, directory: Directory
) -> tuple[World, list[Envelope]]:
    """The world after this input, and the events it makes, in order, without sequence.

    The same input on the same world makes the same events with the same ids. A refused action
    makes one `ActionRefused` and leaves the world as it is. Types that are not in `CONSUMED`
    make nothing. Raises `UnknownLead` and the directory's `Unknown` when the input came before
    what it depends on, `CascadeTooLong` when the rulebook feeds itself.
    """
    decide = CONSUMED.get(type(envelope.data))
    if decide is None:
        return world, []
    turn = Turn(world, envelope, book, directory)
    decide(turn, envelope.data)
    _cascade(turn)
    return turn.world(), turn.events


CALLS = (CallStarted, CallEnded)
WISHES = (OptOutReceived, OptInReceived)
FROM_OUTSIDE = (LeadReceived, EmailOpened, InvitationAnswered, *CALLS, *WISHES)
"""What intake says: which lead it is about has to be found."""


def lead_of(envelope: Envelope) -> str | None:
    """The lead that an input is about; none for what intake received, for digests' mail, and for
    an action that makes one."""
    data = envelope.data
    if isinstance(data, FROM_OUTSIDE):
        return None
    if isinstance(data, ActionRequested) and isinstance(data.action, CreateLead):
        return None
    return data.lead if isinstance(data, MessageEvent) else envelope.subject


def leads_named(envelope: Envelope) -> tuple[str, ...]:
    """The other leads that an input names: they must be known to decide it."""
    action = envelope.data.action if isinstance(envelope.data, ActionRequested) else None
    if isinstance(action, Classify) and action.duplicate_of is not None:
        return (action.duplicate_of,)
    return ()


def points_of(envelope: Envelope, region: str) -> tuple[ContactPoint, ...]:
    """The contact points that deciding this input needs to know the owners of.

    `region` reads phones that an agent typed: that of the lead's site.
    """
    data = envelope.data
    if isinstance(data, (LeadReceived, *CALLS, *WISHES)):
        return data.points
    if isinstance(data, ActionRequested):
        if isinstance(data.action, SetFields):
            return typed_points(data.action.fields, region)
        if isinstance(data.action, CreateLead):
            typed = {"phone": data.action.phone or "", "email": data.action.email or ""}
            return typed_points(typed, region)
    return ()


def threads_of(envelope: Envelope) -> tuple[str, ...]:
    """The mail ids that this input answers: whose lead has them must be known too."""
    if isinstance(envelope.data, EmailOpened):
        return (envelope.data.notification,)
    if isinstance(envelope.data, InvitationAnswered):
        return (envelope.data.appointment,)
    return thread_of(envelope.data) if isinstance(envelope.data, LeadReceived) else ()


OTHERS: Mapping[type[Event], str] = {
    LeadCreated: "linked",
    LeadLinked: "other",
    LeadInvalidated: "kept",
    OutcomeClassified: "duplicate_of",
}
"""By which of its fields an event speaks of another lead."""


def _cascade(turn: Turn) -> None:
    """Run the rules that each event starts, in file order, until nothing more happens."""
    fired = 0
    while turn.pending:
        event = turn.pending.popleft()
        honour(turn, event.subject)
        rules = turn.book.rules_on(happened(turn, event))
        if rules:
            turn.actor, turn.other = _actor_of(turn, event), _other_of(event)
            turn.task = _task_of(event)
        for rule in rules:
            if not _applies(turn, rule, event):
                continue
            fired += 1
            if fired > CASCADE_LIMIT:
                raise CascadeTooLong(event.subject, rule.id)
            with turn.under(rule.id):
                for effect in rule.fire():
                    _do(turn, rule, event, effect)


def _do(turn: Turn, rule: Rule, event: Envelope, effect: Effect) -> None:
    if effect.on == "linked":
        asked = [c for each in rule.if_ if isinstance(each, Linked) for c in each.linked]
        other = linked(turn.scene(event.subject), asked)
        if other is None:
            return
        turn.open(other.id)
        event = event.model_copy(update={"subject": other.id})
    run(turn, event, effect)


def _actor_of(turn: Turn, event: Envelope) -> str | None:
    """Who made this event: the agent who acted, or who is on the line."""
    said = vars(event.data)
    if isinstance(event.data, CALLS):
        return turn.one_of_us(said["agent"])
    call: CallFacts | None = said.get("call") if type(event.data) is LeadReceived else None
    by: str | None = turn.one_of_us(call.answered_by) if call else said.get("by")
    return by


def _task_of(event: Envelope) -> str | None:
    """The task that this event speaks of."""
    if isinstance(event.data, LeadOverdue):
        return event.data.name
    task: str | None = vars(event.data).get("task")
    return task


def _other_of(event: Envelope) -> str | None:
    """The other lead that this event speaks of."""
    name = OTHERS.get(type(event.data))
    other: str | None = getattr(event.data, name) if name else None
    return other


def _applies(turn: Turn, rule: Rule, event: Envelope) -> bool:
    """Open leads only, unless the rule itself speaks of the status; none of an erased contact."""
    lead = turn.lead(event.subject)
    if lead.erased_at is not None:
        return False
    if not lead.is_open and rule.when.word != "closed" and not speaks_of_status(rule.if_):
        return False
    if not rule.if_:
        return True
    said = vars(event.data)
    return all_hold(rule.if_, turn.scene(lead.id, said.get("by"), said))


def _planned(turn: Turn, _: DeadlinePlanned) -> None:
    turn.open(turn.cause.subject)
    turn.apply(turn.cause)


def _sent(turn: Turn, data: NotificationSent) -> None:
    """A message about a lead went out; a digest is about none."""
    if data.lead is None:
        return
    turn.open(data.lead)
    turn.take_in(data.lead)
    template = turn.book.messages.by_id(data.template)
    if data.channel == "webhook":  # another system was told, which is no try to reach anybody
        return
    if template is not None and template.attempt is not None and data.to == CONTACT:
        with turn.under(template.rule):
            log_attempt(turn, data.lead, template.attempt, channel=data.channel)


def _opened(turn: Turn, data: EmailOpened) -> None:
    """The contact looked at a mail of ours; only the first time says something new.

    A mail that is not in any lead's thread (a digest's) is nobody's business here.
    """
    lead = turn.lead_of_mail((data.notification,))
    if lead is None:
        raise UnknownLead(data.notification)
    message = next((m for m in lead.messages if m.id == data.notification), None)
    if message is not None and message.opened_at is None:
        turn.open(lead.id)
        turn.take_in(lead.id)


def _invitation_answered(turn: Turn, data: InvitationAnswered) -> None:
    """The contact comes, or does not; an answer to a time that is no more says nothing."""
    lead = turn.lead_of_mail((data.appointment,))
    if lead is None:
        raise UnknownLead(data.appointment)
    standing = booked(lead)
    if standing is None or standing.id != data.appointment or data.revision < standing.revision:
        return
    if standing.answer != data.answer:
        turn.open(lead.id)
        turn.take_in(lead.id)


CONSUMED: Mapping[type[Event], Callable[[Turn, Any], None]] = {
    LeadReceived: receive,
    CallStarted: call_told,
    CallEnded: call_told,
    EmailOpened: _opened,
    InvitationAnswered: _invitation_answered,
    OptOutReceived: opted_out,
    OptInReceived: opted_in,
    DeadlinePlanned: _planned,
    DeadlineReached: judge,
    LeadOverdue: judge,
    AgentAbsent: judge_absence,
    NotificationSent: _sent,
    ActionRequested: act,
}

__all__ = [
    "CONSUMED",
    "CascadeTooLong",
    "UnknownLead",
    "handle",
    "lead_of",
    "leads_named",
    "points_of",
    "threads_of",
]
