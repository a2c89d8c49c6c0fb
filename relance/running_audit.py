"""The audit of a system at work: what was said since an instant, against what follows from it.

Claims are made about what was said between `since` and `until`; what is younger is evidence, and
told as under way. Nothing is kept in memory but one piece at a time: the trail lies on disk.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from relance.promises import inputs as input_promises
from relance.promises import leads as lead_promises
from relance.promises.evidence import SEQUENCED, Evidence, Ledgers
from relance.promises.finding import Fault, Finding
from relance.promises.inputs import EFFECTS
from relance.trail import Trail, seconds
from services.pipeline.core.lead import Lead
from services.pipeline.store import Step
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, Topic
from shared.domain.count import counted

SequenceKey = tuple[str, str]
"""(source, subject)"""


@dataclass(frozen=True, slots=True)
class Look:
    """About what claims are made: what was published from `since` to `until`."""

    since: datetime
    until: datetime


class Books(Protocol):
    """What the databases say now, asked a piece at a time."""

    async def taken_up(self, inputs: Sequence[str]) -> Collection[str]:
        """Which of these inputs pipeline has taken up."""

    async def reached(self, service: str, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, int]:
        """The last sequence that a service gave out (its own source) or took up."""

    async def waiting(self, service: str, subjects: Sequence[str]) -> Collection[str]:
        """Those of whom something is parked or set aside: told elsewhere."""

    async def leads(self, ids: Sequence[str]) -> tuple[Mapping[str, Lead], Sequence[Step]]:
        """Those that are leads, each with its whole history, of one moment."""

    async def told_once(self, occasions: Sequence[Sequence[str]]) -> Collection[tuple[str, ...]]:
        """Of which (tenant, recipient, template, occasion) there is a message."""

    async def messages(self, ids: Sequence[str]) -> Mapping[str, str]:
        """How messages stand, by id."""


@dataclass
class Running:
    """What was found, and what is under way (words -> how many)."""

    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    under_way: dict[str, int] = field(default_factory=dict)
    newer: list[tuple[Topic, str, int]] = field(default_factory=list)
    without_effect: list[str] = field(default_factory=list)
    unpublished: list[tuple[str, str]] = field(default_factory=list)
    """Subjects that were given more than was read, inputs without an effect, (lead, event) kept
    and not read: what was committed since may explain them. Read on, then ask `late`."""

    def found(self, fault: Fault, about: str, sentence: str) -> None:
        """One more."""
        self.findings.append(Finding(fault, about, sentence))

    def goes_on(self, what: str, many: int = 1) -> None:
        """Something is under way."""
        if many:
            self.under_way[what] = self.under_way.get(what, 0) + many


_EFFECTS = json.dumps([kind.__name__ for kind in EFFECTS])
_INPUTS = """
SELECT i.id, i.type, i.subject, (
  SELECT count(DISTINCT e.id) FROM event e
  WHERE e.cause = i.id AND e.type IN (SELECT value FROM json_each(?)))
FROM event i
WHERE i.topic = ? AND i.at BETWEEN ? AND ?
GROUP BY i.id
"""
_IN_WINDOW = {
    "topic": "SELECT count(DISTINCT id) FROM event WHERE at BETWEEN ? AND ? AND topic = ?",
    "type": "SELECT count(DISTINCT id) FROM event WHERE at BETWEEN ? AND ? AND type = ?",
    "any": "SELECT count(DISTINCT id) FROM event WHERE at BETWEEN ? AND ? AND id <> ?",
}
_EFFECTS_OF = """
SELECT count(*) FROM event WHERE type IN (SELECT value FROM json_each(?)) AND cause = ?
"""
_END = "SELECT max(sequence) FROM event WHERE topic = ? AND subject = ?"
_GAPS = """
WITH numbered AS (
  SELECT topic, subject, sequence,
    lag(sequence) OVER (PARTITION BY topic, subject ORDER BY place) AS before
  FROM first
)
SELECT topic, subject, before, sequence FROM numbered WHERE sequence <> before + 1
"""
_TWICE = "SELECT topic, subject, id FROM first GROUP BY topic, id HAVING count(*) > 1"
_ENDS = """
SELECT subject, max(sequence), coalesce(max(CASE WHEN at <= ? THEN sequence END), 0)
FROM event WHERE topic = ? AND sequence IS NOT NULL GROUP BY subject
"""
_CAUSELESS = """
SELECT e.subject, e.id, e.type, e.cause FROM event e
WHERE e.topic <> ? AND e.cause IS NOT NULL AND e.at BETWEEN ? AND ?
  AND NOT EXISTS (SELECT 1 FROM event c WHERE c.id = e.cause)
GROUP BY e.id ORDER BY e.subject
"""
_SENT_TWICE = """
SELECT ref, count(DISTINCT id), max(type = 'NotificationSent' AND other)
FROM (SELECT e.*, EXISTS (
        SELECT 1 FROM event o WHERE o.ref = e.ref
        AND o.type IN ('NotificationSuppressed', 'NotificationFailed')) AS other
      FROM event e WHERE e.type = 'NotificationSent' AND e.ref IS NOT NULL)
GROUP BY ref HAVING count(DISTINCT id) > 1 OR max(other)
"""
_MESSAGES = "SELECT DISTINCT ref FROM event WHERE topic = ? AND ref IS NOT NULL"
_UNPLANNED = """
SELECT s.subject, s.ref FROM event s
WHERE s.type = 'DeadlineSet' AND s.ref IS NOT NULL AND s.at BETWEEN ? AND ?
  AND NOT EXISTS (SELECT 1 FROM event p WHERE p.ref = s.ref AND p.type = 'DeadlinePlanned')
GROUP BY s.ref
"""
_UNDECIDED = """
SELECT r.subject, r.ref, r.id FROM event r
WHERE r.type = 'NotificationRequested' AND r.at BETWEEN ? AND ?
  AND NOT EXISTS (SELECT 1 FROM event m WHERE m.cause = r.id)
GROUP BY r.id
"""
_TIME_BACK = """
SELECT topic, subject, before, type FROM (
  SELECT e.topic, e.subject, e.type, e.time,
    lag(e.time) OVER (PARTITION BY e.subject ORDER BY e.place) AS before
  FROM event e JOIN first f ON f.place = e.place
  WHERE e.topic = ? AND e.type <> 'ActionRefused')
WHERE time < before
"""
_CREATED = """
SELECT DISTINCT subject FROM event WHERE type = 'LeadCreated' AND at BETWEEN ? AND ?
"""
_FIRED_TWICE = """
SELECT ref, count(DISTINCT id) FROM event
WHERE type IN ('DeadlineReached', 'LeadOverdue') GROUP BY ref HAVING count(DISTINCT id) > 1
"""
_PLANNED_TWICE = """
SELECT DISTINCT ref FROM (
  SELECT e.ref, e.due, lag(e.due) OVER (PARTITION BY e.ref ORDER BY e.place) AS before
  FROM event e JOIN first f ON f.place = e.place WHERE e.type = 'DeadlinePlanned')
WHERE due = before
"""
_FIRED_EARLY = """
SELECT f.ref FROM event f JOIN event p ON p.ref = f.ref AND p.type = 'DeadlinePlanned'
WHERE f.type IN ('DeadlineReached', 'LeadOverdue')
GROUP BY f.ref HAVING min(f.time) < min(p.due)
"""
_LEADS = "SELECT DISTINCT subject FROM event WHERE topic = ? AND at >= ?"


async def audit(trail: Trail, look: Look, books: Books) -> Running:
    """Every promise, a piece at a time; then read on and ask `late` for the rest."""
    running = Running()
    since, until = seconds(look.since), seconds(look.until)
    trail.index()
    _count(trail, running, since, until)
    await _inputs(trail, running, books, since, until)
    _sequences(trail, running)
    await _ends(trail, running, books, until)
    await _causes(trail, running, books, since, until)
    await _deadlines(trail, running, books, since, until)
    await _requests(trail, running, books, since, until)
    await _messages(trail, running, books)
    await _created(trail, running, books, since, until)
    await _leads(trail, running, books, since)
    return running


def late(trail: Trail, running: Running, outbox: Mapping[str, int]) -> None:
    """What was not on the trail at first: by now it is, or it waits in an outbox, or it is lost.

    `outbox`: how many rows each service had in its own before the trail was read on.
    """
    waits = "events still in an outbox"
    for topic, subject, last in running.newer:
        end = trail.many(_END, topic.name, subject)
        if end < last and outbox[topic.writer]:
            running.goes_on(waits)
        elif end < last:
            gave = f"{subject} was given {counted(last, 'sequence')}"
            running.found("lost", subject, f"{topic.name}: {gave}, {end} published")
    for id_ in running.without_effect:
        if trail.many(_EFFECTS_OF, _EFFECTS, id_):
            continue
        if outbox["pipeline"]:
            running.goes_on(waits)
        else:
            running.found("lost", id_, f"input {id_} became no lead, no link and no reply")
    for lead, id_ in running.unpublished:
        if trail.many("SELECT count(*) FROM event WHERE id = ?", id_):
            continue
        if outbox["pipeline"]:
            running.goes_on(waits)
        else:
            running.found("lost", id_, f"lead {lead}: event {id_} is kept but not published")


def _count(trail: Trail, running: Running, since: float, until: float) -> None:
    def so_many(which: str, value: str) -> int:
        return trail.many(_IN_WINDOW[which], since, until, value)

    running.counts = {
        "accepted": so_many("topic", INTAKE.name),
        "events": so_many("any", ""),
        "messages_sent": so_many("type", "NotificationSent"),
        "messages_unknown": so_many("type", "NotificationUnknown"),
    }
    running.goes_on(
        "events younger than a minute",
        trail.many("SELECT count(DISTINCT id) FROM event WHERE at > ?", until),
    )


async def _inputs(trail: Trail, running: Running, books: Books, since: float, until: float) -> None:
    """What was accepted has been taken up, and a lead's input took effect once."""
    for piece in trail.pieces(_INPUTS, _EFFECTS, INTAKE.name, since, until):
        taken = await books.taken_up([row[0] for row in piece])
        idle = [(id_, subject) for id_, kind, subject, n in piece
                if id_ not in taken or (kind == "LeadReceived" and n == 0)]  # fmt: skip
        waits = await books.waiting("pipeline", [subject for _, subject in idle])
        for id_, subject in idle:
            if subject in waits:
                running.goes_on("inputs parked or set aside (relance dead-letters list)")
            elif id_ in taken:
                running.without_effect.append(id_)
            else:
                running.found("stuck", id_, f"input {id_} has not been taken up by pipeline")
        for id_, kind, _, times in piece:
            if kind == "LeadReceived" and times > 1:
                running.found("repeated", id_, f"input {id_} took effect {times} times")


def _sequences(trail: Trail, running: Running) -> None:
    """Dense and in order for each subject (`runtime.md` 9)."""
    for topic, subject, before, sequence in trail.ask(_GAPS):
        fault: Fault = "lost" if sequence > before else "disordered"
        running.found(fault, subject, f"{topic}: {subject} says {sequence} after {before}")
    for topic, subject, id_ in trail.ask(_TWICE):
        running.found("repeated", subject, f"{topic}: {subject} says event {id_} twice")
    for _, subject, _, kind in trail.ask(_TIME_BACK, PIPELINE.name):
        running.found("disordered", subject, f"time runs back for {subject} at {kind}")


async def _ends(trail: Trail, running: Running, books: Books, until: float) -> None:
    """Nothing given out is missing, and every reader has taken up what is old enough."""
    for topic in SEQUENCED:
        source = f"/{topic.writer}"
        for piece in trail.pieces(_ENDS, until, topic.name):
            keys = [(source, subject) for subject, _, _ in piece]
            given = await books.reached(topic.writer, keys)
            running.newer += [
                (topic, subject, given[source, subject])
                for subject, end, _ in piece
                if given.get((source, subject), 0) > end
            ]
            for service in topic.readers:
                await _taken_up(running, books, service, topic, piece)


async def _taken_up(
    running: Running,
    books: Books,
    service: str,
    topic: Topic,
    piece: Sequence[tuple[str, int, int]],
) -> None:
    source = f"/{topic.writer}"
    last = await books.reached(service, [(source, subject) for subject, _, _ in piece])
    behind = [(s, old) for s, _, old in piece if last.get((source, s), 0) < old]
    waits = await books.waiting(service, [subject for subject, _ in behind])
    for subject, old in behind:
        if subject in waits:
            running.goes_on("subjects of which something is parked or set aside")
        else:
            done = last.get((source, subject), 0)
            running.found(
                "stuck",
                subject,
                f"{service} has taken up {done} of {counted(old, 'event')} of {subject} on "
                f"{topic.name}",
            )


async def _causes(trail: Trail, running: Running, books: Books, since: float, until: float) -> None:
    """Whatever was said follows from something on the trail, or in its lead's history."""
    for piece in trail.pieces(_CAUSELESS, INTAKE.name, since, until):
        _, steps = await books.leads(sorted({row[0] for row in piece}))
        known: dict[str, set[str]] = {}
        for step in steps:
            ids = known.setdefault(step.lead, set())
            ids.update((step.cause.id, *(event.id for event in step.events)))
        for subject, id_, kind, cause in piece:
            if subject not in known:
                running.goes_on("causes older than the look, and of no lead")
            elif cause not in known[subject]:
                running.found("without_cause", id_, f"{kind} {id_} follows from nothing known")


async def _deadlines(
    trail: Trail, running: Running, books: Books, since: float, until: float
) -> None:
    """Each is planned, once, and fires once, not before its time."""
    for piece in trail.pieces(_UNPLANNED, since, until):
        waits = await books.waiting("reminders", [subject for subject, _ in piece])
        for subject, ref in piece:
            if subject in waits:
                running.goes_on("subjects of which something is parked or set aside")
            else:
                running.found("lost", ref, f"deadline {ref} of {subject} was never planned")
    for ref, times in trail.ask(_FIRED_TWICE):
        running.found("repeated", ref, f"deadline {ref} fired {times} times")
    for (ref,) in trail.ask(_PLANNED_TWICE):  # a changed calendar plans for another instant
        running.found("repeated", ref, f"deadline {ref} was planned twice for the same instant")
    for (ref,) in trail.ask(_FIRED_EARLY):
        running.found("disordered", ref, f"deadline {ref} fired before its time")


async def _requests(
    trail: Trail, running: Running, books: Books, since: float, until: float
) -> None:
    """Each was decided: told of, or its occasion has a message already."""
    for piece in trail.pieces(_UNDECIDED, since, until):
        occasions = {id_: tuple(json.loads(ref)) for _, ref, id_ in piece}
        told = await books.told_once(list(occasions.values()))
        waits = await books.waiting("notifications", [subject for subject, _, _ in piece])
        for subject, _, id_ in piece:
            if subject in waits:
                running.goes_on("subjects of which something is parked or set aside")
            elif occasions[id_] not in told:
                _, to, template, occasion = occasions[id_]
                what = f"{template} to {to} for {occasion} (request {id_}) was never decided"
                running.found("untold", id_, what)


async def _messages(trail: Trail, running: Running, books: Books) -> None:
    """Nobody is told twice; what is told of is stored."""
    for ref, times, other in trail.ask(_SENT_TWICE):
        what = "as sent and as not sent" if other else f"as sent {times} times"
        running.found("told_twice", ref, f"message {ref} was recorded {what}")
    for piece in trail.pieces(_MESSAGES, NOTIFICATIONS.name):
        ids = [row[0] for row in piece]
        stored = await books.messages(ids)
        for id_ in ids:
            if id_ not in stored:
                running.found("lost", id_, f"message {id_} was told of but is not stored")


async def _created(
    trail: Trail, running: Running, books: Books, since: float, until: float
) -> None:
    """A lead that was announced is stored."""
    for piece in trail.pieces(_CREATED, since, until):
        announced = [row[0] for row in piece]
        stored, _ = await books.leads(announced)
        for lead in announced:
            if lead not in stored:
                running.found("lost", lead, f"lead {lead} was announced but is not stored")


async def _leads(trail: Trail, running: Running, books: Books, since: float) -> None:
    """Each lead of which something was said: stored as its history says, with a next step."""
    many = 0
    for piece in trail.pieces(_LEADS, PIPELINE.name, since):
        stored, history = await books.leads([row[0] for row in piece])
        many += len(stored)
        evidence = Evidence(Ledgers(records={}, leads=stored, history=history))
        running.findings += lead_promises.state(evidence)
        running.findings += lead_promises.next_steps(evidence)
        running.findings += input_promises.causes(evidence)
        _published(trail, running, history, since)
    running.counts["leads"] = many


def _published(trail: Trail, running: Running, history: Sequence[Step], since: float) -> None:
    """What a lead's history keeps is said."""
    for step in history:
        for event in step.events:
            is_ours = seconds(event.time) >= since
            if is_ours and not trail.many("SELECT count(*) FROM event WHERE id = ?", event.id):
                running.unpublished.append((step.lead, event.id))
