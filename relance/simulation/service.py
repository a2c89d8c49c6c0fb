"""The services of the simulated world: each a core with the little its shell does for it.

What the shells do in SQL (which rows are due, what is unique) these do with dictionaries.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from services.pipeline.core.digest import digest, owners_for
from services.pipeline.core.engine import CONSUMED, handle
from services.pipeline.core.judge import absences_of
from services.pipeline.core.world import World
from shared.contract.envelope import Envelope
from shared.contract.reminders import AgentAbsent, DigestDue
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook


class Service(Protocol):
    """One service of the simulated world."""

    def accept(self, envelope: Envelope, directory: Directory) -> list[Envelope]:
        """What it says to an event; nothing for one it ignores."""
        ...

    def next_instant(self) -> datetime | None:
        """When it would do something by itself."""
        ...

    def fire(self, now: datetime, directory: Directory) -> list[Envelope]:
        """What is due at `now`."""
        ...

    def redirect(self, now: datetime, directory: Directory) -> list[Envelope]:
        """The directory has changed: plan again what it touches."""
        ...


class Pipeline:
    """Leads; it has no clock."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.world = World()

    def accept(self, envelope: Envelope, directory: Directory) -> list[Envelope]:
        """The digest for a `DigestDue`, the engine's answer to everything else it consumes."""
        if isinstance(envelope.data, DigestDue):
            owners = owners_for(directory, envelope.data.agent)
            leads = [x for x in self.world.leads.values() if x.is_open and x.owner in owners]
            return digest(self.book, directory, envelope, leads)
        if isinstance(envelope.data, AgentAbsent):
            said: list[Envelope] = []
            for each in absences_of(envelope, self.world.leads.values()):
                self.world, more = handle(self.world, each, self.book, directory)
                said += more
            return said
        if type(envelope.data) not in CONSUMED:
            return []
        self.world, said = handle(self.world, envelope, self.book, directory)
        return said

    def next_instant(self) -> datetime | None:
        """Never."""
        return None

    def fire(self, now: datetime, directory: Directory) -> list[Envelope]:  # noqa: ARG002
        """Nothing."""
        return []

    def redirect(self, now: datetime, directory: Directory) -> list[Envelope]:  # noqa: ARG002
        """Nothing: each event is judged with the directory of its time."""
        return []
