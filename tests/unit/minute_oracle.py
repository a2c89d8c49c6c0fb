"""Open hours the slow and obvious way: every minute of some days is asked for itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from shared.contract.directory import Interval

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@lru_cache(maxsize=1)
def _clock(zone: ZoneInfo, first: date, days: int) -> tuple[list[datetime], list[datetime]]:
    """Every minute (UTC), and the latest time that the clock on the wall has shown until then."""
    begin = datetime.combine(first, time(), UTC)
    minutes = [begin + n * MINUTE for n in range(days * 24 * 60)]
    walls = (each.astimezone(zone).replace(tzinfo=None) for each in minutes)
    return minutes, list(accumulate(walls, max))


class MinuteOracle:
    """What is open from `first` to `last` (local dates), minute by minute."""

    def __init__(
        self,
        weekly: Sequence[Sequence[Interval]],
        zone: ZoneInfo,
        first: date,
        last: date,
        unlike: Mapping[date, Sequence[Interval]] | None = None,
    ) -> None:
        """`unlike` are the days that are not like others of their weekday."""
        self.weekly, self.zone, self.unlike = weekly, zone, unlike or {}
        self.minutes, self.shown = _clock(zone, first - DAY, (last - first).days + 4)
        self.open = [False] * len(self.minutes)
        self.closings: dict[date, datetime] = {}
        self.openings: list[int] = []
        for n in range((last - first).days + 1):
            self._open_day(first + n * DAY)

    def _open_day(self, day: date) -> None:
        """What runs on from the day before belongs to that one."""
        before = self.closings.get(day - DAY, self.minutes[0])
        own: set[int] = set()
        for each in self.unlike.get(day, self.weekly[day.weekday()]):
            end = day if each.closes > each.opens else day + DAY
            opened = self._first_showing(datetime.combine(day, each.opens))
            closed = self._first_showing(datetime.combine(end, each.closes))
            self.open[opened:closed] = [True] * (closed - opened)
            own.update(n for n in range(opened, closed) if self.minutes[n] >= before)
            self.closings[day] = max(self.minutes[closed], self.closings.get(day, self.minutes[0]))

        self.openings += sorted(n for n in own if n - 1 not in own)

    def _first_showing(self, wall: datetime) -> int:
        return bisect_left(self.shown, wall)

    def index(self, instant: datetime) -> int:
        return int((instant - self.minutes[0]) / MINUTE)

    def is_open(self, instant: datetime) -> bool:
        return self.open[self.index(instant)]

    def first_open(self, instant: datetime) -> datetime:
        return self.minutes[self.open.index(True, self.index(instant))]

    def add_open(self, start: datetime, minutes: int) -> datetime:
        """Walk on until that many open minutes have passed."""
        at = self.open.index(True, self.index(start))
        for _ in range(minutes):
            at = self.open.index(True, at) + 1
        return self.minutes[at]

    def subtract_open(self, end: datetime, minutes: int) -> datetime:
        """Walk back in the same way."""
        at = self._open_before(self.index(end))
        for _ in range(minutes):
            at = self._open_before(at) - 1
        return self.minutes[at]

    def _open_before(self, at: int) -> int:
        """The end of the last open minute that is over at `at`."""
        while not self.open[at - 1]:
            at -= 1
        return at

    def next_opening(self, instant: datetime) -> datetime:
        """The first minute from then on at which a day's open time begins, or begins again."""
        at = self.index(instant)
        return self.minutes[next(n for n in self.openings if n >= at)]

    def add_working_days(self, start: datetime, days: int) -> datetime:
        """The same time of day, so many days on that have any interval; none change nothing."""
        if days == 0:
            return start
        wall = start.astimezone(self.zone)
        day, step = wall.date(), 1 if days > 0 else -1
        while days:
            day += step * DAY
            if self.unlike.get(day, self.weekly[day.weekday()]):
                days -= step
        return self.minutes[self._first_showing(datetime.combine(day, wall.time()))]

    def end_of_day(self, instant: datetime) -> datetime:
        today = instant.astimezone(self.zone).date()
        later = [
            self.closings[day]
            for day in sorted(self.closings)
            if day >= today - DAY and self.closings[day] > instant
        ]
        return later[0]
