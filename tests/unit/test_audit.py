"""The audit finds each kind of broken promise, and nothing where all were kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relance.audit import Ledgers, Report, audit
from services.pipeline.store import Step
from shared.contract.envelope import Envelope, caused, derived_id
from shared.contract.notifications import NotificationSent, NotificationUnknown
from shared.contract.pipeline import ActionRefused, NotificationRequested, TaskCompleted
from shared.contract.reminders import DigestDue
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS
from tests.unit.audited_house import (
    LATER_AT,
    LEAD,
    SECOND_TASK,
    SMS,
    TASK,
    changed,
    dense,
    kept,
    of,
    with_lead,
)
from tests.unit.broken_promises import BROKEN, STEPS, history


def found(ledgers: Ledgers) -> set[str]:
    """What the audit found: `fault: sentence`."""
    return {f"{finding.fault}: {finding.sentence}" for finding in audit(ledgers).findings}


def test_nothing_is_found_where_every_promise_was_kept() -> None:
    report = audit(kept())

    assert report.findings == ()
    assert report.counts["leads"] == 1
    assert report.counts["deadlines"] == 2


def test_a_record_repeated_by_the_relay_is_counted_and_is_no_fault() -> None:
    report = audit(changed(PIPELINE.name, lambda events: [*events, events[1]]))

    assert report.ok
    assert report.counts["repeated_records"] == 1


def test_a_vendor_that_repeats_itself_is_no_fault() -> None:
    assert audit(changed(INTAKE.name, lambda events: [*events, events[0]])).ok


def elsewhere(event: Envelope) -> Envelope:
    """The same said by another company, of an agent with the same id."""
    changes = {"id": derived_id("elsewhere", event.id), "tenant": "u", "subject": "u/anna"}
    return event.model_copy(update=changes)


def test_two_companies_may_each_have_an_anna_with_a_digest_of_that_day() -> None:
    both = changed(
        REMINDERS.name,
        lambda events: [*events, *(elsewhere(e) for e in events if isinstance(e.data, DigestDue))],
    )
    assert not [sentence for sentence in found(both) if "was due" in sentence]


def test_what_one_company_told_its_anna_does_not_hide_that_the_others_was_told_nothing() -> None:
    def asked_by_both(events: list[Envelope]) -> list[Envelope]:
        asked = [e for e in events if isinstance(e.data, NotificationRequested)]
        return [*events, *map(elsewhere, asked)]

    both = changed(PIPELINE.name, asked_by_both)
    assert "untold: new_lead to anna for o was never decided" in found(both)


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_promise_is_found(what: str) -> None:
    expected, ledgers = BROKEN[what]
    fault, _, words = expected.partition(": … ")

    assert [each for each in found(ledgers) if each.startswith(f"{fault}: ") and words in each]


def told_unknown(times_delivered: int) -> Report:
    """The SMS was named unknown, and sent again."""
    ledgers = kept()
    (sent,) = of(ledgers, NOTIFICATIONS.name, NotificationSent)
    assert isinstance(sent.data, NotificationSent)
    unknown = NotificationUnknown(
        notification=SMS, request=sent.data.request, to="anna", channel="sms",
        template="new_lead", occasion="o", lead=LEAD, resolution="sent_again",
    )  # fmt: skip
    event = caused(sent, source="/notifications", index=7, subject=LEAD, data=unknown)

    def told(events: list[Envelope]) -> list[Envelope]:
        return dense([event, *events])

    ledgers = changed(NOTIFICATIONS.name, told, replace(ledgers, reached={}))
    return audit(replace(ledgers, delivered={"sms": {SMS: times_delivered}}))


def test_a_message_named_unknown_may_have_gone_twice() -> None:
    report = told_unknown(2)

    assert report.ok
    assert report.counts["messages_unknown"] == 1
    assert report.counts["messages_twice"] == 1


def test_a_message_named_unknown_once_may_not_have_gone_three_times() -> None:
    assert told_unknown(3).count("told_twice") == 1


def test_a_refusal_does_not_make_time_run_back() -> None:
    """It has the time of its action, and changes nothing of the lead."""
    refused = ActionRefused(action="move", by="anna", needs=())
    ledgers = changed(
        PIPELINE.name,
        lambda events: dense(
            [
                caused(
                    STEPS[-1].cause, source="/pipeline", index=8, subject=LEAD, data=refused
                ).model_copy(update={"time": LATER_AT}),
                *events,
            ]
        ),
    )

    assert not [each for each in found(ledgers) if "time runs back" in each]


def test_who_completes_the_last_task_by_hand_is_no_fault_of_relance() -> None:
    """That lead is in the next digest: the person knows why it is open."""
    done = [
        caused(
            STEPS[-1].cause,
            source="/pipeline",
            index=number,
            subject=LEAD,
            data=TaskCompleted(task=task, name="call_back", by="anna"),
        )
        for number, task in enumerate((TASK, SECOND_TASK))
    ]
    ledgers = history(*STEPS, Step(LEAD, STEPS[-1].cause, tuple(done)))

    assert not [each for each in found(ledgers) if "no next step" in each]
    assert [each for each in found(with_lead(tasks={}, deadlines={})) if "no next step" in each]
