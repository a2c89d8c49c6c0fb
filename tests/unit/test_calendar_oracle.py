"""Open hours against an oracle that asks every minute, over both changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contract.directory import Interval, PublicHolidays, SpecialDay
from shared.domain.calendar import NeverOpen, OpenHours
from tests.unit.minute_oracle import DAY, MINUTE, MinuteOracle

# One day around which a zone's clock changes, forwards and back; none where it never does.
CHANGES = [
    ("Europe/Paris", date(2026, 3, 29)),
    ("Europe/Paris", date(2026, 10, 25)),
    ("America/Montreal", date(2026, 3, 8)),
    ("America/Montreal", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Havana", date(2026, 3, 8)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Europe/Minsk", date(2026, 3, 29)),
    ("Asia/Kathmandu", date(2026, 10, 25)),
]

minute_of_day = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
# Half of the edges lie where clocks change.
edge = st.one_of(minute_of_day, st.integers(0, 18).map(lambda n: time(n // 6, n % 6 * 10)))
intervals = st.lists(st.builds(Interval, opens=edge, closes=edge), max_size=3).map(tuple)
weeks = st.tuples(*[intervals] * 7)
# A day in seven is unlike the others of its weekday: closed, or with hours of its own.
special_days = st.dictionaries(st.integers(-12, 12), intervals, max_size=4)
COUNTRIES = [("FR", None), ("FR", "Alsace"), ("CA", "QC"), ("RU", None), ("DE", "BY")]


@pytest.mark.parametrize(("zone_name", "change"), CHANGES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(weekly=weeks, special=special_days, data=st.data())
def test_every_answer_is_the_one_of_asking_minute_by_minute(
    zone_name: str,
    change: date,
    weekly: tuple[tuple[Interval, ...], ...],
    special: dict[int, tuple[Interval, ...]],
    data: st.DataObject,
) -> None:
    zone = ZoneInfo(zone_name)
    unlike = {change + n * DAY: hours for n, hours in special.items()}
    days = tuple(SpecialDay(on=day, hours=hours) for day, hours in unlike.items())
    hours = OpenHours("test", zone, weekly, special=days)
    midnight = datetime.combine(change, time(), UTC)
    instants = st.integers(-36 * 60, 36 * 60).map(lambda n: midnight + n * MINUTE)
    oracle = MinuteOracle(weekly, zone, change - 12 * DAY, change + 12 * DAY, unlike)
    if not any(weekly):
        with pytest.raises(NeverOpen):
            hours.first_open(midnight + 14 * DAY)
    if not _reaches(oracle, midnight):
        return

    minutes_at_most = _countable(oracle, midnight)
    for instant in data.draw(st.lists(instants, min_size=8, max_size=8)):
        minutes = data.draw(st.integers(0, minutes_at_most))
        assert hours.is_open(instant) == oracle.is_open(instant)
        assert hours.first_open(instant) == oracle.first_open(instant)
        assert hours.add_open(instant, minutes) == oracle.add_open(instant, minutes)
        assert hours.subtract_open(instant, minutes) == oracle.subtract_open(instant, minutes)
        assert hours.end_of_day(instant) == oracle.end_of_day(instant)
        assert hours.next_opening(instant) == oracle.next_opening(instant)
        days_on = data.draw(st.integers(-2, 2))
        assert hours.add_working_days(instant, days_on) == oracle.add_working_days(instant, days_on)


def _countable(oracle: MinuteOracle, midnight: datetime) -> int:
    """So many open minutes lie on either side of the days that are asked about."""
    first, last = oracle.index(midnight - 2 * DAY), oracle.index(midnight + 2 * DAY)
    return min(sum(oracle.open[:first]), sum(oracle.open[last:]), 3_000)


def _reaches(oracle: MinuteOracle, midnight: datetime) -> bool:
    """Whether enough is open on both sides of the days that are asked about."""
    dates = sorted(oracle.closings)
    before = [day for day in dates if day < midnight.date() - 3 * DAY]
    after = [day for day in dates if day > midnight.date() + 3 * DAY]
    return len(before) >= 2 and len(after) >= 2


@pytest.mark.parametrize(("country", "region"), COUNTRIES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(weekly=weeks, special=special_days, data=st.data())
def test_public_holidays_are_closed_unless_the_day_has_hours_of_its_own(
    country: str,
    region: str | None,
    weekly: tuple[tuple[Interval, ...], ...],
    special: dict[int, tuple[Interval, ...]],
    data: st.DataObject,
) -> None:
    zone = ZoneInfo("Europe/Paris")
    listed = holidays.country_holidays(country, subdiv=region, years=(2025, 2026, 2027))
    around = data.draw(st.sampled_from(sorted(day for day in listed if day.year == 2026)))
    unlike: dict[date, tuple[Interval, ...]] = dict.fromkeys(listed, ())
    unlike |= {around + n * DAY: hours for n, hours in special.items()}
    hours = OpenHours(
        "test",
        zone,
        weekly,
        PublicHolidays(country=country, region=region),
        tuple(SpecialDay(on=around + n * DAY, hours=open_) for n, open_ in special.items()),
    )
    midnight = datetime.combine(around, time(), UTC)
    oracle = MinuteOracle(weekly, zone, around - 12 * DAY, around + 12 * DAY, unlike)
    if not _reaches(oracle, midnight):
        return
    for minute in data.draw(st.lists(st.integers(-36 * 60, 36 * 60), min_size=8, max_size=8)):
        instant = midnight + minute * MINUTE
        minutes = data.draw(st.integers(0, _countable(oracle, midnight)))
        assert hours.is_open(instant) == oracle.is_open(instant)
        assert hours.first_open(instant) == oracle.first_open(instant)
        assert hours.next_opening(instant) == oracle.next_opening(instant)
        assert hours.add_open(instant, minutes) == oracle.add_open(instant, minutes)
        assert hours.end_of_day(instant) == oracle.end_of_day(instant)


def test_an_appointment_is_found_again_by_counting_there_and_back() -> None:
    hours = OpenHours(
        "test", ZoneInfo("Europe/Paris"), ((Interval(opens=time(9), closes=time(18)),),) * 7
    )
    start = datetime(2026, 10, 23, 9, 30, tzinfo=UTC)

    for minutes in range(1, 3_000, 7):
        assert hours.subtract_open(hours.add_open(start, minutes), minutes) == start
    assert hours.add_open(start, 540) - start == timedelta(days=1)
