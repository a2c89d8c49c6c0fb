"""When a site is open: weekly intervals in its zone, and counting by them.

Wall-clock intervals become instants by `local_time.instant_of`; all arithmetic is in UTC, so
open minutes are minutes that really pass, over both changes of the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import get_args
from zoneinfo import ZoneInfo

from shared.contract.directory import Calendar, Interval, PublicHolidays, SpecialDay, Weekday
from shared.domain.local_time import date_of, instant_of
from shared.domain.public_holidays import holiday

WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

_DAY = timedelta(days=1)
_CLOSED_DAYS_AT_MOST = 400
"""More closed days in a row than this are taken as a site that never opens."""
_REMEMBERED_DAYS = 2_000

Span = tuple[datetime, datetime]


class NeverOpen(ValueError):
    """The calendar has no open day within reach, so nothing can be counted in it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"calendar {name!r} has no open day within {_CLOSED_DAYS_AT_MOST} days: "
            "give it opening hours in the directory"
        )


@dataclass(frozen=True)
class OpenHours:
    """The open time of one site: a calendar's weekly intervals (Monday first) in a zone, less
    public holidays, and special days as they say.

    All instants returned are UTC; those given may be in any zone, but must be aware.
    """

    name: str
    zone: ZoneInfo
    weekly: tuple[tuple[Interval, ...], ...]
    holidays: PublicHolidays | None = None
    special: tuple[SpecialDay, ...] = ()
    _days: dict[date, tuple[Span, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of(cls, calendar: Calendar, zone: ZoneInfo) -> OpenHours:
        """The hours of a site in `zone` that keeps `calendar`."""
        weekly = tuple(tuple(calendar.weekly.get(day, ())) for day in WEEKDAYS)
        return cls(calendar.id, zone, weekly, calendar.holidays, calendar.special)

    # Days

    def intervals(self, day: date) -> tuple[Interval, ...]:
        """The intervals that begin on `day`: the only source of what is open."""
        special = self._special.get(day)
        if special is not None:
            return special
        weekly = self.weekly[day.weekday()]
        if weekly and self.holidays is not None and holiday(self.holidays, day):
            return ()
        return weekly

    def is_open_day(self, day: date) -> bool:
        """Whether the site opens on `day`; running on from the night before does not count."""
        return bool(self.intervals(day))

    def open_dates_between(self, first: date, last: date) -> tuple[date, ...]:
        """The open days from `first` to `last`, both included."""
        days = (first + n * _DAY for n in range((last - first).days + 1))
        return tuple(day for day in days if self.is_open_day(day))

    def open_date(self, day: date) -> date:
        """`day` itself when it is open, otherwise the next open day."""
        return next(self._open_dates(day, 1))

    def first_opening(self, day: date) -> datetime | None:
        """When the site opens first on `day`; None on a closed day."""
        return min((span[0] for span in self._whole(day)), default=None)

    def last_closing(self, day: date) -> datetime | None:
        """When the last interval of `day` ends, maybe after midnight; None on a closed day."""
        return max((span[1] for span in self._whole(day)), default=None)

    def instant_of(self, day: date, at: time) -> datetime:
        """The first instant at which the site's clock shows `day` `at`, or later."""
        return instant_of(day, at, self.zone)

    def date_of(self, instant: datetime) -> date:
        """The site's local date."""
        return date_of(instant, self.zone)

    # Instants

    def is_open(self, instant: datetime) -> bool:
        """Whether the site is open: from the opening on, until before the closing."""
        today = self.date_of(instant)
        return any(
            start <= instant < end for day in (today - _DAY, today) for start, end in self._day(day)
        )

    def next_opening(self, instant: datetime) -> datetime:
        """The first moment at or after `instant` at which the site opens.

        While it is open that is the *next* time; `first_open` answers `instant` itself. Where a
        night runs on into an open day, that day opens when the night closes.
        """
        return next(start for start, _ in self._spans(instant) if start >= instant)

    def first_open(self, instant: datetime) -> datetime:
        """`instant` itself while the site is open, otherwise the next opening."""
        return max(next(self._spans(instant))[0], instant.astimezone(UTC))

    def end_of_day(self, instant: datetime) -> datetime:
        """The last closing of that day strictly after `instant`, else of the next open day.

        A day that runs over midnight ends with its last interval: at 01:00 the end of a night
        that closes at 02:00 is 02:00.
        """
        for day in self._open_dates(self.date_of(instant) - _DAY, 1):
            closing = self.last_closing(day)
            if closing is not None and closing > instant:
                return closing
        raise NeverOpen(self.name)

    def add_open(self, start: datetime, minutes: int) -> datetime:
        """The instant when `minutes` of open time have passed since `start`.

        A start while closed counts from the next opening; time that runs out exactly at a
        closing is that closing.
        """
        left = timedelta(minutes=minutes)
        for opened, closed in self._spans(start):
            begin = max(opened, start)
            if closed - begin >= left:
                return (begin + left).astimezone(UTC)
            left -= closed - begin
        raise NeverOpen(self.name)

    def subtract_open(self, end: datetime, minutes: int) -> datetime:
        """The instant with `minutes` of open time between it and `end`."""
        left = timedelta(minutes=minutes)
        for day in self._open_dates(self.date_of(end), -1):
            for opened, closed in reversed(self._day(day)):
                stop = min(closed, end)
                if opened < end and stop - opened >= left:
                    return (stop - left).astimezone(UTC)
                left -= max(stop - opened, timedelta())
        raise NeverOpen(self.name)

    def open_between(self, start: datetime, end: datetime) -> Iterator[Span]:
        """The open time from `start` to `end`, in order, an uninterrupted stretch each."""
        for opened, closed in self._spans(start):
            if opened >= end:
                return
            yield max(opened, start.astimezone(UTC)), min(closed, end.astimezone(UTC))

    def add_working_days(self, start: datetime, days: int) -> datetime:
        """The local time of day of `start` on the `days`-th open day after it (before it if < 0).

        No days at all leave `start` as it is.
        """
        if days == 0:
            return start.astimezone(UTC)
        wall = start.astimezone(self.zone)
        step = 1 if days > 0 else -1
        open_dates = self._open_dates(wall.date() + step * _DAY, step)
        day = next(day for n, day in enumerate(open_dates, 1) if n == abs(days))
        return self.instant_of(day, wall.time())

    # Within

    @cached_property
    def _special(self) -> dict[date, tuple[Interval, ...]]:
        return {each.on: each.hours for each in self.special}

    def _open_dates(self, day: date, step: int) -> Iterator[date]:
        """The open days from `day` on, forwards or backwards; `NeverOpen` when none comes."""
        closed = 0
        while closed < _CLOSED_DAYS_AT_MOST:
            if self.is_open_day(day):
                closed = 0
                yield day
            else:
                closed += 1
            day += step * _DAY
        raise NeverOpen(self.name)

    def _spans(self, instant: datetime) -> Iterator[Span]:
        """Open time that ends after `instant`, in order, without overlaps."""
        for day in self._open_dates(self.date_of(instant) - _DAY, 1):
            for span in self._day(day):
                if span[1] > instant:
                    yield span

    def _day(self, day: date) -> tuple[Span, ...]:
        """What `day` adds to the open time: ordered, without overlaps, remembered."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _REMEMBERED_DAYS:
                self._days.clear()
            known = self._days[day] = self._disjoint(day)
        return known

    def _disjoint(self, day: date) -> tuple[Span, ...]:
        """The spans of `day`, joined where they touch, less what runs on from the day before."""
        covered = self.last_closing(day - _DAY) or datetime.min.replace(tzinfo=UTC)
        spans: list[Span] = []
        for start, end in sorted(self._whole(day)):
            begin = max(start, covered)
            if spans and begin <= spans[-1][1]:
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            elif end > begin:
                spans.append((begin, end))
        return tuple(spans)

    def _whole(self, day: date) -> list[Span]:
        return [
            (
                self.instant_of(day, each.opens),
                self.instant_of(day if each.closes > each.opens else day + _DAY, each.closes),
            )
            for each in self.intervals(day)
        ]
