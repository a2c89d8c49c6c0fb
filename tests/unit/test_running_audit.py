"""The audit of a running system: bounded memory, no false alarm, and every promise it can judge."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from relance.audit import Ledgers
from relance.promises.evidence import Waiting
from relance.running_audit import Look, Running, SequenceKey, audit, late
from relance.trail import Said, Trail
from services.pipeline.core.lead import Lead
from services.pipeline.store import Step
from shared.contract.envelope import derived_id
from shared.contract.pipeline import LeadLinked, NoteAdded
from shared.contract.topics import INTAKE, PIPELINE
from tests.unit.audited_house import LEAD, NOW, envelope, kept, twice, without
from tests.unit.broken_promises import BROKEN

LOOK = Look(NOW - timedelta(hours=1), NOW + timedelta(days=2))
ELSEWHERE = {
    # Only whoever was answered, or was handed a message, can tell.
    "an input answered 2xx is on no topic",
    "an action that was answered left no trace",
    "a message recorded as sent is at no provider",
    "a message was handed over twice",
    "a message was handed over and is recorded nowhere",
    "a message that was held went all the same",
    # Asked of the tables themselves: `tests/system/test_audit_since.py`.
    "a deadline is forgotten",
    "a deadline's time has passed and it has not fired",
    "a message waits although its time has come",
    "one channel of a request was never decided",
    "an event waits in an outbox",
    "an event waits in a parking",
    "an event was set aside",
    # Of everything there ever was: the audit at rest.
    "a person's second message was taken up before the first",
    "a lead stored was never announced",
    "a person has two open leads",
    "no event of a subject came out",
    "a deadline fired and is armed still",
    "a deadline is armed for another time than was said",
    "a deadline is armed that nobody set",
    "a message was sent and never told",
}


class LedgerBooks:
    """The databases, as ledgers say; `idle` inputs are not taken up."""

    def __init__(self, ledgers: Ledgers, idle: Collection[str] = ()) -> None:
        self._ledgers, self._idle = ledgers, idle

    async def taken_up(self, inputs: Sequence[str]) -> Collection[str]:
        return set(inputs) - set(self._idle)

    async def reached(self, service: str, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, int]:
        last = self._ledgers.reached.get(service, {})
        return {key: last[key] for key in keys if key in last}

    async def waiting(self, service: str, subjects: Sequence[str]) -> Collection[str]:
        waiting = self._ledgers.waiting.get(service, Waiting())
        return set(subjects) & waiting.subjects

    async def leads(self, ids: Sequence[str]) -> tuple[Mapping[str, Lead], Sequence[Step]]:
        leads = {id_: lead for id_, lead in self._ledgers.leads.items() if id_ in ids}
        return leads, [step for step in self._ledgers.history if step.lead in ids]

    async def told_once(self, occasions: Sequence[Sequence[str]]) -> Collection[tuple[str, ...]]:
        return ()

    async def messages(self, ids: Sequence[str]) -> Mapping[str, str]:
        return {id_: kept.status for id_, kept in self._ledgers.messages.items() if id_ in ids}


def audited(
    ledgers: Ledgers, look: Look = LOOK, outbox: int = 0, idle: Collection[str] = ()
) -> Running:
    with Trail() as trail:
        for topic, events in ledgers.records.items():
            trail.add(Said(topic, event.time, event) for event in events)
        running = asyncio.run(audit(trail, look, LedgerBooks(ledgers, idle)))
        late(trail, running, dict.fromkeys(("pipeline", "reminders", "notifications"), outbox))
    return running


def sentences(running: Running) -> list[str]:
    return [f"{finding.fault}: {finding.sentence}" for finding in running.findings]


def test_nothing_is_found_where_every_promise_was_kept() -> None:
    running = audited(kept())

    assert running.findings == []
    assert running.counts["accepted"] == 2
    assert running.counts["leads"] == 1


def test_what_is_younger_than_a_minute_is_under_way_and_no_fault() -> None:
    ledgers = without(PIPELINE.name, LeadLinked)
    young = Look(LOOK.since, NOW - timedelta(seconds=1))

    assert not [each for each in sentences(audited(ledgers, young)) if "became no lead" in each]
    assert audited(kept(), young).under_way["events younger than a minute"] > 0


def test_what_still_lies_in_an_outbox_is_under_way() -> None:
    running = audited(without(PIPELINE.name, NoteAdded), outbox=3)

    assert running.findings == []
    assert "events still in an outbox" in running.under_way


def test_an_input_that_nobody_takes_up_is_named() -> None:
    first = kept().records[INTAKE.name][0]

    assert f"stuck: input {first.id} has not been taken up by pipeline" in sentences(
        audited(kept(), idle={first.id})
    )


def test_what_waits_for_a_fact_is_told_as_such() -> None:
    ledgers = without(PIPELINE.name, LeadLinked)
    again = ledgers.records[INTAKE.name][1]
    parked = Waiting(parked=[(again.id, again.subject, "no such site")])
    ledgers = replace(ledgers, waiting={**ledgers.waiting, "pipeline": parked})

    running = audited(ledgers)

    assert not [each for each in sentences(running) if "became no lead" in each]
    assert "inputs parked or set aside (relance dead-letters list)" in running.under_way


def test_an_input_that_took_effect_twice_is_named() -> None:
    assert [e for e in sentences(audited(twice(PIPELINE.name, LeadLinked))) if "repeated: " in e]


@pytest.mark.parametrize("what", [what for what in BROKEN if what not in ELSEWHERE])
def test_a_broken_promise_is_found_while_everything_goes_on(what: str) -> None:
    _, ledgers = BROKEN[what]
    assert audited(ledgers).findings


def test_however_many_events_there_are_a_few_megabytes_are_enough() -> None:
    many, subjects = 20_000, 4_000
    told = envelope("note", NoteAdded(text="x" * 200), LEAD)

    def records() -> Iterator[Said]:
        for number in range(many):
            lead = derived_id("lead", str(number % subjects))
            event = told.model_copy(
                update={
                    "id": derived_id("note", str(number)),
                    "subject": lead,
                    "sequence": number // subjects + 1,
                    "source": "/pipeline",
                }
            )
            yield Said(PIPELINE.name, NOW, event)

    everything = {
        ("/pipeline", derived_id("lead", str(n))): many // subjects for n in range(subjects)
    }
    reached = dict.fromkeys(("pipeline", "reminders", "notifications"), everything)
    books = LedgerBooks(Ledgers(records={}, leads={}, reached=reached))
    tracemalloc.start()
    with Trail() as trail:
        trail.add(records())
        running = asyncio.run(audit(trail, LOOK, books))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert running.findings == []
    assert running.counts["events"] == many
    assert peak < 6_000_000, f"{peak:,} bytes"
