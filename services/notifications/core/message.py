"""One message to one person by one channel, and how it fares.

`requested → held → sending → sent | failed | suppressed | unknown`. A message goes back from
`sending` to `requested` when the provider certainly did not take it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import JsonValue

from shared.contract.envelope import Because, Envelope, Event, caused, derived_id
from shared.contract.notifications import (
    MessageChannel,
    MessageEvent,
    NotificationDeferred,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    NotificationUnknown,
)
from shared.contract.pipeline import HandoffRequested, NotificationRequested, Recipient

SOURCE = "/notifications"

Status = Literal["requested", "held", "sending", "sent", "failed", "suppressed", "unknown"]
WAITING: frozenset[Status] = frozenset({"requested", "held"})
"""Not handed to a provider (yet): can still be withdrawn."""
UNFINISHED: frozenset[Status] = WAITING | {"sending"}

E = TypeVar("E", bound=MessageEvent)


@dataclass(frozen=True, slots=True)
class Content:
    """What is handed to the provider: address, and the text as the person reads it.

    `html` stands beside the text in an e-mail; `parts` counts SMS parts (1 for an e-mail).
    `calendar` is an invitation (iCalendar) and `method` what it asks of the calendar.
    """

    address: str
    text: str
    sender: str
    subject: str | None = None
    html: str | None = None
    parts: int = 1
    calendar: str | None = None
    method: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """`send_after` is the instant before which it does not go; `attempts` counts hand-overs.

    `deferred` says that its holding was announced, `withdrawn` that it must not go once more
    should the provider not have taken it. `content` is there from the first hand-over on. `more`
    are the leads of further requests that this message collects. `judged_by` is the version of
    the directory by which it was held.
    """

    id: str
    request: Envelope
    channel: MessageChannel
    send_after: datetime
    status: Status = "requested"
    attempts: int = 0
    deferred: bool = False
    withdrawn: bool = False
    content: Content | None = None
    more: tuple[Mapping[str, JsonValue], ...] = ()
    judged_by: int = 0

    @property
    def asked(self) -> NotificationRequested:
        """What pipeline asked for."""
        return request_of(self.request)

    def held(self, until: datetime, judged_by: int = 0) -> Message:
        """Waiting for `until`."""
        return replace(self, status="held", send_after=until, deferred=True, judged_by=judged_by)

    def sending(self, content: Content) -> Message:
        """About to be handed over; nothing but its result may follow."""
        return replace(self, status="sending", content=content, attempts=self.attempts + 1)

    def ended(self, status: Status) -> Message:
        """In a final state: whom it was for by their id, and no word of it any more. What was sent
        is in the history of its lead."""
        return replace(self, status=status, request=wordless(self.request), content=None, more=())

    def waiting_again(self) -> Message:
        """Not taken by the provider: it waits for another try."""
        return replace(self, status="requested")


FILE = "invitation.ics"
"""What an invitation is called among what is attached."""

State = Mapping[str, Message]
"""Messages by id, in the order in which they were requested."""


def released(message: Message, now: datetime) -> Message:
    """A held message, to be judged again at once: what it waited for may have changed."""
    if message.status != "held" or message.send_after <= now:
        return message
    return replace(message, send_after=now)


def request_of(envelope: Envelope) -> NotificationRequested:
    """The request that an envelope carries; raises `ValueError` for any other event."""
    if isinstance(envelope.data, HandoffRequested):
        return _as_request(envelope.data, envelope.subject)
    if not isinstance(envelope.data, NotificationRequested):
        raise ValueError(f"{envelope.type} asks for no notification")
    return envelope.data


def _as_request(handoff: HandoffRequested, lead: str) -> NotificationRequested:
    """A hand-off as every other request: one recipient, one channel, one occasion."""
    return NotificationRequested(
        because=handoff.because,
        to=Recipient(kind="target", id=handoff.target),
        template=handoff.target,
        occasion=handoff.occasion,
        site=handoff.site,
        lead=lead,
        values=handoff.values,
        appointment=handoff.appointment,
    )


def wordless(request: Envelope) -> Envelope:
    """The request without what it says and where it goes."""
    update: dict[str, object] = {"values": {}}
    if isinstance(request.data, NotificationRequested):
        to = request.data.to.model_copy(update={"points": ()})
        update |= {"to": to, "invitation": None}
    return request.model_copy(update={"data": request.data.model_copy(update=update)})


def message_id(tenant: str, asked: NotificationRequested, channel: MessageChannel) -> str:
    """The same for ever for (recipient, channel, template, occasion): nobody is told twice."""
    recipient = f"{asked.to.kind}:{asked.to.id}"
    return derived_id(tenant, recipient, channel, asked.template, asked.occasion)


def deferred(message: Message, why: str, now: datetime, because: Because | None) -> Envelope:
    """Held, not lost; `message` knows until when."""
    until = message.send_after
    return _told(
        message,
        NotificationDeferred,
        now,
        because=because or _because(message),
        why=why,
        until=until,
    )


def suppressed(
    message: Message, why: str, now: datetime, cause: Envelope | None = None
) -> Envelope:
    """Will not be sent; `cause` is the withdrawal, if there is one."""
    return _told(message, NotificationSuppressed, now, cause, because=_because(message), why=why)


def failed(message: Message, why: str, now: datetime) -> Envelope:
    """Refused for good."""
    return _told(message, NotificationFailed, now, because=_because(message), why=why)


def unknown(
    message: Message, resolution: Literal["assumed_sent", "sent_again"], now: datetime
) -> Envelope:
    """Nobody knows whether it went."""
    return _told(
        message, NotificationUnknown, now, because=_because(message), resolution=resolution
    )


def sent(message: Message, content: Content, provider_id: str | None, now: datetime) -> Envelope:
    """Handed over, once."""
    return _told(
        message,
        NotificationSent,
        now,
        because=_because(message),
        address=content.address,
        text=content.text,
        subject=content.subject,
        provider_id=provider_id,
        parts=content.parts,
        attached=(*message.asked.attach, *((FILE,) if content.calendar else ()))
        if message.channel == "email"
        else (),
        invitation=message.asked.invitation if content.calendar else None,
    )


def _because(message: Message) -> Because | None:
    return message.asked.because


def _told(
    message: Message, kind: type[E], now: datetime, cause: Envelope | None = None, **facts: Any
) -> Envelope:
    """An event about `message`, of the subject that asked for it; time never runs back."""
    asked, cause = message.asked, cause or message.request
    data: Event = kind(
        notification=message.id,
        request=message.request.id,
        to="contact" if asked.to.kind == "contact" else asked.to.id,
        channel=message.channel,
        template=asked.template,
        occasion=asked.occasion,
        lead=asked.lead,
        **facts,
    )
    envelope = caused(
        cause,
        source=SOURCE,
        index=0,
        subject=message.request.subject,
        data=data,
        time=max(now, cause.time),
    )
    # One request makes several messages, and a message several events: the id says which.
    id_ = derived_id(message.id, data.type, str(message.attempts))
    return envelope.model_copy(update={"id": id_})
