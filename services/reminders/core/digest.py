"""The daily digest: when each agent's is due, once per agent and local date (003-08, 003-09)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from services.reminders.core.deadline import SOURCE
from shared.contract.directory import agent_subject
from shared.contract.envelope import Because, Envelope, derived_id
from shared.contract.reminders import DigestDue
from shared.domain.calendar import NeverOpen, OpenHours
from shared.domain.directory import Directory, Unknown
from shared.domain.rulebook.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class DigestTime:
    """When the rulebook has digests made: at the earliest local time that one of them names."""

    tenant: str
    at: time
    because: Because | None = None

    @classmethod
    def of(cls, book: Rulebook) -> DigestTime | None:
        """The rulebook's; None when it declares no digest."""
        first = min(book.digests, key=lambda each: each.at, default=None)
        if first is None:
            return None
        because = first.rule and Because(rulebook=book.name, version=book.version, rule=first.rule)
        return cls(book.tenant, time.fromisoformat(first.at), because or None)

    def on(self, day: date, hours: OpenHours) -> datetime:
        """The instant of the digest of that day, whether the doors are open by then or not."""
        return hours.instant_of(day, self.at)

    def next_after(self, now: datetime, hours: OpenHours) -> tuple[date, datetime]:
        """The first open day whose digest is still to come, and its instant."""
        day = hours.open_date(hours.date_of(now))
        if self.on(day, hours) <= now:
            day = hours.open_date(day + timedelta(days=1))
        return day, self.on(day, hours)


@dataclass(frozen=True, slots=True)
class Digest:
    """An agent's digest of one local date."""

    agent: str
    date: date
    due_at: datetime

    def said(self, digest_time: DigestTime, now: datetime) -> Envelope:
        """The news that it is due: the same event, however often it is told."""
        data = DigestDue(
            because=digest_time.because, agent=self.agent, date=self.date, due_at=self.due_at
        )
        tenant = digest_time.tenant
        return Envelope(
            id=derived_id(tenant, "digest", self.agent, self.date.isoformat()),
            source=SOURCE,
            type=data.type,
            subject=agent_subject(tenant, self.agent),
            time=max(self.due_at, now),
            tenant=tenant,
            data=data,
        )


@dataclass(frozen=True, slots=True)
class Digests:
    """The next digest of each agent."""

    by_agent: Mapping[str, Digest] = field(default_factory=dict)

    def next_due(self) -> datetime | None:
        """The earliest instant that is planned."""
        return min((digest.due_at for digest in self.by_agent.values()), default=None)


def coming(
    directory: Directory, digest_time: DigestTime, now: datetime, agents: Iterable[str]
) -> list[Digest]:
    """The first digest after `now` of each of `agents`.

    Not of those who left, and not of those whose site is unknown or never open: they are told
    nothing until the directory says better.
    """
    by_site: dict[str, tuple[date, datetime] | None] = {}
    found = []
    for agent in sorted(agents):
        site = _site(directory, agent)
        if site is None:
            continue
        if site not in by_site:
            by_site[site] = _next_of(directory, digest_time, now, site)
        if (planned := by_site[site]) is not None:
            found.append(Digest(agent, *planned))
    return found


def replan(
    digests: Digests, directory: Directory, digest_time: DigestTime, now: datetime
) -> Digests:
    """The directory has changed: what is to come is planned anew, what has come stays due."""
    everybody = [agent.id for agent in directory.agents]
    anew = {each.agent: each for each in coming(directory, digest_time, now, everybody)}
    due = {each.agent: each for each in digests.by_agent.values() if each.due_at <= now}
    return Digests({**anew, **due})


def fire(
    digests: Digests, directory: Directory, digest_time: DigestTime, now: datetime
) -> tuple[Digests, list[Digest]]:
    """The digests to say now: today's of every agent whose planned instant has come.

    Late by days it says today's only, and that only on an open day and once its time has come.
    """
    come = [agent for agent, each in sorted(digests.by_agent.items()) if each.due_at <= now]
    there = [agent for agent in come if directory.away(agent, now) is None]  # decision 8
    said = [each for agent in there if (each := _today(directory, digest_time, now, agent))]
    left = {agent: each for agent, each in digests.by_agent.items() if agent not in set(come)}
    anew = {each.agent: each for each in coming(directory, digest_time, now, come)}
    return Digests({**left, **anew}), said


def _today(
    directory: Directory, digest_time: DigestTime, now: datetime, agent: str
) -> Digest | None:
    site = _site(directory, agent)
    if site is None:
        return None
    with suppress(Unknown):
        hours = directory.opening(site)
        today = hours.date_of(now)
        due_at = digest_time.on(today, hours)
        if hours.is_open_day(today) and due_at <= now:
            return Digest(agent, today, due_at)
    return None


def _next_of(
    directory: Directory, digest_time: DigestTime, now: datetime, site: str
) -> tuple[date, datetime] | None:
    with suppress(Unknown, NeverOpen):
        return digest_time.next_after(now, directory.opening(site))
    return None


def _site(directory: Directory, agent: str) -> str | None:
    with suppress(Unknown):
        document = directory.agent(agent)
        return None if document.withdrawn else document.site
    return None
