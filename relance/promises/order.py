"""Between services nothing is lost, repeated or swapped, and nothing happens without a cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from relance.promises.evidence import SEQUENCED, Evidence
from relance.promises.finding import Fault, Finding
from shared.contract.envelope import Envelope
from shared.contract.pipeline import ActionRefused
from shared.contract.topics import Topic
from shared.domain.count import counted


def findings(evidence: Evidence) -> Iterator[Finding]:
    """Sequences dense from 1, one sequence an event, taken up to the end, causes known."""
    for topic in SEQUENCED:
        by_subject = _by_subject(evidence.ledgers.records.get(topic.name, ()))
        for subject, events in by_subject.items():
            yield from _sequence(topic, subject, events)
            yield from _ends(evidence, topic, subject, events)
        yield from _unpublished(evidence, topic, by_subject.keys())
    yield from _time(evidence)
    yield from _causes(evidence)


def _by_subject(records: Sequence[Envelope]) -> dict[str, list[Envelope]]:
    """Records as readers take them up: without those published again after a crash.

    Those have the same id and the same sequence; the same id under another sequence is a fact
    that was said twice.
    """
    found: dict[str, dict[tuple[str, int | None], Envelope]] = defaultdict(dict)
    for envelope in records:
        found[envelope.subject].setdefault((envelope.id, envelope.sequence), envelope)
    return {subject: list(events.values()) for subject, events in found.items()}


def _sequence(topic: Topic, subject: str, events: Sequence[Envelope]) -> Iterator[Finding]:
    """Dense from 1 and in order (`runtime.md` 9)."""
    sequences = [event.sequence or 0 for event in events]
    if len({event.id for event in events}) < len(events):
        yield Finding("repeated", subject, f"{topic.name}: {subject} says an event twice")
    if sequences == list(range(1, len(sequences) + 1)):
        return
    fault: Fault = "disordered"
    if len(set(sequences)) < len(sequences):
        fault = "repeated"
    elif max(sequences) > len(sequences):
        fault = "lost"
    yield Finding(fault, subject, f"{topic.name}: sequences of {subject} are {sequences[:20]}")


def _ends(
    evidence: Evidence, topic: Topic, subject: str, events: Sequence[Envelope]
) -> Iterator[Finding]:
    """The writer gave out no later sequence, and every reader has taken up the last one."""
    end, source = max(event.sequence or 0 for event in events), events[0].source
    for service in (topic.writer, *topic.readers):
        reached = evidence.ledgers.reached.get(service)
        if reached is None or _waits(evidence, service, subject):
            continue
        last = reached.get((source, subject), 0)
        if service == topic.writer and last != end:
            yield Finding(
                "lost" if last > end else "without_cause",
                subject,
                f"{topic.name}: {service} gave {subject} {counted(last, 'sequence')}, "
                f"{end} published",
            )
        elif last < end:
            yield Finding(
                "stuck",
                subject,
                f"{service} has taken up {last} of {counted(end, 'event')} of {subject} on "
                f"{topic.name}",
            )


def _unpublished(evidence: Evidence, topic: Topic, known: Collection[str]) -> Iterator[Finding]:
    """Subjects of which not even the first event came out."""
    own = f"/{topic.writer}"
    for (source, subject), last in evidence.ledgers.reached.get(topic.writer, {}).items():
        if source == own and subject not in known and not _waits(evidence, topic.writer, subject):
            yield Finding(
                "lost",
                subject,
                f"{topic.name}: none of {counted(last, 'event')} of {subject} is published",
            )


def _waits(evidence: Evidence, service: str, subject: str) -> bool:
    """Told as such elsewhere."""
    waiting = evidence.ledgers.waiting.get(service)
    return waiting is not None and (waiting.outbox > 0 or subject in waiting.subjects)


def _time(evidence: Evidence) -> Iterator[Finding]:
    """Per lead, time never runs back (`runtime.md` 13).

    A refusal is no part of it: it changes nothing of the lead and has the time of its action.
    """
    last: dict[str, Envelope] = {}
    for event in evidence.pipeline:
        if isinstance(event.data, ActionRefused):
            continue
        before = last.get(event.subject)
        if before is not None and event.time < before.time:
            yield Finding(
                "disordered",
                event.subject,
                f"time runs back for {event.subject}: {before.type} {before.time:%T.%f}, "
                f"then {event.type} {event.time:%T.%f}",
            )
        last[event.subject] = event


def _causes(evidence: Evidence) -> Iterator[Finding]:
    """Whatever our services say follows from an event, or from an action in a lead's history."""
    known = {event.id for event in evidence.all}
    known |= {step.cause.id for step in evidence.ledgers.history}
    for event in (*evidence.pipeline, *evidence.reminders, *evidence.told):
        if event.causationid is not None and event.causationid not in known:
            yield Finding(
                "without_cause", event.id, f"{event.type} {event.id} follows from nothing known"
            )
