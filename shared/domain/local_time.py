"""From a site's wall clock to instants and back, exact over both changes of the clock."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.duration import Duration

_SECOND = timedelta(seconds=1)


def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the clock of `zone` shows `day` `at`, or later.

    In the doubled hour that is its first pass. In the skipped hour it is the change itself: a
    shop that opens at 02:30 opens when the clock jumps from 02:00 to 03:00.
    """
    wall = datetime.combine(day, at, zone)
    instant = wall.astimezone(UTC)
    if _wall(instant, zone) == wall.replace(tzinfo=None):
        return instant
    return _first_past(wall, zone)


def date_of(instant: datetime, zone: ZoneInfo) -> date:
    """The local date of `instant`."""
    return instant.astimezone(zone).date()


def moved(start: datetime, duration: Duration, zone: ZoneInfo, sign: int = 1) -> datetime:
    """`start` and `duration` later, with `sign=-1` earlier (UTC).

    Minutes and hours pass exactly. Days, weeks and months keep the local time of day; a month
    that is too short ends on its last day (31 January and a month: 28 February).
    """
    if duration.is_exact:
        return start.astimezone(UTC) + sign * duration.length
    wall = start.astimezone(zone)
    if duration.unit == "mo":
        day = _months_later(wall.date(), sign * duration.count)
    else:
        day = wall.date() + sign * duration.length
    return instant_of(day, wall.time(), zone)


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _first_past(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second at which the clock shows more than the skipped `wall`.

    Read with the offset after the gap a skipped time lies before the change, with the offset
    before the gap after it: the change is between the two.
    """
    skipped = wall.replace(tzinfo=None)
    before = wall.replace(fold=1, microsecond=0).astimezone(UTC)
    after = wall.replace(fold=0, microsecond=0).astimezone(UTC)
    seconds = int((after - before) / _SECOND)
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        if _wall(before + middle * _SECOND, zone) > skipped:
            high = middle
        else:
            low = middle
    return before + high * _SECOND


def _months_later(day: date, months: int) -> date:
    years, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(years, month + 1, min(day.day, calendar.monthrange(years, month + 1)[1]))
