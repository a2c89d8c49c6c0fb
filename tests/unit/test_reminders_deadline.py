"""Deadlines: armed, replaced, cleared, fired once at their instant."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from services.reminders.core.deadline import Deadlines, fire, handle, replan
from services.reminders.handlers import HANDLED, IGNORED
from shared.contract.directory import Interval, SpecialDay
from shared.contract.due import Due
from shared.contract.envelope import Envelope, derived_id
from shared.contract.pipeline import DeadlineCleared, DeadlineSet, LeadClosed
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue
from shared.contract.topics import PIPELINE
from shared.domain.directory import Unknown
from tests.unit.office import (
    DIRECTORY,
    LEAD,
    MINSK,
    OFFICE,
    SHUT,
    WORKDAYS,
    agent,
    at,
    deadline_set,
    event,
)

NOW = at("2026-03-02T17:50")
IN_HALF_AN_OPEN_HOUR = Due.model_validate({"in": "30m", "of": "open_hours"})
IN_AN_HOUR = Due.model_validate({"in": "1h"})
DUE_AT = at("2026-03-03T09:20")
OTHER = derived_id("other lead")


def after(*envelopes: Envelope) -> Deadlines:
    deadlines = Deadlines()
    for envelope in envelopes:
        deadlines, _ = handle(deadlines, envelope, DIRECTORY)
    return deadlines


def test_a_deadline_is_planned_and_says_when() -> None:
    asked = deadline_set("qualify", IN_HALF_AN_OPEN_HOUR, NOW)

    deadlines, [planned] = handle(Deadlines(), asked, DIRECTORY)

    assert deadlines.next_due() == DUE_AT
    assert planned.data == DeadlinePlanned(name="qualify", deadline_set=asked.id, due_at=DUE_AT)
    assert (planned.subject, planned.source, planned.time) == (LEAD, "/reminders", NOW)
    assert (planned.causationid, planned.correlationid) == (asked.id, asked.correlationid)


def test_it_fires_at_its_instant_and_not_before_and_only_once() -> None:
    asked = deadline_set("qualify", IN_HALF_AN_OPEN_HOUR, NOW)
    deadlines = after(asked)

    early, nothing = fire(deadlines, DUE_AT - timedelta(microseconds=1), DIRECTORY)
    left, [fired] = fire(early, DUE_AT, DIRECTORY)
    _, nothing_more = fire(left, DUE_AT + timedelta(days=1), DIRECTORY)

    assert nothing == nothing_more == []
    assert fired.data == LeadOverdue(name="qualify", deadline_set=asked.id, due_at=DUE_AT)
    assert fired.time == DUE_AT
    assert (fired.causationid, fired.correlationid) == (asked.id, asked.correlationid)


def test_a_late_firing_carries_the_time_at_which_it_was_told_and_the_same_id() -> None:
    deadlines = after(deadline_set("qualify", IN_HALF_AN_OPEN_HOUR, NOW))

    _, [on_time] = fire(deadlines, DUE_AT, DIRECTORY)
    _, [late] = fire(deadlines, DUE_AT + timedelta(minutes=7), DIRECTORY)

    assert late.time == DUE_AT + timedelta(minutes=7)
    assert late.id == on_time.id


def test_a_named_deadline_is_reached_while_a_task_makes_the_lead_overdue() -> None:
    named = event(
        DeadlineSet(name="first_response", due=IN_AN_HOUR, kind="named", site="minsk"), NOW
    )
    deadlines = after(named, deadline_set("task", IN_AN_HOUR, NOW))

    _, fired = fire(deadlines, NOW + timedelta(hours=1), DIRECTORY)

    assert [type(each.data) for each in fired] == [DeadlineReached, LeadOverdue]


def test_a_deadline_set_again_takes_the_place_of_the_first() -> None:
    again = deadline_set("qualify", IN_AN_HOUR, NOW + timedelta(minutes=5))
    deadlines = after(deadline_set("qualify", IN_HALF_AN_OPEN_HOUR, NOW), again)

    _, fired = fire(deadlines, NOW + timedelta(days=7), DIRECTORY)

    assert [each.causationid for each in fired] == [again.id]


def test_a_cleared_deadline_never_fires_while_its_neighbour_does() -> None:
    deadlines = after(
        deadline_set("qualify", IN_AN_HOUR, NOW),
        deadline_set("call_back", IN_AN_HOUR, NOW),
        event(DeadlineCleared(name="qualify"), NOW),
    )

    assert [each.name for each in deadlines] == ["call_back"]


def test_a_closed_lead_loses_every_deadline_and_no_other_lead_does() -> None:
    deadlines = after(
        deadline_set("qualify", IN_AN_HOUR, NOW),
        deadline_set("call_back", IN_AN_HOUR, NOW),
        deadline_set("qualify", IN_AN_HOUR, NOW, lead=OTHER),
        event(LeadClosed(status="lost"), NOW),
    )

    assert [each.lead for each in deadlines] == [OTHER]


def test_a_reminder_that_would_be_too_late_takes_the_place_of_the_one_before_it() -> None:
    too_late = Due.model_validate({"before": "24h", "from": NOW, "if_past": "skip"})
    deadlines = after(deadline_set("confirm", IN_AN_HOUR, NOW))

    deadlines, said = handle(deadlines, deadline_set("confirm", too_late, NOW), DIRECTORY)

    assert (list(deadlines), said) == ([], [])


def test_deadlines_fire_in_the_order_of_their_instants() -> None:
    names = ["c", "a", "b"]
    deadlines = after(
        *(
            deadline_set(name, Due.model_validate({"in": f"{minutes}m"}), NOW)
            for minutes, name in enumerate(names)
        )
    )

    _, fired = fire(deadlines, NOW + timedelta(hours=1), DIRECTORY)

    assert [each.data.name for each in fired if isinstance(each.data, LeadOverdue)] == names


def test_a_deadline_for_a_site_nobody_knows_names_the_site() -> None:
    asked = event(DeadlineSet(name="x", due=IN_AN_HOUR, kind="task", site="lyon"), NOW)

    with pytest.raises(Unknown, match="site 'lyon' is not in the directory"):
        handle(Deadlines(), asked, DIRECTORY)


def test_every_event_of_pipeline_is_handled_or_listed_as_ignored() -> None:
    assert set(PIPELINE.events) == HANDLED | IGNORED
    assert not HANDLED & IGNORED


LONGER = OFFICE.model_copy(
    update={"weekly": {day: (Interval(opens=time(9), closes=time(20)),) for day in WORKDAYS}}
)


def test_a_deadline_planned_by_other_hours_than_todays_is_planned_again_and_says_so() -> None:
    asked = deadline_set("qualify", IN_HALF_AN_OPEN_HOUR, NOW)
    directory = DIRECTORY.with_(LONGER)

    deadlines, [moved] = replan(after(asked), NOW, directory)

    assert deadlines.next_due() == NOW + timedelta(minutes=30)
    assert isinstance(moved.data, DeadlinePlanned)
    assert moved.data.due_at == NOW + timedelta(minutes=30)
    assert moved.data.deadline_set == asked.id
    assert moved.id != handle(Deadlines(), asked, DIRECTORY)[1][0].id
    assert replan(deadlines, NOW, directory) == (deadlines, [])


def test_a_deadline_whose_instant_stays_says_nothing() -> None:
    asked = deadline_set("call_back", IN_AN_HOUR, NOW)

    deadlines, said = replan(after(asked), NOW, DIRECTORY.with_(LONGER))

    assert said == []
    assert deadlines.next_due() == NOW + timedelta(hours=1)


def test_what_would_ring_by_hours_that_no_longer_hold_is_planned_again_instead() -> None:
    deadlines = after(deadline_set("qualify", IN_HALF_AN_OPEN_HOUR, NOW))
    closed = OFFICE.model_copy(
        update={"special": (SpecialDay(on=DUE_AT.astimezone(MINSK).date()),)}
    )

    directory = DIRECTORY.with_(closed)
    left, said = fire(deadlines, DUE_AT, directory)

    assert [type(each.data) for each in said] == [DeadlinePlanned]
    assert left.next_due() == DUE_AT + timedelta(days=1)
    _, fired = fire(left, DUE_AT + timedelta(days=1), directory)
    assert [type(each.data) for each in fired] == [LeadOverdue]


def test_another_calendar_touches_only_the_sites_that_keep_it() -> None:
    deadlines = after(deadline_set("qualify", IN_HALF_AN_OPEN_HOUR, NOW))

    unchanged, said = replan(deadlines, NOW, DIRECTORY.with_(SHUT, agent("zoe")))

    assert said == []
    assert list(unchanged) == list(deadlines)
