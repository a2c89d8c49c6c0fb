"""What pipeline asks to be watched is planned once, and fires once, not before its time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from relance.promises.evidence import Evidence, of
from relance.promises.finding import Finding
from shared.contract.envelope import Envelope
from shared.contract.pipeline import DeadlineCleared, DeadlineSet, LeadClosed
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, DigestDue, LeadOverdue

LATE = timedelta(seconds=10)
"""So late an armed deadline counts as forgotten; the alarm itself needs milliseconds."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """A `DeadlineSet` with what reminders said of it."""

    asked: Envelope
    wish: DeadlineSet
    planned: list[DeadlinePlanned]
    fired: list[Envelope]

    @property
    def named(self) -> str:
        return f"deadline {self.asked.id} of lead {self.asked.subject}"


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Every deadline's life, those that nobody asked for, and one digest an agent and day."""
    watched = _watched(evidence)
    current = _current(evidence.pipeline)
    for each in watched.values():
        yield from _told(each)
        yield from _armed(evidence, each, is_current=each.asked.id in current)
    yield from _unasked(evidence, watched)
    yield from _digests(evidence)


def _watched(evidence: Evidence) -> Mapping[str, _Watched]:
    watched = {
        event.id: _Watched(event, data, [], [])
        for event, data in of(evidence.pipeline, DeadlineSet)
    }
    for _, planned in of(evidence.reminders, DeadlinePlanned):
        if planned.deadline_set in watched:
            watched[planned.deadline_set].planned.append(planned)
    for event in evidence.reminders:
        if isinstance(event.data, DeadlineReached | LeadOverdue):
            named = event.data.deadline_set
            fired = watched[named].fired if named in watched else []
            fired.append(event)
    return watched


def _current(events: Iterable[Envelope]) -> frozenset[str]:
    """The settings that still hold: not replaced, not cleared, the lead not closed."""
    held: dict[str, dict[str, str]] = defaultdict(dict)
    for event in events:
        match event.data:
            case DeadlineSet(name=name):
                held[event.subject][name] = event.id
            case DeadlineCleared(name=name):
                held[event.subject].pop(name, None)
            case LeadClosed():
                held[event.subject].clear()
    return frozenset(id_ for named in held.values() for id_ in named.values())


def _told(each: _Watched) -> Iterator[Finding]:
    may_be_skipped = each.wish.due.before is not None and each.wish.due.if_past == "skip"
    if not each.planned and not may_be_skipped:
        yield Finding("lost", each.asked.id, f"{each.named} was never planned")
    # A calendar that changed plans it again, for another instant.
    if any(one.due_at == next_.due_at for one, next_ in pairwise(each.planned)):
        yield Finding("repeated", each.asked.id, f"{each.named} was planned more than once")
    if len(each.fired) > 1:
        yield Finding("repeated", each.asked.id, f"{each.named} fired {len(each.fired)} times")
    earliest = min((planned.due_at for planned in each.planned), default=None)
    if each.fired and earliest is not None and each.fired[0].time < earliest:
        yield Finding("disordered", each.asked.id, f"{each.named} fired before its time")


def _armed(evidence: Evidence, each: _Watched, *, is_current: bool) -> Iterator[Finding]:
    """Armed in the database exactly while it holds and has not fired."""
    due_at = evidence.ledgers.deadlines.get(each.asked.id)
    if due_at is None:
        if is_current and each.planned and not each.fired:
            yield Finding("lost", each.asked.id, f"{each.named} is armed no more and never fired")
        return
    if each.fired:
        yield Finding("repeated", each.asked.id, f"{each.named} fired and is armed still")
    elif not is_current:
        yield Finding("stuck", each.asked.id, f"{each.named} holds no more and is armed still")
    elif each.planned and each.planned[-1].due_at != due_at:
        yield Finding(
            "disordered", each.asked.id, f"{each.named} is armed for another time than was said"
        )
    elif _is_late(due_at, evidence.ledgers.at):
        yield Finding("stuck", each.asked.id, f"{each.named} was due at {due_at}; it has not fired")


def _is_late(due_at: datetime, at: datetime | None) -> bool:
    return at is not None and due_at + LATE < at


def _unasked(evidence: Evidence, watched: Mapping[str, _Watched]) -> Iterator[Finding]:
    for event in evidence.reminders:
        named = getattr(event.data, "deadline_set", None)
        if named is not None and named not in watched:
            yield Finding(
                "without_cause", event.id, f"{event.type} {event.id}: nobody set that deadline"
            )
    for id_ in sorted(evidence.ledgers.deadlines.keys() - watched.keys()):
        yield Finding("without_cause", id_, f"deadline {id_} is armed; pipeline never set it")


def _digests(evidence: Evidence) -> Iterator[Finding]:
    days = Counter((event.subject, due.date) for event, due in of(evidence.reminders, DigestDue))
    for (agent, day), times in days.items():
        if times > 1:
            yield Finding(
                "repeated", agent, f"the digest of {agent} for {day} was due {times} times"
            )
