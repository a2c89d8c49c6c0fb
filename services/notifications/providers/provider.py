"""What a provider must do; how it does it is its own affair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifications.core.delivery import Accepted, NotTaken, Result, Unclear
from services.notifications.core.message import Content
from shared.contract.notifications import MessageChannel


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way: `id` is ours, the same at every attempt; `at` when it is sent.

    `attach` names files that go along; `attachments` are those of a published rulebook, base64
    by name; `tenant` is the company that writes.
    """

    id: str
    content: Content
    at: datetime
    attach: tuple[str, ...] = ()
    attachments: Mapping[str, str] | None = None
    tenant: str = ""


class CannotBeAsked(Exception):
    """The provider keeps no record of single messages, as SMTP does not."""


class Provider(Protocol):
    """The way out of one channel."""

    channel: MessageChannel
    at_once: int
    """How many messages it takes side by side."""

    async def send(self, letter: Letter) -> Result:
        """Hand over; every outcome is a result, nothing is raised.

        `NotTaken` only when the provider certainly does not have it, `Unclear` when it may.
        """

    async def ask(self, id_: str) -> Accepted | NotTaken | Unclear:
        """What became of a message; `Unclear` when there is no answer at present.

        Raises `CannotBeAsked`.
        """

    async def close(self) -> None:
        """Let go of connections."""
