"""What a symbolic due time means: Minsk, Monday to Friday nine to six, 2 March 2026 a Monday."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.reminders.core.plan import plan
from shared.contract.due import Due
from shared.domain.calendar import NeverOpen
from tests.unit.office import DIRECTORY, at

MONDAY_TEN = "2026-03-02T10:00"


def planned(due: dict[str, Any], now: str, site: str = "minsk") -> datetime | None:
    hours = DIRECTORY.opening(site)
    zone = DIRECTORY.site(site).zone
    for key in ("from", "instant"):
        if isinstance(due.get(key), str):
            due = {**due, key: at(due[key], zone)}
    return plan(Due.model_validate(due), at(now, zone), hours)


@pytest.mark.parametrize(
    ("due", "now", "expected"),
    [
        # in, of
        ({"in": "30m"}, "2026-03-06T17:50", "2026-03-06T18:20"),
        ({"in": "30m", "of": "open_hours"}, "2026-03-06T17:50", "2026-03-09T09:20"),
        ({"in": "1h", "of": "open_hours"}, "2026-03-07T12:00", "2026-03-09T10:00"),
        ({"in": "48h", "of": "open_hours"}, MONDAY_TEN, "2026-03-09T13:00"),
        ({"in": "1d", "of": "working_days"}, "2026-03-06T15:10", "2026-03-09T15:10"),
        ({"in": "1d", "of": "working_days"}, "2026-03-07T15:10", "2026-03-09T15:10"),
        ({"in": "3w"}, MONDAY_TEN, "2026-03-23T10:00"),
        ({"in": "3mo"}, MONDAY_TEN, "2026-06-02T10:00"),
        # from
        ({"in": "1d", "from": "2026-03-03T12:00"}, MONDAY_TEN, "2026-03-04T12:00"),
        # in, at: on the day counted to
        ({"in": "1d", "at": "09:30"}, MONDAY_TEN, "2026-03-03T09:30"),
        (
            {"in": "1d", "of": "working_days", "at": "end_of_day"},
            "2026-03-06T19:30",
            "2026-03-09T18:00",
        ),
        (
            {"in": "1d", "of": "working_days", "at": "next_opening"},
            "2026-03-06T15:00",
            "2026-03-09T09:00",
        ),
        ({"in": "1d", "at": "end_of_day"}, "2026-03-06T15:00", "2026-03-09T18:00"),
        ({"in": "0d", "at": "17:00"}, MONDAY_TEN, "2026-03-02T17:00"),
        # minutes and hours, at: the first one from then on
        ({"in": "2h", "at": "17:00"}, MONDAY_TEN, "2026-03-02T17:00"),
        ({"in": "8h", "at": "17:00"}, MONDAY_TEN, "2026-03-03T17:00"),
        ({"in": "9h", "at": "end_of_day"}, MONDAY_TEN, "2026-03-03T18:00"),
        ({"in": "2h", "at": "next_opening"}, MONDAY_TEN, "2026-03-03T09:00"),
        # at alone
        ({"at": "end_of_day"}, MONDAY_TEN, "2026-03-02T18:00"),
        ({"at": "end_of_day"}, "2026-03-02T18:00", "2026-03-03T18:00"),
        ({"at": "end_of_day"}, "2026-03-07T10:00", "2026-03-09T18:00"),
        ({"at": "next_opening"}, "2026-03-06T18:30", "2026-03-09T09:00"),
        ({"at": "17:00"}, MONDAY_TEN, "2026-03-02T17:00"),
        ({"at": "17:00"}, "2026-03-06T17:30", "2026-03-07T17:00"),
        ({"at": "17:00", "of": "working_days"}, "2026-03-06T17:30", "2026-03-09T17:00"),
        # before
        ({"before": "24h", "from": "2026-03-05T10:00"}, MONDAY_TEN, "2026-03-04T10:00"),
        (
            {"before": "1d", "of": "working_days", "from": "2026-03-09T10:00"},
            MONDAY_TEN,
            "2026-03-06T10:00",
        ),
        (
            {"before": "2h", "of": "open_hours", "from": "2026-03-09T10:00"},
            MONDAY_TEN,
            "2026-03-06T17:00",
        ),
        (
            {"before": "1d", "at": "08:00", "from": "2026-03-05T10:00"},
            MONDAY_TEN,
            "2026-03-04T08:00",
        ),
        ({"before": "24h", "from": "2026-03-03T09:00"}, MONDAY_TEN, MONDAY_TEN),
        # on, instant
        ({"on": "2026-03-07"}, MONDAY_TEN, "2026-03-09T09:00"),
        ({"on": "2026-03-07", "at": "12:15"}, MONDAY_TEN, "2026-03-07T12:15"),
        ({"on": "2026-03-05", "at": "end_of_day"}, MONDAY_TEN, "2026-03-05T18:00"),
        ({"instant": "2026-03-05T03:33"}, MONDAY_TEN, "2026-03-05T03:33"),
    ],
)
def test_a_due_time_means_this_instant(due: dict[str, Any], now: str, expected: str) -> None:
    assert planned(due, now) == at(expected)


def test_a_reminder_before_an_appointment_too_near_is_skipped_when_the_rule_says_so() -> None:
    due = {"before": "24h", "from": "2026-03-03T09:00", "if_past": "skip"}

    assert planned(due, MONDAY_TEN) is None


def test_a_working_day_later_keeps_the_local_time_over_the_change_of_the_clock() -> None:
    day = planned({"in": "1d", "of": "working_days"}, "2026-03-27T15:10", "paris")
    hour = planned({"in": "24h"}, "2026-03-28T15:10", "paris")

    assert day == at("2026-03-30T15:10", "Europe/Paris")
    assert hour == at("2026-03-29T16:10", "Europe/Paris")


@pytest.mark.parametrize(
    ("due", "sentence"),
    [
        ({}, "says one of in, before, on, instant or at"),
        ({"in": "2d", "of": "open_hours"}, "2d of open_hours: write m or h"),
        ({"in": "3h", "of": "working_days"}, "3h of working_days: write the number of days"),
        ({"in": "soon"}, "'soon' is no duration"),
        ({"at": "noon"}, "noon"),
    ],
)
def test_a_due_time_that_means_nothing_is_refused_in_a_sentence(
    due: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        planned(due, MONDAY_TEN)


def test_a_deadline_by_the_hours_of_a_shop_that_never_opens_names_its_calendar() -> None:
    with pytest.raises(NeverOpen, match="calendar 'shut'"):
        planned({"in": "1h", "of": "open_hours"}, MONDAY_TEN, "shut")
    assert planned({"in": "1h"}, MONDAY_TEN, "shut") == at(MONDAY_TEN) + timedelta(hours=1)
