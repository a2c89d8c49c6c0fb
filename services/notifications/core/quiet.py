"""Quiet hours: when a contact is not to be disturbed, by the clock where they live."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.rulebook.message import WEEKDAYS, Quiet


def quiet_until(quiet: Quiet, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The end (UTC) of the quiet time that `now` lies in; None while messages may go.

    A quiet day is quiet from midnight to midnight; what it holds goes when the next day's quiet
    hours end. Raises `ValueError` where every day is quiet: `Quiet` does not allow that.
    """
    instant = now
    while (end := _end(quiet, instant, zone)) is not None:
        instant = end
    return None if instant == now else instant.astimezone(UTC)


def _end(quiet: Quiet, instant: datetime, zone: ZoneInfo) -> datetime | None:
    local = instant.astimezone(zone)
    tomorrow = datetime.combine(local.date() + timedelta(days=1), time(), zone)
    if WEEKDAYS[local.weekday()] in quiet.days:
        return tomorrow
    clock, starts, ends = local.time(), quiet.starts, quiet.ends
    over_midnight = starts > ends
    if not (clock >= starts or clock < ends if over_midnight else starts <= clock < ends):
        return None
    day = local.date() + timedelta(days=1 if over_midnight and clock >= starts else 0)
    return datetime.combine(day, ends, zone)
