"""Each way to break a promise: what the audit must say of it, and the ledgers that show it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from relance.audit import Ledgers
from relance.promises.evidence import KeptMessage, Waiting
from relance.promises.leads import fold
from services.pipeline.store import Step
from shared.contract.envelope import Envelope, caused, derived_id
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import DeadlineSet, LeadLate, LeadLinked, TaskCancelled
from shared.contract.reminders import DeadlinePlanned, DigestDue, LeadOverdue
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS
from tests.unit.audited_house import (
    ACTION,
    DUE_AT,
    LATER_AT,
    LEAD,
    MAIL,
    NOW,
    SMS,
    TASK,
    changed,
    dense,
    kept,
    of,
    twice,
    with_lead,
    without,
)

OTHER = derived_id("somebody else's")


def swapped(events: list[Envelope]) -> list[Envelope]:
    return [events[0], events[2], events[1], *events[3:]]


def history(*steps: Step) -> Ledgers:
    """Another history, and the lead that it makes."""
    lead = fold(steps)
    return replace(kept(), history=steps, leads={} if lead is None else {LEAD: lead})


def with_waiting(service: str, waiting: Waiting) -> Ledgers:
    ledgers = kept()
    return replace(ledgers, waiting={**ledgers.waiting, service: waiting})


def reached(service: str, source: str, last: int) -> Ledgers:
    ledgers = kept()
    table = {**ledgers.reached[service], (source, LEAD): last}
    return replace(ledgers, reached={**ledgers.reached, service: table})


STEPS = kept().history
FIRST_SET, SECOND_SET = of(kept(), PIPELINE.name, DeadlineSet)

BROKEN: dict[str, tuple[str, Ledgers]] = {
    # inputs
    "an input answered 2xx is on no topic": (
        "lost: … was answered 2xx but is not on",
        replace(kept(), accepted=frozenset({OTHER})),
    ),
    "an input became nothing": (
        "lost: … became no lead, no link and no reply",
        without(PIPELINE.name, LeadLinked),
    ),
    "an input took effect twice": (
        "repeated: … took effect 2 times",
        twice(PIPELINE.name, LeadLinked),
    ),
    "an action that was answered left no trace": (
        "lost: … is in no lead's history",
        replace(kept(), acted=frozenset({ACTION, OTHER})),
    ),
    "an action was done twice": ("repeated: … was applied 2 times", history(*STEPS, STEPS[-1])),
    "a person's second message was taken up before the first": (
        "disordered: … too late",
        changed(INTAKE.name, lambda events: events[::-1]),
    ),
    # leads
    "a lead announced is not stored": (
        "lost: … was announced but is not stored",
        replace(kept(), leads={}),
    ),
    "a lead stored was never announced": (
        "without_cause: … is stored but was never announced",
        replace(kept(), leads={**kept().leads, OTHER: kept().leads[LEAD]}),
    ),
    "a lead became late twice": ("repeated: … LeadLate 2 times", twice(PIPELINE.name, LeadLate)),
    "an update of a lead was overwritten by another": (
        "lost: … is not what its history says: owner",
        with_lead(attempts=(), owner="boris"),
    ),
    "an open lead has no owner": ("stuck: … has no owner", with_lead(owner=None)),
    "an open lead has nothing to come": (
        "stuck: … has no next step",
        with_lead(tasks={}, deadlines={}),
    ),
    "a person has two open leads": (
        "repeated: … has 2 open leads",
        replace(
            kept(),
            leads={
                **kept().leads,
                OTHER: kept().leads[LEAD].model_copy(update={"id": OTHER}),
            },
        ),
    ),
    "what was decided was never published": (
        "lost: … is kept but not published",
        history(
            *STEPS,
            Step(
                LEAD,
                STEPS[-1].cause,
                (
                    caused(
                        STEPS[-1].cause,
                        source="/pipeline",
                        index=9,
                        subject=LEAD,
                        data=TaskCancelled(task=TASK, name="call_back"),
                    ),
                ),
            ),
        ),
    ),
    "what was published was never decided": (
        "without_cause: … is in no history",
        history(*STEPS[:-1]),
    ),
    # order between services
    "events came out of order": ("disordered: … are [1, 3, 2, 4", changed(PIPELINE.name, swapped)),
    "an event is missing from the middle": (
        "lost: … are [1, 3, 4, 5",
        changed(PIPELINE.name, lambda events: [events[0], *events[2:]]),
    ),
    "the last event of a lead never came out": (
        "lost: … 11 sequences, 10 published",
        changed(PIPELINE.name, lambda events: events[:-1]),
    ),
    "no event of a subject came out": (
        "lost: … none of 1 event of t/anna is published",
        changed(REMINDERS.name, lambda events: [e for e in events if e.subject == LEAD]),
    ),
    "a reader never took up the last event": (
        "stuck: … notifications has taken up 3 of 11",
        reached("notifications", "/pipeline", 3),
    ),
    "the same event was said under two sequences": (
        "repeated: … anna says an event twice",
        changed(
            REMINDERS.name,
            lambda events: dense([*events, *(e for e in events if type(e.data) is DigestDue)]),
        ),
    ),
    "time ran back for a lead": (
        "disordered: … time runs back",
        changed(
            PIPELINE.name,
            lambda events: [
                *events[:-1],
                events[-1].model_copy(update={"time": NOW - timedelta(days=1)}),
            ],
        ),
    ),
    "an event followed from nothing": (
        "without_cause: … follows from nothing known",
        changed(
            PIPELINE.name,
            lambda events: [*events[:-1], events[-1].model_copy(update={"causationid": OTHER})],
        ),
    ),
    # deadlines
    "a deadline was never planned": (
        "lost: … was never planned",
        without(REMINDERS.name, DeadlinePlanned),
    ),
    "a deadline was planned twice": (
        "repeated: … was planned more than once",
        twice(REMINDERS.name, DeadlinePlanned),
    ),
    "a deadline fired twice": ("repeated: … fired 2 times", twice(REMINDERS.name, LeadOverdue)),
    "a deadline fired before its time": (
        "disordered: … fired before its time",
        changed(
            REMINDERS.name,
            lambda events: [
                e.model_copy(update={"time": NOW}) if type(e.data) is LeadOverdue else e
                for e in events
            ],
        ),
    ),
    "a deadline is forgotten": (
        "lost: … is armed no more and never fired",
        replace(kept(), deadlines={}),
    ),
    "a deadline fired and is armed still": (
        "repeated: … fired and is armed still",
        replace(kept(), deadlines={**kept().deadlines, FIRST_SET.id: DUE_AT}),
    ),
    "a deadline's time has passed and it has not fired": (
        "stuck: … it has not fired",
        replace(kept(), at=LATER_AT + timedelta(minutes=1)),
    ),
    "a deadline is armed for another time than was said": (
        "disordered: … for another time than was said",
        replace(kept(), deadlines={SECOND_SET.id: LATER_AT + timedelta(hours=1)}),
    ),
    "a deadline is armed that nobody set": (
        "without_cause: … pipeline never set it",
        replace(kept(), deadlines={**kept().deadlines, OTHER: LATER_AT}),
    ),
    "a deadline fired that nobody set": (
        "without_cause: … overdue.v1",
        without(PIPELINE.name, DeadlineSet),
    ),
    "a digest was due twice for one day": (
        "repeated: … was due 2 times",
        twice(REMINDERS.name, DigestDue),
    ),
    # messages
    "a request was never decided": (
        "untold: … new_lead to anna for o was never decided",
        changed(NOTIFICATIONS.name, lambda _: []),
    ),
    "a message was recorded as sent twice": (
        "told_twice: … was recorded as sent twice",
        twice(NOTIFICATIONS.name, NotificationSent),
    ),
    "a message waits although its time has come": (
        "stuck: … is still held",
        replace(kept(), messages={**kept().messages, MAIL: KeptMessage("held", NOW)}),
    ),
    "one channel of a request was never decided": (
        "stuck: … is still requested",
        replace(kept(), messages={**kept().messages, OTHER: KeptMessage("requested", NOW)}),
    ),
    "a message was sent and never told": (
        "untold: … is sent, which was never told",
        replace(kept(), messages={**kept().messages, MAIL: KeptMessage("sent", NOW)}),
    ),
    "a message that was told is not stored": (
        "lost: … was told of but is not stored",
        replace(kept(), messages={SMS: KeptMessage("sent", NOW)}),
    ),
    "a message recorded as sent is at no provider": (
        "untold: … nobody has it",
        replace(kept(), delivered={"sms": {}}),
    ),
    "a message was handed over twice": (
        "told_twice: … was handed over 2 times",
        replace(kept(), delivered={"sms": {SMS: 2}}),
    ),
    "a message was handed over and is recorded nowhere": (
        "without_cause: … is recorded nowhere",
        replace(kept(), delivered={"sms": {SMS: 1, OTHER: 1}}),
    ),
    "a message that was held went all the same": (
        "without_cause: … not recorded as sent",
        replace(kept(), delivered={"email": {MAIL: 1}}),
    ),
    # at rest
    "an event waits in an outbox": (
        "stuck: … 1 event waits in the outbox of pipeline",
        with_waiting("pipeline", Waiting(outbox=1)),
    ),
    "an event waits in a parking": (
        "stuck: … waits (no such site)",
        with_waiting("reminders", Waiting(parked=[(OTHER, LEAD, "no such site")])),
    ),
    "an event was set aside": (
        "set_aside: … set aside (unreadable)",
        with_waiting("pipeline", Waiting(set_aside=[(OTHER, LEAD, "unreadable")])),
    ),
}
