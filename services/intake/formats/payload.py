"""An input as a door hands it over: bytes, and what the transport said about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Door = Literal["http", "smtp", "topic", "file"]

BODY_BYTES_MOST = 5 * 1024 * 1024
"""The most that any door takes in."""


@dataclass(frozen=True, slots=True)
class Payload:
    """`provider_id` is the transport's own id of the message (webhook-id, CloudEvents id), used
    where the content has none. `mail_from` and `mailbox` are the SMTP envelope's sender (empty
    for `<>`) and recipient. `record` is the whole that came, where `body` is only a part of it.
    """

    door: Door
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    provider_id: str | None = None
    mail_from: str | None = None
    mailbox: str | None = None
    record: bytes | None = None

    @property
    def media_type(self) -> str:
        """`text/html` of `text/html; charset=utf-8`."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def as_it_came(self) -> bytes:
        """The bytes to keep as evidence."""
        return self.body if self.record is None else self.record
