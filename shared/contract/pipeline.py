"""What pipeline says: what happened to a lead, and what it asks of its siblings.

The envelope's subject is the lead id, unless a class says otherwise.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, JsonValue

from shared.contract.due import Due
from shared.contract.envelope import Event, Value
from shared.contract.intake import Channel, ContactPoint
from shared.contract.invitation import Invitation
from shared.contract.notifications import MessageChannel

Status = Literal["open", "won", "lost", "invalid"]
DocumentStatus = Literal["sent", "returned", "signed", "received"]
PaymentKind = Literal["deposit", "partial", "final"]
NumberKind = Literal["mobile", "landline"]


class LeadCreated(Event):
    """A new lead. `number` is its short form for people; `contact` the person's id.

    `linked` is the lead that it came of, where another one made it (001-60).
    """

    type = "relance.lead.created.v1"
    number: str
    pipeline: str
    contact: str
    site: str
    channel: Channel
    source: str
    received_at: AwareDatetime
    points: tuple[ContactPoint, ...] = ()
    name: str | None = None
    company: str | None = None
    subject: str | None = None
    text: str | None = None
    language: str | None = None
    fields: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    mail_ids: tuple[str, ...] = ()
    batch: str | None = None
    linked: str | None = None
    by: str | None = None


class LeadLinked(Event):
    """The same person got in touch again; the open lead keeps it (001-01).

    `other`: the lead that turned out to be the same request; it is invalid now (002-03).
    """

    type = "relance.lead.linked.v1"
    channel: Channel
    source: str
    points: tuple[ContactPoint, ...] = ()
    name: str | None = None
    subject: str | None = None
    text: str | None = None
    mail_ids: tuple[str, ...] = ()
    other: str | None = None
    by: str | None = None


class LeadInvalidated(Event):
    """The lead is the same request as another one, `kept`, on which work goes on (002-03)."""

    type = "relance.lead.invalidated.v1"
    kept: str
    by: str | None = None


class ContactMerged(Event):
    """The lead's contact, `previous`, turned out to be the same person as `contact`.

    Said once for each lead of `previous`; `points` is what `previous` was known by.
    """

    type = "relance.contact.merged.v1"
    contact: str
    previous: str
    points: tuple[ContactPoint, ...] = ()


class LeadUnlinked(Event):
    """A merge undone: the lead is `contact`'s again, who has `points` back, and no longer
    `previous`'s. Said once for each lead that goes; what was revoked stays revoked for both."""

    type = "relance.lead.unlinked.v1"
    contact: str
    previous: str
    points: tuple[ContactPoint, ...] = ()
    by: str | None = None


class ReplyReceived(Event):
    """A mail of the contact in a known thread, or to a mailbox while a lead is open."""

    type = "relance.lead.reply_received.v1"
    channel: Channel
    subject: str | None = None
    text: str | None = None
    mail_ids: tuple[str, ...] = ()


class LeadAssigned(Event):
    """The lead has an owner (an agent id); `by` is who decided, absent for a rule."""

    type = "relance.lead.assigned.v1"
    owner: str
    previous: str | None = None
    by: str | None = None


class LeadAcknowledged(Event):
    """The owner has taken it up; `note` is what they wrote with it (000-05). Another owner has
    to do so again."""

    type = "relance.lead.acknowledged.v1"
    note: str | None = None
    by: str


class StageEntered(Event):
    """The lead is in `stage` of `pipeline`; `left` is the stage before."""

    type = "relance.lead.stage_entered.v1"
    pipeline: str
    stage: str
    left: str | None = None
    by: str | None = None


class FieldsSet(Event):
    """Fields of the lead, or contact points of the person, have these values now."""

    type = "relance.lead.fields_set.v1"
    fields: dict[str, str]
    by: str | None = None


class NoteAdded(Event):
    """A note on the lead, or on one of its tasks (`task` is the task's id)."""

    type = "relance.lead.note_added.v1"
    text: str
    task: str | None = None
    by: str | None = None


class AttemptLogged(Event):
    """One try to reach the contact; `counted` is decided now and for ever (001-05), and so is
    its `cost` in the company's currency (000-09). `number`: the kind of number that was dialled."""

    type = "relance.lead.attempt_logged.v1"
    code: str
    channel: Channel
    outcome: str
    counted: bool = True
    cost: int = 0
    number: NumberKind | None = None
    by: str | None = None


class ContactMade(Event):
    """A two-way exchange."""

    type = "relance.lead.contact_made.v1"
    channel: Channel
    direction: Literal["inbound", "outbound"]
    by: str | None = None


class OutcomeClassified(Event):
    """An agent said what this is: one of the rulebook's outcomes. `duplicate_of` is the lead of
    the same person that stays (000-41)."""

    type = "relance.lead.classified.v1"
    outcome: str
    duplicate_of: str | None = None
    by: str | None = None


class DocumentAttached(Event):
    """A document of a kind is on the lead. `document` is its id, `url` where it lies."""

    type = "relance.lead.document_attached.v1"
    document: str
    kind: str
    status: DocumentStatus
    name: str | None = None
    url: str | None = None
    by: str | None = None


class PaymentConfirmed(Event):
    """Money is on the account; `amount` as the agent wrote it."""

    type = "relance.lead.payment_confirmed.v1"
    kind: PaymentKind
    amount: str | None = None
    by: str | None = None


class AppointmentBooked(Event):
    """The contact and an agent will meet. `appointment` is its id, for ever."""

    type = "relance.appointment.booked.v1"
    appointment: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    place: str | None = None
    by: str | None = None


class AppointmentMoved(Event):
    """It is at another time, or in another place; whatever the contact had answered is void."""

    type = "relance.appointment.moved.v1"
    appointment: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    place: str | None = None
    was_at: AwareDatetime
    by: str | None = None


class AppointmentCancelled(Event):
    """It will not take place."""

    type = "relance.appointment.cancelled.v1"
    appointment: str
    starts_at: AwareDatetime
    by: str | None = None


class AppointmentMissed(Event):
    """The contact did not come."""

    type = "relance.appointment.missed.v1"
    appointment: str
    starts_at: AwareDatetime
    by: str | None = None


class TaskCreated(Event):
    """An agent owes something. `task` is its id, `name` its kind, `to` an agent id; `issuer` is the
    agent whose doing it came of, who gets it back once it is treated (004-33).

    What helps to do it: `guide` (a link), `script` (what to say), `asks` (field ids to fill).
    """

    type = "relance.task.created.v1"
    task: str
    name: str
    title: str
    to: str | None = None
    issuer: str | None = None
    due: Due | None = None
    channel: Channel | None = None
    guide: str | None = None
    script: str | None = None
    asks: tuple[str, ...] = ()


class TaskAssigned(Event):
    """Another agent owes the task now; `note` is what they are told with it."""

    type = "relance.task.assigned.v1"
    task: str
    name: str
    to: str
    previous: str | None = None
    note: str | None = None
    by: str | None = None


class TaskPostponed(Event):
    """The task is due later (001-03)."""

    type = "relance.task.postponed.v1"
    task: str
    name: str
    due: Due
    note: str | None = None


class TaskCompleted(Event):
    """The task is done."""

    type = "relance.task.completed.v1"
    task: str
    name: str
    note: str | None = None
    by: str | None = None


class TaskCancelled(Event):
    """The task is no longer owed."""

    type = "relance.task.cancelled.v1"
    task: str
    name: str


class DeadlineSet(Event):
    """reminders shall watch this; the envelope id names this very setting.

    A task's deadline has the task's id as `name`. `kind` tells reminders which event to fire.
    `site` gives the calendar and the zone.
    """

    type = "relance.deadline.set.v1"
    name: str
    due: Due
    kind: Literal["task", "named"]
    site: str


class DeadlineCleared(Event):
    """reminders shall forget it."""

    type = "relance.deadline.cleared.v1"
    name: str


class Answer(Value):
    """One thing that can be answered; `agent`: it names an agent too (give it to …)."""

    id: str
    label: str
    agent: bool = False


class QuestionAsked(Event):
    """Agents `to` are asked what to do; the first answer counts. Once per lead and question."""

    type = "relance.question.asked.v1"
    question: str
    to: tuple[str, ...]
    answers: tuple[Answer, ...]


class QuestionAnswered(Event):
    """What `by` said; `to` is the agent whom the answer names, if it names one."""

    type = "relance.question.answered.v1"
    question: str
    answer: str
    to: str | None = None
    by: str | None = None


class ConsentRevoked(Event):
    """The person does not want to be contacted by these channels, on any lead (000-44).

    `points` are all that is known of `contact` (an id); when more becomes known it is said again.
    """

    type = "relance.consent.revoked.v1"
    contact: str
    channels: tuple[Channel, ...]
    points: tuple[ContactPoint, ...]
    by: str | None = None


class LeadBlocked(Event):
    """Nobody may use these channels on this lead any more (000-42)."""

    type = "relance.lead.blocked.v1"
    channels: tuple[Channel, ...]
    by: str | None = None


class Need(Value):
    """One thing that is missing, with the rule that asks for it and its own sentence.

    `condition` is the rulebook's word (`filled`, `attempts`, …), `missing` what is missing by
    name, `satisfied_by` what would satisfy it, for people.
    """

    rule: str
    says: str
    condition: str
    missing: tuple[str, ...] = ()
    satisfied_by: str


class ActionRefused(Event):
    """An agent's action was refused; every missing need at once."""

    type = "relance.action.refused.v1"
    action: str
    by: str
    needs: tuple[Need, ...]


class ActionWarned(Event):
    """An agent's action was done, but not as the rulebook would have it; every such need."""

    type = "relance.action.warned.v1"
    action: str
    by: str
    needs: tuple[Need, ...]


class LeadLate(Event):
    """The first overdue alert of the lead; once, and the flag stays (003-11)."""

    type = "relance.lead.late.v1"
    owner: str | None = None
    deadline: str


class LeadClosed(Event):
    """The lead ended. `evidence`: the document or the mail that proves a refusal (001-64)."""

    type = "relance.lead.closed.v1"
    status: Literal["won", "lost", "invalid"]
    reason: str | None = None
    evidence: str | None = None
    by: str | None = None


class LeadReopened(Event):
    """A closed lead is open again; the stage it enters follows."""

    type = "relance.lead.reopened.v1"
    by: str | None = None


class Recipient(Value):
    """An agent (address from the directory copy), the contact (addresses travel here), or another
    system (`target`; its address is in the rulebook)."""

    kind: Literal["agent", "contact", "target"]
    id: str
    points: tuple[ContactPoint, ...] = ()
    zone: str | None = None
    language: str | None = None


class NotificationRequested(Event):
    """pipeline asks that a person be told; notifications decides how and whether.

    Subject: the lead id; for a digest the agent id. `occasion` is what makes two messages the
    same message. `values` are the template's variables; with `collect` the requests of one
    occasion become one message, which speaks of them all. `attach` names files of the rulebook,
    `appointment` is the id of the one that it is about; `invitation` goes along with an e-mail.
    """

    type = "relance.notification.requested.v1"
    to: Recipient
    template: str
    occasion: str
    site: str
    lead: str | None = None
    values: dict[str, JsonValue] = {}
    collect: bool = False
    attach: tuple[str, ...] = ()
    appointment: str | None = None
    invitation: Invitation | None = None


class HandoffRequested(Event):
    """pipeline asks that another system, the rulebook's `target`, be told of the lead.

    `values` is the lead as it was then; `occasion` what makes two hand-offs the same one;
    `appointment` the id of the one it is about.
    """

    type = "relance.handoff.requested.v1"
    target: str
    occasion: str
    site: str
    values: dict[str, JsonValue] = {}
    appointment: str | None = None
    by: str | None = None


class ContactExported(Event):
    """Everything that is kept of a person was handed out, as the law gives them a right to.

    Subject: the contact id. `data` is what was handed out: the person and all their leads.
    """

    type = "relance.contact.exported.v1"
    contact: str
    lead: str
    data: dict[str, JsonValue]
    by: str


class NotificationWithdrawn(Event):
    """What is not sent yet of this lead shall not be; absent fields match everything.

    `to` is an agent id, or `contact` for the person outside, whoever they were taken for.
    """

    type = "relance.notification.withdrawn.v1"
    lead: str
    to: str | None = None
    template: str | None = None
    channel: MessageChannel | None = None
    appointment: str | None = None
    why: str


PIPELINE_EVENTS: tuple[type[Event], ...] = (
    LeadCreated,
    LeadLinked,
    LeadInvalidated,
    ContactMerged,
    LeadUnlinked,
    ReplyReceived,
    LeadAssigned,
    LeadAcknowledged,
    StageEntered,
    FieldsSet,
    NoteAdded,
    AttemptLogged,
    ContactMade,
    OutcomeClassified,
    DocumentAttached,
    PaymentConfirmed,
    AppointmentBooked,
    AppointmentMoved,
    AppointmentCancelled,
    AppointmentMissed,
    TaskCreated,
    TaskAssigned,
    TaskPostponed,
    TaskCompleted,
    TaskCancelled,
    DeadlineSet,
    DeadlineCleared,
    QuestionAsked,
    QuestionAnswered,
    ConsentRevoked,
    LeadBlocked,
    ActionRefused,
    ActionWarned,
    LeadLate,
    LeadClosed,
    LeadReopened,
    NotificationRequested,
    NotificationWithdrawn,
    HandoffRequested,
    ContactExported,
)
