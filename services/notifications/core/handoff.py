"""A hand-off as the message that tells another system of a lead: its body, its way."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from services.notifications.core.message import Content, Message

TYPE = "lead.handed_off"
"""What the receiver calls it: the `type` of the body."""


def content_of(message: Message, company: str, now: datetime) -> Content:
    """The JSON that is posted: what happened, when, and the lead as it was then."""
    because = message.asked.because
    body = {
        "type": TYPE,
        "timestamp": now.astimezone(UTC).isoformat(),
        "data": {
            "tenant": message.request.tenant,
            "target": message.asked.to.id,
            "rule": because.rule if because else None,
            **message.asked.values,
        },
    }
    # Sorted: the request comes back from the database with its keys in another order, and every
    # attempt must be the same to the byte.
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Content(message.asked.to.id, text, sender=company)
