"""Absences: when somebody has been away for more than 24 hours, said once each (003-12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.reminders.core.deadline import SOURCE
from shared.contract.directory import agent_subject
from shared.contract.envelope import Envelope, derived_id
from shared.contract.reminders import AgentAbsent
from shared.domain.directory import Away, Directory

Name = tuple[str, datetime]
"""Whose absence, and since when."""


@dataclass(frozen=True, slots=True)
class LongAbsence:
    """An absence that is said when it has lasted for 24 hours."""

    away: Away
    said: bool = False

    @property
    def name(self) -> Name:
        """What makes two of them the same."""
        return (self.away.agent, self.away.since)

    @property
    def due_at(self) -> datetime:
        """When it is said."""
        return self.away.long_from

    def tell(self, tenant: str, now: datetime) -> Envelope:
        """The news: the same event, however often it is told."""
        away = self.away
        data = AgentAbsent(agent=away.agent, since=away.since, until=away.until)
        return Envelope(
            id=derived_id(tenant, "absent", away.agent, away.since.isoformat()),
            source=SOURCE,
            type=data.type,
            subject=agent_subject(tenant, away.agent),
            time=max(self.due_at, now),
            tenant=tenant,
            data=data,
        )


@dataclass(frozen=True, slots=True)
class LongAbsences:
    """Those to come and those that were said, by name."""

    by_name: Mapping[Name, LongAbsence] = field(default_factory=dict)

    @classmethod
    def of(cls, absences: Iterable[LongAbsence]) -> LongAbsences:
        """These absences."""
        return cls({each.name: each for each in absences})

    def next_due(self) -> datetime | None:
        """The earliest instant at which one is to be said."""
        return min((each.due_at for each in self.by_name.values() if not each.said), default=None)


def replan(known: LongAbsences, directory: Directory, now: datetime) -> LongAbsences:
    """The directory has changed: what is still to come of it; what was said stays said.

    An absence that is over by the time somebody hears of it is nobody's business any more.
    """
    coming = (LongAbsence(away) for away in directory.absences if away.is_long and away.until > now)
    said = {name: each for name, each in known.by_name.items() if each.said}
    return LongAbsences({**{each.name: each for each in coming}, **said})


def fire(known: LongAbsences, now: datetime) -> tuple[LongAbsences, list[LongAbsence]]:
    """Those to say by `now`, the earliest first; each is said once."""
    due = sorted(
        (each for each in known.by_name.values() if not each.said and each.due_at <= now),
        key=lambda each: (each.due_at, each.name),
    )
    told = {each.name: LongAbsence(each.away, said=True) for each in due}
    return LongAbsences({**known.by_name, **told}), due
