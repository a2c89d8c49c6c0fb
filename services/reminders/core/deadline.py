"""Deadlines: armed, replaced, cleared, and fired at their instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.reminders.core.plan import plan
from shared.contract.envelope import Envelope, caused
from shared.contract.pipeline import DeadlineCleared, DeadlineSet, LeadClosed
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue
from shared.domain.directory import Directory

SOURCE = "/reminders"

_PLANNED, _FIRED = 0, 1


@dataclass(frozen=True, slots=True)
class Deadline:
    """An armed deadline: the `DeadlineSet` that asked for it, and the instant planned for it."""

    asked: Envelope
    due_at: datetime

    @property
    def lead(self) -> str:
        """The lead it belongs to."""
        return self.asked.subject

    @property
    def wish(self) -> DeadlineSet:
        """What was asked for."""
        assert isinstance(self.asked.data, DeadlineSet)
        return self.asked.data

    @property
    def name(self) -> str:
        """Its name, one of a kind in its lead."""
        return self.wish.name

    def planned(self) -> Envelope:
        """The news that it is armed."""
        data = DeadlinePlanned(name=self.name, deadline_set=self.asked.id, due_at=self.due_at)
        return caused(self.asked, source=SOURCE, index=_PLANNED, subject=self.lead, data=data)

    def fired(self, now: datetime) -> Envelope:
        """The news that its instant has come: the same event, however often it is told."""
        kind = LeadOverdue if self.wish.kind == "task" else DeadlineReached
        data = kind(name=self.name, deadline_set=self.asked.id, due_at=self.due_at)
        return caused(
            self.asked,
            source=SOURCE,
            index=_FIRED,
            subject=self.lead,
            data=data,
            time=max(self.due_at, now),
        )


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The armed deadlines, by lead and name."""

    by_lead: Mapping[str, Mapping[str, Deadline]] = field(default_factory=dict)

    @classmethod
    def of(cls, deadlines: Iterable[Deadline]) -> Deadlines:
        """These deadlines, armed."""
        by_lead: dict[str, dict[str, Deadline]] = {}
        for deadline in deadlines:
            by_lead.setdefault(deadline.lead, {})[deadline.name] = deadline
        return cls(by_lead)

    def __iter__(self) -> Iterator[Deadline]:
        for named in self.by_lead.values():
            yield from named.values()

    def next_due(self) -> datetime | None:
        """The earliest instant that is planned."""
        return min((deadline.due_at for deadline in self), default=None)

    def armed(self, deadline: Deadline) -> Deadlines:
        """With `deadline`, which takes the place of one of its name."""
        named = {**self.by_lead.get(deadline.lead, {}), deadline.name: deadline}
        return Deadlines({**self.by_lead, deadline.lead: named})

    def without(self, lead: str, name: str | None = None) -> Deadlines:
        """Without the one of that `name`, or without any of the lead."""
        left = {n: d for n, d in self.by_lead.get(lead, {}).items() if name not in (None, n)}
        others = {each: named for each, named in self.by_lead.items() if each != lead}
        return Deadlines({**others, lead: left} if left else others)


def handle(
    deadlines: Deadlines, envelope: Envelope, directory: Directory
) -> tuple[Deadlines, list[Envelope]]:
    """What pipeline asks for, done; any other event changes nothing.

    Raises `Unknown` for a site that is not in the directory, and what `plan` raises.
    """
    match envelope.data:
        case DeadlineSet() as wish:
            due_at = plan(wish.due, envelope.time, directory.opening(wish.site))
            if due_at is None:
                return deadlines.without(envelope.subject, wish.name), []
            deadline = Deadline(envelope, due_at)
            return deadlines.armed(deadline), [deadline.planned()]
        case DeadlineCleared(name=name):
            return deadlines.without(envelope.subject, name), []
        case LeadClosed():
            # Pipeline clears each of them itself; a closed lead must not ring all the same.
            return deadlines.without(envelope.subject), []
    return deadlines, []


def fire(deadlines: Deadlines, now: datetime) -> tuple[Deadlines, list[Envelope]]:
    """Every deadline whose instant has come by `now`, the earliest first; each fires once."""
    due = sorted(
        (deadline for deadline in deadlines if deadline.due_at <= now),
        key=lambda each: (each.due_at, each.lead, each.name),
    )
    left = Deadlines.of(deadline for deadline in deadlines if deadline.due_at > now)
    return left, [deadline.fired(now) for deadline in due]
