"""Links in messages that let their reader act: signed, for one purpose, for a limited time."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

VALID_FOR = timedelta(days=14)
"""As long as a question may lie in a mailbox."""

_MARK_BYTES = 16


class BadLink(ValueError):
    """The link was changed, was never ours, or has expired; the sentence is for its reader."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link lets its holder do: answer this question about this lead, as this agent."""

    tenant: str
    lead: str
    question: str
    agent: str
    expires_at: datetime

    def token(self, key: bytes) -> str:
        """The link as a text for URLs that nobody without `key` can make."""
        expires = int(self.expires_at.timestamp())
        said = [self.tenant, self.lead, self.question, self.agent, expires]
        body = json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()
        return f"{_text(body)}.{_text(_mark(body, key))}"


def read_link(token: str, key: bytes, now: datetime) -> Link:
    """The link that `token` is; raises `BadLink`."""
    head, _, tail = token.partition(".")
    try:
        body, mark = _bytes(head), _bytes(tail)
    except (ValueError, binascii.Error):
        body, mark = b"", b""
    if not hmac.compare_digest(mark, _mark(body, key)):
        raise BadLink("This link is not complete: open it from the message again.")
    tenant, lead, question, agent, expires = json.loads(body)
    expires_at = datetime.fromtimestamp(expires, UTC)
    if now >= expires_at:
        raise BadLink("This link has expired.")
    return Link(tenant, lead, question, agent, expires_at)


def _mark(body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"relance link\x1f" + body, hashlib.sha256).digest()[:_MARK_BYTES]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
