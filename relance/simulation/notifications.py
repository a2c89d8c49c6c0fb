"""Notifications in the simulated world: a provider that takes everything at once."""

from __future__ import annotations

from datetime import datetime

from services.notifications.core.consent import Words, heard, revoked
from services.notifications.core.content import Links
from services.notifications.core.delivery import deliver, next_instant
from services.notifications.core.message import State, released
from services.notifications.core.request import handle
from shared.contract.envelope import Envelope
from shared.contract.pipeline import (
    ConsentGiven,
    ConsentRevoked,
    HandoffRequested,
    LeadErased,
    NotificationRequested,
    NotificationWithdrawn,
)
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook

LINKS = Links("https://relance.example", b"simulated")

ASKED = (NotificationRequested, NotificationWithdrawn, HandoffRequested, LeadErased)


class Notifications:
    """Messages; what may not go yet is held until it may."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.state: State = {}
        self.words: Words = {}

    def accept(self, envelope: Envelope, directory: Directory) -> list[Envelope]:
        """Takes a request or a withdrawal down; what may go at once goes with the next instant."""
        if isinstance(envelope.data, ConsentRevoked | ConsentGiven):
            self.words = heard(self.words, envelope.data)
            return []
        if not isinstance(envelope.data, ASKED):
            return []
        self.state, said = handle(self.state, envelope, self.book, directory)
        return said

    def next_instant(self) -> datetime | None:
        """When the next message may go."""
        return next_instant(self.state.values())

    def fire(self, now: datetime, directory: Directory) -> list[Envelope]:
        """Hands over what may go at `now`."""
        self.state, said = deliver(
            self.state, now, self.book, directory, LINKS, revoked=revoked(self.words)
        )
        return said

    def redirect(self, now: datetime, directory: Directory) -> list[Envelope]:  # noqa: ARG002
        """What is held is judged again: somebody may be back, or a site open."""
        self.state = {id_: released(message, now) for id_, message in self.state.items()}
        return []
