"""The audit finds each kind of broken promise, and nothing where all were kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from relance.audit import Ledgers, audit
from shared.contract.envelope import Envelope, Event, caused, derived_id
from shared.contract.intake import LeadReceived
from shared.contract.notifications import NotificationSent, NotificationUnknown
from shared.contract.pipeline import LeadCreated, NotificationRequested, Recipient, StageEntered
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LEAD = derived_id("lead")


def _input() -> Envelope:
    data = LeadReceived(channel="form", source="site", site="minsk")
    return Envelope(
        id=derived_id("input"), source="/intake", type=data.type, subject="k", time=NOW,
        tenant="t", data=data,
    )  # fmt: skip


def _made(cause: Envelope, index: int, source: str, data: Event, sequence: int) -> Envelope:
    made = caused(cause, source=source, index=index, subject=LEAD, data=data)
    return made.model_copy(update={"sequence": sequence})


def _kept() -> Ledgers:
    received = _input()
    created = LeadCreated(
        number="7K2M9P", pipeline="sales", contact="c", site="minsk", channel="form",
        source="site", received_at=NOW,
    )  # fmt: skip
    asked = NotificationRequested(
        to=Recipient(kind="agent", id="anna"), template="new_lead", occasion="o", site="minsk",
        lead=LEAD,
    )  # fmt: skip
    pipeline = [
        _made(received, 0, "/pipeline", created, 1),
        _made(received, 1, "/pipeline", StageEntered(pipeline="sales", stage="new"), 2),
        _made(received, 2, "/pipeline", asked, 3),
    ]
    sent = NotificationSent(
        notification="n", request=pipeline[2].id, to="anna", channel="sms", template="new_lead",
        occasion="o", lead=LEAD, address="+375291234567", text="…",
    )  # fmt: skip
    told = [_made(pipeline[2], 0, "/notifications", sent, 1)]
    return Ledgers(
        records={INTAKE.name: [received], PIPELINE.name: pipeline, NOTIFICATIONS.name: told},
        leads=frozenset({LEAD}),
        accepted=frozenset({received.id}),
        delivered={"n": 1},
    )


def _with(topic: str, change: Callable[[list[Envelope]], list[Envelope]]) -> Ledgers:
    kept = _kept()
    return replace(kept, records={**kept.records, topic: change(list(kept.records[topic]))})


def test_nothing_is_found_where_every_promise_was_kept() -> None:
    report = audit(_kept())

    assert report.findings == ()
    assert (
        report.counts["accepted"] == report.counts["leads"] == report.counts["messages_sent"] == 1
    )


def test_a_record_repeated_by_the_relay_is_counted_and_is_no_fault() -> None:
    report = audit(_with(PIPELINE.name, lambda events: [*events, events[1]]))

    assert report.ok
    assert report.counts["repeated_records"] == 1


@pytest.mark.parametrize(
    ("ledgers", "fault"),
    [
        (replace(_kept(), accepted=frozenset({derived_id("other")})), "lost"),
        (_with(PIPELINE.name, lambda events: events[1:]), "lost"),
        (replace(_kept(), leads=frozenset()), "lost"),
        (replace(_kept(), leads=frozenset({LEAD, "x"})), "without_cause"),
        (
            _with(
                PIPELINE.name,
                lambda events: [
                    *events,
                    events[0].model_copy(update={"id": derived_id("again"), "sequence": 4}),
                ],
            ),
            "repeated",
        ),
        (_with(PIPELINE.name, lambda events: [events[0], events[2], events[1]]), "disordered"),
        (_with(PIPELINE.name, lambda events: [events[0], events[2]]), "lost"),
        (_with(NOTIFICATIONS.name, lambda _: []), "untold"),
        (replace(_kept(), delivered={}), "untold"),
        (replace(_kept(), delivered={"n": 2}), "told_twice"),
        (replace(_kept(), delivered={"n": 1, "m": 1}), "without_cause"),
    ],
    ids=[
        "an input answered 2xx that is on no topic",
        "an input that became nothing",
        "a lead announced and not stored",
        "a lead stored and not announced",
        "an input that took effect twice",
        "events out of order",
        "an event missing from the middle",
        "a request nobody decided",
        "a message recorded as sent that no provider has",
        "a message handed over twice",
        "a message handed over and recorded nowhere",
    ],
)
def test_a_broken_promise_is_found(ledgers: Ledgers, fault: str) -> None:
    assert fault in {finding.fault for finding in audit(ledgers).findings}


def test_a_message_named_unknown_may_have_gone_twice() -> None:
    kept = _kept()
    sent = kept.records[NOTIFICATIONS.name][0]
    assert isinstance(sent.data, NotificationSent)
    unknown = NotificationUnknown(
        notification="n", request=sent.data.request, to="anna", channel="sms",
        template="new_lead", occasion="o", lead=LEAD, resolution="sent_again",
    )  # fmt: skip
    told = [_made(sent, 0, "/notifications", unknown, 1), sent.model_copy(update={"sequence": 2})]
    report = audit(
        replace(kept, records={**kept.records, NOTIFICATIONS.name: told}, delivered={"n": 2})
    )

    assert report.ok
    assert report.counts["messages_unknown"] == 1
