"""The directory as a value: one tenant's sites, calendars, teams and agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.contract.directory import (
    Absence,
    Agent,
    Availability,
    Calendar,
    Document,
    Kind,
    Site,
    Team,
    kind_of,
)
from shared.domain.calendar import OpenHours

D = TypeVar("D", bound=Document)

_PLURALS: Mapping[Kind, str] = {"availability": "_availabilities"}

LONG_ABSENCE = timedelta(hours=24)
"""After so long somebody has to say what becomes of an absent agent's leads (003-12)."""


class Unknown(LookupError):
    """Something names a directory entry that is not there (yet); `runtime.md` 11 lets it wait."""

    def __init__(self, kind: str, id_: str) -> None:
        missing = "is no IANA time zone" if kind == "zone" else "is not in the directory"
        super().__init__(
            f"{kind} {id_!r} {missing}: correct it with `relance directory apply FILE`"
        )
        self.kind, self.id = kind, id_


@dataclass(frozen=True)
class Away:
    """A time without interruption in which an agent is not there: absences that meet are one."""

    agent: str
    since: datetime
    until: datetime

    @property
    def is_long(self) -> bool:
        """Whether it lasts longer than `LONG_ABSENCE`."""
        return self.until - self.since > LONG_ABSENCE

    @property
    def long_from(self) -> datetime:
        """When it has lasted so long."""
        return self.since + LONG_ABSENCE


@dataclass(frozen=True)
class Directory:
    """Frozen; `with_` makes the next one. `version` rises with every change.

    A withdrawn document is still found by its id, because leads of its time name it, but no
    list except `everybody` (not `agents`, `agents_of` or `with_role`) holds it.
    """

    _sites: Mapping[str, Site] = field(default_factory=dict)
    _calendars: Mapping[str, Calendar] = field(default_factory=dict)
    _teams: Mapping[str, Team] = field(default_factory=dict)
    _agents: Mapping[str, Agent] = field(default_factory=dict)
    _absences: Mapping[str, Absence] = field(default_factory=dict)
    _availabilities: Mapping[str, Availability] = field(default_factory=dict)
    _versions: Mapping[tuple[Kind, str], int] = field(default_factory=dict)
    version: int = 0

    @classmethod
    def of(cls, documents: Iterable[Document], version: int = 0) -> Directory:
        """The directory that holds `documents`; the last of an id wins. All are of `version`."""
        return cls(version=version - 1).with_(*documents)

    @classmethod
    def read(cls, documents: Iterable[tuple[Document, int]]) -> Directory:
        """The directory that holds `documents`, each with the record that brought it."""
        found = list(documents)
        versions = {(kind_of(document), document.id): record for document, record in found}
        plain = cls.of(document for document, _ in found)
        return replace(plain, _versions=versions, version=max(versions.values(), default=0))

    def with_(self, *documents: Document) -> Directory:
        """This directory with `documents` in the place of their former versions."""
        changed: dict[str, dict[str, Document]] = {}
        for document in documents:
            name = _PLURALS.get(kind_of(document), f"_{kind_of(document)}s")
            if name not in changed:
                changed[name] = dict(getattr(self, name))
            changed[name][document.id] = document
        version = self.version + 1
        versions = dict(self._versions)
        versions.update({(kind_of(each), each.id): version for each in documents})
        held = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Directory(**{**held, **changed, "_versions": versions, "version": version})

    def hours_version(self, site: str) -> int:
        """Since which version the site's hours are what they are: of it and of its calendar.

        What was planned by an older one is planned again. Raises `Unknown`.
        """
        calendar = self.site(site).calendar
        return max(
            self._versions.get(("site", site), 0), self._versions.get(("calendar", calendar), 0)
        )

    def site(self, id_: str) -> Site:
        """The point of sale; raises `Unknown`."""
        return _found("site", id_, self._sites)

    def calendar(self, id_: str) -> Calendar:
        """The calendar document; raises `Unknown`. To count by it take `opening`."""
        return _found("calendar", id_, self._calendars)

    def team(self, id_: str) -> Team:
        """The team; raises `Unknown`."""
        return _found("team", id_, self._teams)

    def agent(self, id_: str) -> Agent:
        """The person inside; raises `Unknown`."""
        return _found("agent", id_, self._agents)

    def called(self, text: str) -> Agent | None:
        """The one agent whom people call so: by id, initials, e-mail or name."""
        wanted = text.strip().casefold()
        found = [
            agent
            for agent in self.agents
            if wanted in {t.casefold() for t in (agent.id, agent.initials, agent.name)}
            or (agent.email or "").casefold() == wanted
        ]
        return found[0] if wanted and len(found) == 1 else None

    def opening(self, site: str) -> OpenHours:
        """The site's open hours in its zone; raises `Unknown` for site, calendar or zone."""
        known = self._openings.get(site)
        if known is None:
            document = self.site(site)
            calendar = self.calendar(document.calendar)
            known = self._openings[site] = OpenHours.of(calendar, _zone(document.zone))
        return known

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """All sites that count, by id."""
        return _counting(self._sites)

    @cached_property
    def agents(self) -> tuple[Agent, ...]:
        """All agents that count, by id."""
        return _counting(self._agents)

    @cached_property
    def everybody(self) -> tuple[Agent, ...]:
        """All agents, those who left too, by id."""
        return tuple(agent for _, agent in sorted(self._agents.items()))

    def agents_of(self, team: str) -> tuple[Agent, ...]:
        """The agents of a team, by id; none for a team nobody names."""
        return self._by_team.get(team, ())

    def with_role(self, role: str) -> tuple[Agent, ...]:
        """The agents who have `role`, by id."""
        return self._by_role.get(role, ())

    def managers_of(self, agent: str | None) -> tuple[Agent, ...]:
        """Who answers for what this agent, or nobody, has in hand: their team's manager; where that
        is nobody, or who has left, whoever has the role `manager`, else who manages any team."""
        team = self.agent(agent).team if agent is not None else None
        manager = self.team(team).manager if team is not None else None
        there = tuple(each for each in self._managing if each.id == manager)
        return there or self.with_role("manager") or self._managing

    def absence(self, id_: str) -> Absence:
        """The absence document; raises `Unknown`. Whether somebody is away says `away`."""
        return _found("absence", id_, self._absences)

    def away(self, agent: str, instant: datetime) -> Away | None:
        """The absence of that agent in which `instant` lies; None while they are there."""
        known = self._away.get(agent, ())
        return next((each for each in known if each.since <= instant < each.until), None)

    def availability(self, agent: str, instant: datetime) -> Literal["available", "busy", "absent"]:
        """Whether that agent can take a call at `instant`."""
        if self.away(agent, instant) is not None:
            return "absent"
        said = self._availabilities.get(agent)
        return "available" if said is None or said.withdrawn else said.state

    @property
    def absences(self) -> tuple[Away, ...]:
        """Every time that somebody is away, by agent and beginning."""
        return tuple(each for _, known in sorted(self._away.items()) for each in known)

    @cached_property
    def _away(self) -> dict[str, tuple[Away, ...]]:
        known: dict[str, list[Away]] = {}
        for each in sorted(_counting(self._absences), key=lambda each: each.begins):
            before = known.setdefault(each.agent, [])
            if before and each.begins <= before[-1].until:
                last = before.pop()
                before.append(Away(each.agent, last.since, max(last.until, each.ends)))
            else:
                before.append(Away(each.agent, each.begins, each.ends))
        return {agent: tuple(away) for agent, away in known.items()}

    @cached_property
    def _managing(self) -> tuple[Agent, ...]:
        managers = {team.manager for team in _counting(self._teams)}
        return tuple(agent for agent in self.agents if agent.id in managers)

    @cached_property
    def _openings(self) -> dict[str, OpenHours]:
        return {}

    @cached_property
    def _by_team(self) -> dict[str, tuple[Agent, ...]]:
        return _grouped((agent.team, agent) for agent in self.agents if agent.team is not None)

    @cached_property
    def _by_role(self) -> dict[str, tuple[Agent, ...]]:
        return _grouped((role, agent) for agent in self.agents for role in agent.roles)


def _found(kind: str, id_: str, among: Mapping[str, D]) -> D:
    found = among.get(id_)
    if found is None:
        raise Unknown(kind, id_)
    return found


def _counting(documents: Mapping[str, D]) -> tuple[D, ...]:
    return tuple(document for _, document in sorted(documents.items()) if not document.withdrawn)


def _grouped(pairs: Iterable[tuple[str, Agent]]) -> dict[str, tuple[Agent, ...]]:
    groups: dict[str, tuple[Agent, ...]] = {}
    for name, agent in pairs:
        groups[name] = (*groups.get(name, ()), agent)
    return groups


def _zone(key: str) -> ZoneInfo:
    try:
        return ZoneInfo(key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unknown("zone", key) from None
