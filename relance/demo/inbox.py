"""The messages as people received them: read where they arrived, not where they were sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from shared.contract.envelope import Envelope
from shared.contract.notifications import NotificationSent


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS or e-mail in somebody's hands; `template` is the one it was made from."""

    channel: str
    to: str
    template: str
    subject: str | None
    text: str
    parts: int


async def received(mail_url: str, sms_url: str, events: Iterable[Envelope]) -> list[Message]:
    """What the mail catcher and the SMS sandbox hold, in the order of sending."""
    sent = {
        e.data.notification: (index, e.data)
        for index, e in enumerate(events)
        if isinstance(e.data, NotificationSent)
    }
    async with httpx2.AsyncClient(timeout=10) as http:
        mails = (await http.get(f"{mail_url}/api/messages")).raise_for_status().json()
        texts = (await http.get(f"{sms_url}/sandbox/messages")).raise_for_status().json()
    handed = [
        *((notification_of_mail(mail), "email", mail) for mail in mails),
        *((str(text["id"]), str(text["channel"]), text) for text in texts),
    ]
    messages = [
        (sent[id_][0], _message(channel, raw, sent[id_][1]))
        for id_, channel, raw in handed
        if id_ in sent
    ]
    return [message for _, message in sorted(messages, key=lambda pair: pair[0])]


def notification_of_mail(mail: Mapping[str, Any]) -> str:
    """The notification id that our Message-ID carries; empty for a mail that is not ours."""
    headers = {str(name).lower(): str(value) for name, value in dict(mail["headers"]).items()}
    return headers.get("message-id", "").strip("<>").partition("@")[0]


def _message(channel: str, raw: Mapping[str, Any], sent: NotificationSent) -> Message:
    to = raw["to"]
    return Message(
        channel=channel,
        to=", ".join(to) if isinstance(to, list) else str(to),
        template=sent.template,
        subject=raw.get("subject"),
        text=str(raw["text"]).strip(),
        parts=sent.parts,
    )
