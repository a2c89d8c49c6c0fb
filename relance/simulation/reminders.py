"""Reminders in the simulated world: deadlines and digests, fired at their instant."""

from __future__ import annotations

from datetime import datetime

from services.reminders.core import absence, deadline, digest
from services.reminders.core.absence import LongAbsences
from services.reminders.core.deadline import Deadlines
from services.reminders.core.digest import Digests, DigestTime
from shared.contract.envelope import Envelope
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook


class Reminders:
    """What is armed, and each agent's next digest."""

    def __init__(self, book: Rulebook) -> None:
        self.deadlines = Deadlines()
        self.digests = Digests()
        self.absences = LongAbsences()
        self.tenant = book.tenant
        self.digest_time = DigestTime.of(book)

    def accept(self, envelope: Envelope, directory: Directory) -> list[Envelope]:
        """Arms and clears what pipeline asks for."""
        if envelope.source != "/pipeline":
            return []
        self.deadlines, said = deadline.handle(self.deadlines, envelope, directory)
        return said

    def next_instant(self) -> datetime | None:
        """The earliest deadline or digest."""
        known = (self.deadlines.next_due(), self.digests.next_due(), self.absences.next_due())
        return min((each for each in known if each is not None), default=None)

    def fire(self, now: datetime, directory: Directory) -> list[Envelope]:
        """Everything whose instant has come."""
        self.deadlines, fired = deadline.fire(self.deadlines, now, directory)
        self.absences, long = absence.fire(self.absences, now)
        fired += [each.tell(self.tenant, now) for each in long]
        if self.digest_time is None:
            return fired
        self.digests, due = digest.fire(self.digests, directory, self.digest_time, now)
        return [*fired, *(each.said(self.digest_time, now) for each in due)]

    def redirect(self, now: datetime, directory: Directory) -> list[Envelope]:
        """What is to come is planned anew."""
        self.deadlines, said = deadline.replan(self.deadlines, now, directory)
        self.absences = absence.replan(self.absences, directory, now)
        if self.digest_time is not None:
            self.digests = digest.replan(self.digests, directory, self.digest_time, now)
        return said
