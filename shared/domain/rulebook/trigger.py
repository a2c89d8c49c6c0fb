"""`when`: what can start a rule. One class a word; `TRIGGERS` is the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from shared.contract.intake import Channel
from shared.contract.pipeline import PaymentKind
from shared.domain.rulebook.condition import ANY
from shared.domain.rulebook.word import Listed, Ref, Word


class Trigger(Word):
    """What happened. Several values mean any of them."""

    @property
    def values(self) -> tuple[str, ...]:
        """What the word names: a rule is found by (word, value)."""
        values: tuple[str, ...] = getattr(self, self.word)
        return values


class LeadCreated(Trigger):
    """A new lead in this pipeline."""

    word = "lead_created"
    lead_created: Annotated[tuple[Annotated[str, Ref("pipeline")], ...], Listed]


class LeadLinked(Trigger):
    """The contact of an open lead in this pipeline got in touch again."""

    word = "lead_linked"
    lead_linked: Annotated[tuple[Annotated[str, Ref("pipeline")], ...], Listed]


class LeadAssigned(Trigger):
    """The lead got this owner: `owner` is whoever it is, else a role, a team or an agent."""

    word = "lead_assigned"
    lead_assigned: Annotated[tuple[Annotated[str, Ref("party", ANY)], ...], Listed]


class LeadAcknowledged(Trigger):
    """The owner has taken the lead up."""

    word = "lead_acknowledged"
    lead_acknowledged: Annotated[tuple[Literal["any"], ...], Listed]


class StageEntered(Trigger):
    """The lead is now in this stage (`stage` or `pipeline.stage`)."""

    word = "stage_entered"
    stage_entered: Annotated[tuple[Annotated[str, Ref("stage", ANY)], ...], Listed]


class FieldSet(Trigger):
    """This field, or this contact point, got another value than it had."""

    word = "field_set"
    field_set: Annotated[tuple[Annotated[str, Ref("filled", ANY)], ...], Listed]


class CallStarted(Trigger):
    """Somebody with an open lead is calling: it rings, or an agent has taken it."""

    word = "call_started"
    call_started: Annotated[tuple[Literal["inbound"], ...], Listed]


class CallEnded(Trigger):
    """A call with the contact is over: theirs, ours, or one that nobody took."""

    word = "call_ended"
    call_ended: Annotated[tuple[Literal["inbound", "outbound", "missed"], ...], Listed]


class Attempt(Trigger):
    """A counted attempt with this outcome or this code was logged."""

    word = "attempt"
    attempt: Annotated[tuple[Annotated[str, Ref("attempt or outcome", ANY)], ...], Listed]


class ContactMade(Trigger):
    """A two-way exchange on this channel."""

    word = "contact_made"
    contact_made: Annotated[tuple[Channel | Literal["any"], ...], Listed]


class Reply(Trigger):
    """The contact wrote back (`any`), or answered the invitation to an appointment."""

    word = "reply"
    reply: Annotated[tuple[Literal["any", "accepted", "declined", "tentative"], ...], Listed]


class Classified(Trigger):
    """An agent said that this is what it is."""

    word = "classified"
    classified: Annotated[tuple[Annotated[str, Ref("outcome", ANY)], ...], Listed]


class Document(Trigger):
    """A document of this kind was attached."""

    word = "document"
    document: Annotated[tuple[Annotated[str, Ref("document", ANY)], ...], Listed]


class Payment(Trigger):
    """Money of this kind is confirmed."""

    word = "payment"
    payment: Annotated[tuple[PaymentKind | Literal["any"], ...], Listed]


class Appointment(Trigger):
    """The appointment with the contact was made, changed, called off, or nobody came."""

    word = "appointment"
    appointment: Annotated[
        tuple[Literal["booked", "moved", "cancelled", "missed", "any"], ...], Listed
    ]


class TaskAssigned(Trigger):
    """This task is another agent's now."""

    word = "task_assigned"
    task_assigned: Annotated[tuple[Annotated[str, Ref("task", ANY)], ...], Listed]


class TaskCompleted(Trigger):
    """This task was done."""

    word = "task_completed"
    task_completed: Annotated[tuple[Annotated[str, Ref("task", ANY)], ...], Listed]


class Overdue(Trigger):
    """This task is past its due time."""

    word = "overdue"
    overdue: Annotated[tuple[Annotated[str, Ref("task", ANY)], ...], Listed]


class DeadlineReached(Trigger):
    """The deadline of this name has passed."""

    word = "deadline"
    deadline: Annotated[tuple[Annotated[str, Ref("deadline")], ...], Listed]


class Sent(Trigger):
    """A message of this template went out."""

    word = "sent"
    sent: Annotated[tuple[Annotated[str, Ref("template", ANY)], ...], Listed]


class Opened(Trigger):
    """The contact opened a mail of this template, for the first time."""

    word = "opened"
    opened: Annotated[tuple[Annotated[str, Ref("template", ANY)], ...], Listed]


class Blocked(Trigger):
    """The lead may not be worked by these channels any more, for itself or for the person."""

    word = "blocked"
    blocked: Annotated[
        tuple[Literal["call", "sms", "email", "chat", "social", "all", "any"], ...], Listed
    ]


class Closed(Trigger):
    """The lead ended this way."""

    word = "closed"
    closed: Annotated[tuple[Literal["won", "lost", "invalid", "any"], ...], Listed]


class OwnerAbsent(Trigger):
    """The owner has been away for more than 24 hours, or the lead came to one who has."""

    word = "owner_absent"
    owner_absent: Literal[True]

    @property
    def values(self) -> tuple[str, ...]:
        """There is but one."""
        return (ANY,)


class Answered(Trigger):
    """Somebody answered this question; `given = { answer = … }` says what."""

    word = "answered"
    answered: Annotated[tuple[Annotated[str, Ref("question")], ...], Listed]


TRIGGERS: Mapping[str, type[Trigger]] = {
    cls.word: cls
    for cls in (
        LeadCreated,
        LeadLinked,
        LeadAssigned,
        LeadAcknowledged,
        StageEntered,
        FieldSet,
        CallStarted,
        CallEnded,
        Attempt,
        ContactMade,
        Reply,
        Classified,
        Document,
        Payment,
        Appointment,
        TaskAssigned,
        TaskCompleted,
        Overdue,
        DeadlineReached,
        Sent,
        Opened,
        Blocked,
        Closed,
        OwnerAbsent,
        Answered,
    )
}
