"""The nine o'clock digest: the lines that are true at the moment it is due (003-08, 003-09)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from services.pipeline.core.abridgement import Line, Sections, abridged
from services.pipeline.core.lead import Lead, Task
from services.pipeline.core.notify import lead_values
from services.pipeline.core.order import oldest_first
from services.pipeline.core.turn import SOURCE
from shared.contract.directory import Agent, agent_subject
from shared.contract.envelope import Because, Envelope, caused
from shared.contract.pipeline import NotificationRequested, Recipient
from shared.contract.reminders import DigestDue
from shared.domain.directory import Directory
from shared.domain.rulebook.declaration import Digest, Effort
from shared.domain.rulebook.rulebook import Rulebook

KEYS = {
    "due_today": "today",
    "late": "late",
    "no_open_task": "no_open_task",
    "shortfall": "shortfall",
}


def owners_for(directory: Directory, agent: str) -> tuple[str, ...]:
    """Whose open leads a digest of this agent speaks of: their own and their teams'."""
    return (agent, *(member.id for member in _team_of(directory, agent) if member.id != agent))


@dataclass(frozen=True, slots=True)
class Morning:
    """One agent's digest time: what is looked at, and as of when."""

    book: Rulebook
    directory: Directory
    leads: Sequence[Lead]
    now: dt.datetime
    date: dt.date


def digest(
    book: Rulebook,
    directory: Directory,
    due: Envelope,
    leads: Iterable[Lead],
    as_of: dt.datetime | None = None,
) -> list[Envelope]:
    """The digests to ask for; nothing to say means none (decision 8).

    `due` carries a `DigestDue`; `leads` are the open leads of `owners_for` that agent. `as_of`:
    what came in later than that is not judged yet, which the digest says (`runtime.md` 12).
    Raises `Unknown` for an agent that the directory does not have yet.
    """
    data = due.data
    if not isinstance(data, DigestDue):
        raise TypeError(f"a digest is due by DigestDue, not by {due.type}")
    agent = directory.agent(data.agent)
    if directory.away(agent.id, due.time) is not None:
        return []  # decision 8: their manager's digest names them
    morning = Morning(book, directory, oldest_first(leads), due.time, data.date)
    subject = agent_subject(due.tenant, agent.id)
    asked: list[Envelope] = []
    for declared in book.digests:
        values = _values(declared, morning, agent)
        if values:
            request = NotificationRequested(
                because=_because(book, declared),
                to=Recipient(kind="agent", id=agent.id),
                template=declared.template,
                occasion=data.date.isoformat(),
                site=agent.site,
                values={
                    "date": data.date.isoformat(),
                    "as_of": as_of.isoformat() if as_of else None,
                    **values,
                },
            )
            asked.append(
                caused(due, source=SOURCE, index=len(asked), subject=subject, data=request)
            )
    return asked


def _because(book: Rulebook, declared: Digest) -> Because | None:
    if declared.rule is None:
        return None
    return Because(rulebook=book.name, version=book.version, rule=declared.rule)


def _values(declared: Digest, morning: Morning, agent: Agent) -> dict[str, JsonValue]:
    """What this digest says to that agent; empty when there is nothing to say."""
    if declared.to == "owner":
        own = _sections(declared, morning, agent)
        return abridged([own])[0] if any(own.values()) else {}
    team = _team_of(morning.directory, agent.id)
    of_each = [(member.name, _sections(declared, morning, member)) for member in team]
    told = [(name, theirs) for name, theirs in of_each if any(theirs.values())]
    if not told:
        return {}
    shown = abridged([theirs for _, theirs in told])
    advisers = [{"name": name, **theirs} for (name, _), theirs in zip(told, shown, strict=True)]
    return {"advisers": [*advisers], "absent": _absent(declared, morning, agent.id)}


def _absent(declared: Digest, morning: Morning, manager: str) -> list[JsonValue]:
    """Who of the team is away this morning, and until when."""
    if "absent" not in declared.sections:
        return []
    team = _team_of(morning.directory, manager)
    away = ((member.name, morning.directory.away(member.id, morning.now)) for member in team)
    return [{"name": name, "until": each.until.isoformat()} for name, each in away if each]


def _team_of(directory: Directory, manager: str) -> list[Agent]:
    """Those for whom this one answers, by id: the agents of the teams they manage, or of teams
    whose manager has left; and whoever has left, for they may have left open leads."""
    return [
        agent
        for agent in directory.everybody
        if (agent.team is not None or agent.withdrawn)
        and manager in {each.id for each in directory.managers_of(agent.id)}
    ]


def _sections(declared: Digest, morning: Morning, owner: Agent) -> Sections:
    """The declared sections, each soonest first; the others are there and empty."""
    found: dict[str, list[Line]] = {key: [] for key in KEYS.values()}
    for lead in morning.leads:
        if lead.owner != owner.id or not lead.is_open:
            continue
        if declared.shortfall is not None:
            found["shortfall"] += _tried_too_little(declared.shortfall, morning, lead)
        tasks = lead.open_tasks()
        if not tasks:
            found["no_open_task"].append(_line(morning, lead, None))
        for task in tasks:
            section = _section_of(task, morning, lead.site)
            if section is not None:
                found[section].append(_line(morning, lead, task))
    shown = {KEYS[name] for name in declared.sections if name in KEYS}
    return {
        **{
            key: sorted(lines, key=lambda line: str(line["due_at"])) if key in shown else []
            for key, lines in found.items()
        },
        "tasks": _tasks_of_kinds(declared, morning, owner),
    }


def _tasks_of_kinds(declared: Digest, morning: Morning, owner: Agent) -> list[Line]:
    """The open tasks of the declared kinds, on this agent's leads, whoever has them in hand."""
    own = [lead for lead in morning.leads if lead.owner == owner.id and lead.is_open]
    return [
        _line(morning, lead, task) | {"to": _name(morning, task)}
        for kind in declared.task_kinds
        for lead in own
        for task in lead.open_tasks(kind)
    ]


def _name(morning: Morning, task: Task) -> str | None:
    return morning.directory.agent(task.to).name if task.to else None


def _tried_too_little(effort: Effort, morning: Morning, lead: Lead) -> list[Line]:
    """The lead with how often it was tried on the last open day, where that is too little. One
    received that very day is not counted yet."""
    hours = morning.directory.opening(lead.site)
    day = hours.date_of(hours.add_working_days(hours.instant_of(morning.date, dt.time(12)), -1))
    if hours.date_of(lead.received_at) >= day:
        return []
    tried = Counter(a.channel for a in lead.attempts if a.counted and hours.date_of(a.at) == day)
    if all(tried[channel] >= effort.rounds for channel in effort.channels):
        return []
    done: Line = {channel: tried[channel] for channel in effort.channels}
    line = _line(morning, lead, None)
    return [line | {"day": day.isoformat(), "tried": done, "rounds": effort.rounds}]


def _section_of(task: Task, morning: Morning, site: str) -> str | None:
    """Past its time is late; otherwise today's, or another day's."""
    if task.due_at is None:
        return None
    if task.overdue or task.due_at <= morning.now:
        return "late"
    zone = ZoneInfo(morning.directory.site(site).zone)
    return "today" if task.due_at.astimezone(zone).date() == morning.date else None


def _line(morning: Morning, lead: Lead, task: Task | None) -> Line:
    about = lead_values(morning.book, morning.directory, lead)
    shown = ("number", "name", "company", "phone", "email", "stage")
    return {
        **{key: about[key] for key in shown},
        "task": task.title if task else None,
        "due_at": task.due_at.isoformat() if task and task.due_at else None,
    }
