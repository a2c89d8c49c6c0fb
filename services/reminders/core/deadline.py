"""Deadlines: armed, replaced, cleared, and fired at their instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.reminders.core.plan import plan
from shared.contract.envelope import Envelope, caused, derived_id
from shared.contract.pipeline import DeadlineCleared, DeadlineSet, LeadClosed
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue
from shared.domain.directory import Directory, Unknown

SOURCE = "/reminders"

_PLANNED, _FIRED = 0, 1


@dataclass(frozen=True, slots=True)
class Deadline:
    """An armed deadline: the `DeadlineSet` that asked for it, and the instant planned for it.

    `planned_by` is the version of the site's hours by which it was planned.
    """

    asked: Envelope
    due_at: datetime
    planned_by: int = 0

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

    def planned_again(self, directory: Directory) -> Deadline:
        """By the hours as they are now. Where nothing can be planned by them (never open) the
        instant stays: better by old hours than never. Raises `Unknown`."""
        hours = directory.opening(self.wish.site)
        try:
            due_at = plan(self.wish.due, self.asked.time, hours)
        except ValueError:  # `NeverOpen` is one
            due_at = None
        version = directory.hours_version(self.wish.site)
        return Deadline(self.asked, due_at or self.due_at, version)

    def moved(self, now: datetime) -> Envelope:
        """The news that it was planned again, for another instant."""
        data = DeadlinePlanned(name=self.name, deadline_set=self.asked.id, due_at=self.due_at)
        envelope = caused(
            self.asked,
            source=SOURCE,
            index=_PLANNED,
            subject=self.lead,
            data=data,
            time=max(self.asked.time, now),
        )
        again = derived_id(envelope.id, str(self.planned_by), self.due_at.isoformat())
        return envelope.model_copy(update={"id": again})

    def is_stale(self, directory: Directory) -> bool:
        """Whether the site's hours have changed since it was planned."""
        try:
            return self.planned_by < directory.hours_version(self.wish.site)
        except Unknown:
            return False

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
            deadline = Deadline(envelope, due_at, directory.hours_version(wish.site))
            return deadlines.armed(deadline), [deadline.planned()]
        case DeadlineCleared(name=name):
            return deadlines.without(envelope.subject, name), []
        case LeadClosed():
            # Pipeline clears each of them itself; a closed lead must not ring all the same.
            return deadlines.without(envelope.subject), []
    return deadlines, []


def fire(
    deadlines: Deadlines, now: datetime, directory: Directory
) -> tuple[Deadlines, list[Envelope]]:
    """Every deadline whose instant has come by `now`, the earliest first; each fires once.

    One that was planned by other hours than today's is planned again first (`runtime.md` 15).
    """
    come = [deadline for deadline in deadlines if deadline.due_at <= now]
    known, said = replan(Deadlines.of(come), now, directory)
    due = sorted(
        (deadline for deadline in known if deadline.due_at <= now),
        key=lambda each: (each.due_at, each.lead, each.name),
    )
    left = [each for each in (*deadlines, *known) if each.due_at > now]
    return Deadlines.of(left), [*said, *(deadline.fired(now) for deadline in due)]


def by_tenant(deadlines: Deadlines) -> dict[str, Deadlines]:
    """The deadlines of each company: another one's sites are not theirs."""
    found: dict[str, list[Deadline]] = {}
    for deadline in deadlines:
        found.setdefault(deadline.asked.tenant, []).append(deadline)
    return {tenant: Deadlines.of(theirs) for tenant, theirs in found.items()}


def replan(
    deadlines: Deadlines, now: datetime, directory: Directory
) -> tuple[Deadlines, list[Envelope]]:
    """The same deadlines by today's hours, and the news of those whose instant is another."""
    known: list[Deadline] = []
    said: list[Envelope] = []
    for deadline in deadlines:
        again = deadline.planned_again(directory) if deadline.is_stale(directory) else deadline
        known.append(again)
        if again.due_at != deadline.due_at:
            said.append(again.moved(now))
    return Deadlines.of(known), said
