"""What an event is called in a rulebook's `when`: one function an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.pipeline.core.consent import nothing_left
from services.pipeline.core.turn import Turn
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import (
    CallEnded,
    CallStarted,
    EmailOpened,
    InvitationAnswered,
    LeadReceived,
)
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentMoved,
    AttemptLogged,
    ContactMade,
    DocumentAttached,
    FieldsSet,
    LeadAcknowledged,
    LeadAssigned,
    LeadBlocked,
    LeadClosed,
    LeadCreated,
    LeadLinked,
    OutcomeClassified,
    PaymentConfirmed,
    QuestionAnswered,
    ReplyReceived,
    StageEntered,
    TaskAssigned,
    TaskCompleted,
)
from shared.contract.reminders import AgentAbsent, DeadlineReached, LeadOverdue
from shared.domain.rulebook.condition import ANY
from shared.domain.rulebook.effect import ALL

Happenings = Iterable[tuple[str, str]]


def happened(turn: Turn, envelope: Envelope) -> Happenings:
    """(word, value) pairs that rules may wait for; none for most events."""
    told = NAMES.get(type(envelope.data))
    return () if told is None else told(turn, envelope, envelope.data)


def _call_started(_: Turn, __: Envelope, data: CallStarted) -> Happenings:
    return [("call_started", data.direction)]


def _call_ended(_: Turn, __: Envelope, data: CallEnded) -> Happenings:
    return [("call_ended", data.direction)]


def _call_received(_: Turn, __: Envelope, data: LeadReceived) -> Happenings:
    """An inbound call is said when it is over; a missed one is both."""
    if data.call is None:
        return ()
    missed = [("call_ended", "missed")] if data.call.outcome == "missed" else []
    return [("call_ended", "inbound"), *missed]


def _created(_: Turn, __: Envelope, data: LeadCreated) -> Happenings:
    return [("lead_created", data.pipeline)]


def _linked(turn: Turn, envelope: Envelope, data: LeadLinked) -> Happenings:
    """The same input again is nothing that happened."""
    if data.repeats is not None:
        return ()
    return [("lead_linked", turn.lead(envelope.subject).pipeline)]


def _assigned(turn: Turn, envelope: Envelope, data: LeadAssigned) -> Happenings:
    """Who lost it again at once never had it: the next owner is told once, not twice."""
    if turn.lead(envelope.subject).owner != data.owner:
        return []
    """Who has been away for long is absent for what comes to them now, too (003-12)."""
    away = turn.directory.away(data.owner, turn.now)
    is_absent = away is not None and away.is_long and away.long_from <= turn.now
    agent = turn.directory.agent(data.owner)
    names = ["owner", ANY, agent.id, f"agent:{agent.id}", f"team:{agent.team}"]
    told = [("lead_assigned", name) for name in (*names, *(f"role:{r}" for r in agent.roles))]
    return [*told, ("owner_absent", ANY)] if is_absent else told


def _absent(_: Turn, __: Envelope, ___: AgentAbsent) -> Happenings:
    return [("owner_absent", ANY)]


def _answered(_: Turn, __: Envelope, data: QuestionAnswered) -> Happenings:
    return [("answered", data.question)]


def _acknowledged(_: Turn, __: Envelope, ___: LeadAcknowledged) -> Happenings:
    return [("lead_acknowledged", ANY)]


def _stage_entered(_: Turn, __: Envelope, data: StageEntered) -> Happenings:
    return [
        ("stage_entered", data.stage),
        ("stage_entered", f"{data.pipeline}.{data.stage}"),
        ("stage_entered", ANY),
    ]


def _fields_set(turn: Turn, envelope: Envelope, data: FieldsSet) -> Happenings:
    same = turn.same.get(envelope.id, frozenset())
    changed = [name for name in data.fields if name not in same]
    return [("field_set", name) for name in (*changed, ANY)] if changed else ()


def _attempted(_: Turn, __: Envelope, data: AttemptLogged) -> Happenings:
    """An attempt that does not count starts nothing (001-05)."""
    names = (data.outcome, data.code, ANY) if data.counted else ()
    return [("attempt", name) for name in names]


def _in_contact(_: Turn, __: Envelope, data: ContactMade) -> Happenings:
    return [("contact_made", data.channel), ("contact_made", ANY)]


def _replied(_: Turn, __: Envelope, ___: ReplyReceived) -> Happenings:
    return [("reply", ANY)]


def _invitation_answered(_: Turn, __: Envelope, data: InvitationAnswered) -> Happenings:
    """Not `any`: a calendar's answer needs no answer."""
    return [("reply", data.answer)]


def _classified(_: Turn, __: Envelope, data: OutcomeClassified) -> Happenings:
    return [("classified", data.outcome), ("classified", ANY)]


def _attached(_: Turn, __: Envelope, data: DocumentAttached) -> Happenings:
    return [("document", data.kind), ("document", ANY)]


def _paid(_: Turn, __: Envelope, data: PaymentConfirmed) -> Happenings:
    return [("payment", data.kind), ("payment", ANY)]


def _appointment(what: str) -> Callable[[Turn, Envelope, Any], Happenings]:
    return lambda _, __, ___: [("appointment", what), ("appointment", ANY)]


def _opened(turn: Turn, envelope: Envelope, data: EmailOpened) -> Happenings:
    messages = turn.lead(envelope.subject).messages
    template = next(m.template for m in messages if m.id == data.notification)
    return [("opened", template), ("opened", ANY)]


def _completed(_: Turn, __: Envelope, data: TaskCompleted) -> Happenings:
    return [("task_completed", data.name), ("task_completed", ANY)]


def _task_assigned(_: Turn, __: Envelope, data: TaskAssigned) -> Happenings:
    return [("task_assigned", data.name), ("task_assigned", ANY)]


def _overdue(turn: Turn, envelope: Envelope, data: LeadOverdue) -> Happenings:
    task = turn.lead(envelope.subject).tasks[data.name]
    return [("overdue", task.name), ("overdue", ANY)]


def _reached(_: Turn, __: Envelope, data: DeadlineReached) -> Happenings:
    return [("deadline", data.name)]


def _sent(_: Turn, __: Envelope, data: NotificationSent) -> Happenings:
    return [("sent", data.template), ("sent", ANY)]


def _blocked(turn: Turn, envelope: Envelope, data: LeadBlocked) -> Happenings:
    """`all` once no channel is left."""
    everything = (ALL,) if nothing_left(turn.lead(envelope.subject)) else ()
    return [("blocked", name) for name in (*data.channels, *everything, ANY)]


def _closed(_: Turn, __: Envelope, data: LeadClosed) -> Happenings:
    return [("closed", data.status), ("closed", ANY)]


NAMES: Mapping[type[Event], Callable[[Turn, Envelope, Any], Happenings]] = {
    CallStarted: _call_started,
    CallEnded: _call_ended,
    LeadReceived: _call_received,
    LeadCreated: _created,
    LeadLinked: _linked,
    LeadAssigned: _assigned,
    LeadAcknowledged: _acknowledged,
    StageEntered: _stage_entered,
    FieldsSet: _fields_set,
    AttemptLogged: _attempted,
    ContactMade: _in_contact,
    ReplyReceived: _replied,
    TaskAssigned: _task_assigned,
    TaskCompleted: _completed,
    LeadOverdue: _overdue,
    DeadlineReached: _reached,
    NotificationSent: _sent,
    EmailOpened: _opened,
    InvitationAnswered: _invitation_answered,
    OutcomeClassified: _classified,
    DocumentAttached: _attached,
    PaymentConfirmed: _paid,
    AppointmentBooked: _appointment("booked"),
    AppointmentMoved: _appointment("moved"),
    AppointmentCancelled: _appointment("cancelled"),
    AppointmentMissed: _appointment("missed"),
    LeadBlocked: _blocked,
    LeadClosed: _closed,
    AgentAbsent: _absent,
    QuestionAnswered: _answered,
}
