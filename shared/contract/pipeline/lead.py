"""What happened to a lead: where it came from, who has it, where it stands, how it ended."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from shared.contract.envelope import Event
from shared.contract.intake import Channel, ContactPoint

Status = Literal["open", "won", "lost", "invalid"]
DocumentStatus = Literal["sent", "returned", "signed", "received"]
PaymentKind = Literal["deposit", "partial", "final"]


class LeadCreated(Event):
    """A new lead. `number` is its short form for people; `contact` the person's id.

    `linked` is the lead that it came of, where another one made it (001-60). `dedupe_key` is that
    of the input, by which a repeat of it is known.
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
    dedupe_key: str | None = None
    by: str | None = None


class LeadLinked(Event):
    """The same person got in touch again; the open lead keeps it (001-01).

    `other`: the lead that turned out to be the same request; it is invalid now (002-03).
    `repeats`: when these very words came in first: the input is the same one and starts nothing.
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
    dedupe_key: str | None = None
    repeats: AwareDatetime | None = None
    by: str | None = None


class LeadInvalidated(Event):
    """The lead is the same request as another one, `kept`, on which work goes on (002-03)."""

    type = "relance.lead.invalidated.v1"
    kept: str
    by: str | None = None


class ReplyReceived(Event):
    """A mail of the contact in a known thread, or to a mailbox while a lead is open."""

    type = "relance.lead.reply_received.v1"
    channel: Channel
    subject: str | None = None
    text: str | None = None
    mail_ids: tuple[str, ...] = ()
    dedupe_key: str | None = None


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
