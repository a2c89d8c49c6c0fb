"""What intake says: who got in touch, by which channel, with what."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from shared.contract.envelope import Event, Value

Channel = Literal["call", "sms", "email", "chat", "social", "form"]
PointKind = Literal["phone", "email"]


class ContactPoint(Value):
    """One phone (E.164) or e-mail (case-folded) of a contact."""

    kind: PointKind
    value: str


class CallFacts(Value):
    """What the telephony vendor said of a call; `answered_by` is an agent id."""

    direction: Literal["inbound", "outbound"] = "inbound"
    outcome: Literal["missed", "answered"]
    dialled: str | None = None
    answered_by: str | None = None
    duration_s: int | None = None
    recording_url: str | None = None


class MailFacts(Value):
    """The ids that thread a mail; `mailbox` is the envelope recipient."""

    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    mailbox: str | None = None


Answer = Literal["accepted", "declined", "tentative"]


class CalendarAnswer(Value):
    """What the contact's calendar says to an invitation; `revision` is the one it answers."""

    appointment: str
    answer: Answer
    revision: int = 0


class LeadReceived(Event):
    """Somebody got in touch. intake says what it saw; pipeline decides what it is.

    `source` and `site` name entries of the rulebook's sources and of the directory;
    `occurred_at` is the sender's own time (for people); `missing` names what the form asked for
    and did not get; `dedupe_key` stands in where the sender has no id (`runtime.md` 10). A row of
    a file names its `batch`, the same for all rows of it, and whose lead it is (`owner`, as
    written). `consents` are the channels by which the person allows to be contacted again, where
    the source may take that.
    """

    type = "relance.lead.received.v1"
    channel: Channel
    source: str
    site: str
    points: tuple[ContactPoint, ...] = ()
    name: str | None = None
    company: str | None = None
    subject: str | None = None
    text: str | None = None
    language: str | None = None
    fields: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    occurred_at: AwareDatetime | None = None
    call: CallFacts | None = None
    mail: MailFacts | None = None
    owner: str | None = None
    batch: str | None = None
    consents: tuple[Channel, ...] = ()
    dedupe_key: str | None = None
    raw_id: str | None = None


class OptOutReceived(Event):
    """A reply that is nothing but STOP, in one of its languages: by `channel` no more, please.

    `text` is what was written.
    """

    type = "relance.opt_out.received.v1"
    channel: Channel
    source: str
    points: tuple[ContactPoint, ...]
    text: str
    raw_id: str | None = None


class OptInReceived(Event):
    """A reply that is nothing but START: by `channels` again, as the source may take it."""

    type = "relance.opt_in.received.v1"
    channel: Channel
    channels: tuple[Channel, ...]
    source: str
    points: tuple[ContactPoint, ...]
    text: str
    raw_id: str | None = None


class CallStarted(Event):
    """A call is going on: it rings, or `agent` (an agent id) has taken it. `call` is its id."""

    type = "relance.call.started.v1"
    call: str
    source: str
    site: str
    direction: Literal["inbound", "outbound"]
    points: tuple[ContactPoint, ...] = ()
    dialled: str | None = None
    agent: str | None = None
    occurred_at: AwareDatetime | None = None
    raw_id: str | None = None


class CallEnded(Event):
    """A call from us to a contact is over. (An inbound one is a `LeadReceived`.)"""

    type = "relance.call.ended.v1"
    call: str
    source: str
    site: str
    direction: Literal["outbound"] = "outbound"
    outcome: Literal["missed", "answered"]
    points: tuple[ContactPoint, ...] = ()
    agent: str | None = None
    duration_s: int | None = None
    recording_url: str | None = None
    occurred_at: AwareDatetime | None = None
    raw_id: str | None = None


class EmailOpened(Event):
    """The recipient of one of our mails looked at it; `notification` is the message's id."""

    type = "relance.email.opened.v1"
    notification: str


class InvitationAnswered(Event):
    """The contact answered the invitation to an appointment; `text` is what they wrote to it."""

    type = "relance.invitation.answered.v1"
    source: str
    appointment: str
    answer: Answer
    revision: int = 0
    text: str | None = None
    raw_id: str | None = None


class InboundIgnored(Event):
    """An input that is no lead (a bounce, an auto-reply, a ringing call) and why."""

    type = "relance.inbound.ignored.v1"
    source: str
    why: str
    raw_id: str | None = None


class InboundQuarantined(Event):
    """An input that could not be read; its bytes are on `intake.raw.v1` and the dead letters."""

    type = "relance.inbound.quarantined.v1"
    source: str
    why: str
    raw_id: str | None = None


class RawReceived(Event):
    """The bytes as they came, base64, for evidence and re-parsing."""

    type = "relance.inbound.raw.v1"
    source: str
    door: Literal["http", "smtp", "topic", "file"]
    content_type: str
    body_base64: str
    headers: dict[str, str] = {}


INTAKE_EVENTS: tuple[type[Event], ...] = (
    LeadReceived,
    CallStarted,
    CallEnded,
    EmailOpened,
    InvitationAnswered,
    OptOutReceived,
    OptInReceived,
    InboundIgnored,
    InboundQuarantined,
)
