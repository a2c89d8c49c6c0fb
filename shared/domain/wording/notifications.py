"""What became of a message, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.contract import notifications
from shared.contract.envelope import Event
from shared.domain.wording.say import Say, quoted


def _whom(e: notifications.MessageEvent, say: Say) -> str:
    if e.channel == "webhook":
        return f"hand-over to {say.names.targets.get(e.to, e.to)}"
    how = {"sms": "SMS", "email": "e-mail"}.get(e.channel, e.channel)
    to = "the contact" if e.to == "contact" else say.names.agent(e.to)
    return f"{how} {e.template} to {to}"


def _sent(e: notifications.NotificationSent, say: Say) -> str:
    return f"{_whom(e, say)}: {quoted(e.subject or e.text)}"


def _deferred(e: notifications.NotificationDeferred, say: Say) -> str:
    return f"{_whom(e, say)} held until {say.at(e.until)}: {e.why}"


def _not_sent(e: notifications.NotificationSuppressed, say: Say) -> str:
    return f"{_whom(e, say)} not sent: {e.why}"


def _failed(e: notifications.NotificationFailed, say: Say) -> str:
    return f"{_whom(e, say)} FAILED: {e.why}"


def _unknown(e: notifications.NotificationUnknown, say: Say) -> str:
    return f"{_whom(e, say)}: unknown whether it went, {e.resolution.replace('_', ' ')}"


WORDS: dict[type[Event], Callable[[Any, Say], str]] = {
    notifications.NotificationSent: _sent,
    notifications.NotificationDeferred: _deferred,
    notifications.NotificationSuppressed: _not_sent,
    notifications.NotificationFailed: _failed,
    notifications.NotificationUnknown: _unknown,
}
