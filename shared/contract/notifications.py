"""What notifications says: how a message fared."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from shared.contract.envelope import Event
from shared.contract.invitation import Invitation

MessageChannel = Literal["sms", "email", "chat", "webhook"]
"""How a message goes; by webhook another system is told, people are by the others."""


class MessageEvent(Event):
    """Common to all: which message, from which request, to whom.

    `notification` is the message's id: uuid5 of (recipient, channel, template, occasion).
    `to` is an agent id, `contact`, or the target of a hand-off; `lead` is absent for digests.
    """

    notification: str
    request: str
    to: str
    channel: MessageChannel
    template: str
    occasion: str
    lead: str | None = None


class NotificationSent(MessageEvent):
    """Handed over to the provider, once. `text` is what the person reads; `parts` counts SMS;
    `attached` names the files that went along, `invitation` is the one among them."""

    type = "relance.notification.sent.v1"
    address: str
    text: str
    subject: str | None = None
    provider_id: str | None = None
    parts: int = 1
    attached: tuple[str, ...] = ()
    invitation: Invitation | None = None


class NotificationDeferred(MessageEvent):
    """Held, not lost: `why` is `closed` or `absent`; tried again at `until` (003-05)."""

    type = "relance.notification.deferred.v1"
    why: str
    until: AwareDatetime


class NotificationSuppressed(MessageEvent):
    """Will not be sent, and why (withdrawn, no address, …)."""

    type = "relance.notification.suppressed.v1"
    why: str


class NotificationFailed(MessageEvent):
    """The provider refused it for good, and why."""

    type = "relance.notification.failed.v1"
    why: str


class NotificationUnknown(MessageEvent):
    """A crash between hand-over and record: it may or may not have gone. Counted, named."""

    type = "relance.notification.unknown.v1"
    resolution: Literal["assumed_sent", "sent_again"]


NOTIFICATIONS_EVENTS: tuple[type[Event], ...] = (
    NotificationSent,
    NotificationDeferred,
    NotificationSuppressed,
    NotificationFailed,
    NotificationUnknown,
)
