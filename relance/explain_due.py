"""Why a deadline has its instant: the slice of the site's calendar by which it was counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import groupby

from services.reminders.core.plan import plan
from shared.contract.due import Due
from shared.domain.calendar import NeverOpen, OpenHours, Span

DAYS_AT_MOST = 3
"""More are told by their number."""


def counted(due: Due, asked_at: datetime, due_at: datetime, hours: OpenHours) -> str:
    """In words, local to the site. `asked_at` is when the deadline was set.

    Told by the calendar that holds now; where that would give another instant, it says so.
    """
    start = due.from_ or asked_at
    try:
        would_be = plan(due, asked_at, hours)
    except NeverOpen:
        would_be = None
    if would_be != due_at:
        return "planned by hours that have changed since, or by absences"
    said = list(_said(due, start, due_at, hours))
    return " ".join(said)


def _said(due: Due, start: datetime, due_at: datetime, hours: OpenHours) -> Iterator[str]:
    length = due.in_ or due.before
    if due.on is not None:
        yield f"on {due.on.isoformat()}"
    elif due.instant is not None:
        yield "at the instant that was given"
    elif length is None:
        yield "today"
    elif due.before is not None:
        yield f"{length} before {_local(start, hours)}"
    else:
        yield f"{length} from {_local(start, hours)}"
    if length is not None and due.of == "open_hours":
        first, last = sorted((start, due_at))
        yield f"in open hours: {_stretches(first, last, hours)}"
    elif length is not None and due.of == "working_days":
        yield f"in working days: {_days(start, due_at, hours)}"
    if due.at is not None:
        yield f"at {due.at.replace('_', ' ')}"


def _stretches(start: datetime, end: datetime, hours: OpenHours) -> str:
    """By day: a day with a break at noon is one day with two stretches."""
    spans = hours.open_between(start, end)
    days = groupby(spans, key=lambda span: hours.date_of(span[0]))
    told = [_day(list(stretches), hours) for _, stretches in days]
    if len(told) > DAYS_AT_MOST:
        return f"{told[0]}, {len(told) - 2} more days, {told[-1]}"
    return ", ".join(told) or "none"


def _day(stretches: Sequence[Span], hours: OpenHours) -> str:
    times = " and ".join(
        f"{opened.astimezone(hours.zone):%H:%M}–{closed.astimezone(hours.zone):%H:%M}"
        for opened, closed in stretches
    )
    minutes = sum((closed - opened).total_seconds() / 60 for opened, closed in stretches)
    return f"{_date(hours.date_of(stretches[0][0]))} {times} ({minutes:.0f} min)"


def _days(start: datetime, end: datetime, hours: OpenHours) -> str:
    """The open days after the first up to the last."""
    first, last = sorted((hours.date_of(start), hours.date_of(end)))
    days = [day for day in hours.open_dates_between(first, last) if day != hours.date_of(start)]
    told = [_date(day) for day in days]
    if len(told) > DAYS_AT_MOST:
        return f"{told[0]} … {told[-1]}, {len(told)} open days"
    return ", ".join(told) or "none"


def _local(instant: datetime, hours: OpenHours) -> str:
    local = instant.astimezone(UTC).astimezone(hours.zone)
    return f"{_date(local)} {local:%H:%M}"


def _date(day: date) -> str:
    return f"{day:%a} {day.day} {day:%b}"
