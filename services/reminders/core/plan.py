"""From a symbolic due time to the instant it means, by the site's clock and calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from shared.contract.due import Due
from shared.domain.calendar import OpenHours
from shared.domain.duration import Duration, mismatch, parse
from shared.domain.local_time import moved


def plan(due: Due, now: datetime, hours: OpenHours) -> datetime | None:
    """The instant (UTC) that `due` means to a site with these `hours`.

    `now` is the time of the event that asks: `from` where it is not said. The answer may lie in
    the past; None means that a `before` has passed and is to be skipped. Raises `NeverOpen`,
    and `ValueError` for a due time that says nothing or counts days in open hours.
    """
    start = due.from_ or now
    if due.instant is not None:
        return due.instant.astimezone(UTC)
    if due.on is not None:
        return _on_day(due.at or "next_opening", due.on, hours)
    if due.before is not None:
        return _not_past(_before(due, due.before, start, hours), due, now)
    if due.in_ is not None:
        return _in(due, due.in_, start, hours)
    if due.at is not None:
        return _from(due.at, start, due, hours)
    raise ValueError("a due time says one of in, before, on, instant or at")


def _in(due: Due, in_: str, start: datetime, hours: OpenHours) -> datetime:
    """`at` is on the day counted to; after minutes and hours, the first one from then on."""
    duration = parse(in_)
    counted = _counted(duration, due, start, hours, 1)
    if due.at is None:
        return counted
    if duration.is_exact:
        return _from(due.at, counted, due, hours)
    return _on_day(due.at, hours.date_of(counted), hours)


def _before(due: Due, before: str, start: datetime, hours: OpenHours) -> datetime:
    counted = _counted(parse(before), due, start, hours, -1)
    return counted if due.at is None else _on_day(due.at, hours.date_of(counted), hours)


def _not_past(instant: datetime, due: Due, now: datetime) -> datetime | None:
    if instant > now:
        return instant
    return now.astimezone(UTC) if due.if_past == "now" else None


def _counted(
    duration: Duration, due: Due, start: datetime, hours: OpenHours, sign: int
) -> datetime:
    """`duration` after (1) or before (-1) `start`, counted as `due.of` says."""
    if wrong := mismatch(duration, due.of):
        raise ValueError(wrong)
    match due.of:
        case "open_hours":
            count = hours.add_open if sign > 0 else hours.subtract_open
            return count(start, duration.minutes)
        case "working_days":
            return hours.add_working_days(start, sign * duration.count)
        case "elapsed":
            return moved(start, duration, hours.zone, sign)


def _on_day(at: str, day: date, hours: OpenHours) -> datetime:
    """`at` on that very day; opening and closing, if it is closed, of the next open day."""
    if at not in ("end_of_day", "next_opening"):
        return hours.instant_of(day, time.fromisoformat(at))
    open_day = hours.open_date(day)
    ask = hours.last_closing if at == "end_of_day" else hours.first_opening
    instant = ask(open_day)
    assert instant is not None  # it is an open day
    return instant


def _from(at: str, instant: datetime, due: Due, hours: OpenHours) -> datetime:
    """The first `at` from `instant` on; HH:MM on an open day, unless elapsed time is counted."""
    if at == "end_of_day":
        return hours.end_of_day(instant)
    if at == "next_opening":
        return hours.next_opening(instant)
    day = hours.date_of(instant)
    while True:
        day = day if due.of == "elapsed" else hours.open_date(day)
        found = hours.instant_of(day, time.fromisoformat(at))
        if found >= instant:
            return found
        day += timedelta(days=1)
