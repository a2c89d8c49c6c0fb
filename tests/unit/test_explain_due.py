"""The slice of the calendar by which a deadline was counted, day by day."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from relance.explain_due import counted
from services.reminders.core.plan import plan
from shared.contract.directory import Calendar, Interval
from shared.contract.due import Due
from shared.domain.calendar import OpenHours

_DAY = (Interval(opens=time(9), closes=time(12)), Interval(opens=time(14), closes=time(18)))
HOURS = OpenHours.of(
    Calendar(id="with a break", weekly=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), _DAY)),
    ZoneInfo("UTC"),
)
MONDAY = datetime(2026, 3, 2, 11, tzinfo=UTC)


def told(length: str) -> str:
    due = Due.model_validate({"in": length, "of": "open_hours"})
    due_at = plan(due, MONDAY, HOURS)
    assert due_at is not None
    return counted(due, MONDAY, due_at, HOURS)


def test_a_day_with_a_break_is_one_day() -> None:
    assert told("6h") == (
        "6h from Mon 2 Mar 11:00 in open hours: "
        "Mon 2 Mar 11:00–12:00 and 14:00–18:00 (300 min), Tue 3 Mar 09:00–10:00 (60 min)"
    )


def test_days_between_are_told_by_how_many_days_they_are() -> None:
    assert told("25h") == (
        "25h from Mon 2 Mar 11:00 in open hours: "
        "Mon 2 Mar 11:00–12:00 and 14:00–18:00 (300 min), 2 more days, "
        "Thu 5 Mar 09:00–12:00 and 14:00–17:00 (360 min)"
    )
