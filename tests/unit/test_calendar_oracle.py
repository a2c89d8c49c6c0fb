"""Open hours against an oracle that asks every minute, over both changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contract.directory import Interval
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


@pytest.mark.parametrize(("zone_name", "change"), CHANGES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(weekly=weeks, data=st.data())
def test_every_answer_is_the_one_of_asking_minute_by_minute(
    zone_name: str, change: date, weekly: tuple[tuple[Interval, ...], ...], data: st.DataObject
) -> None:
    zone = ZoneInfo(zone_name)
    hours = OpenHours("test", zone, weekly)
    midnight = datetime.combine(change, time(), UTC)
    instants = st.integers(-36 * 60, 36 * 60).map(lambda n: midnight + n * MINUTE)
    if not any(weekly):
        with pytest.raises(NeverOpen):
            hours.first_open(midnight)
        return
    oracle = MinuteOracle(weekly, zone, change - 12 * DAY, change + 12 * DAY)

    # So much is open in the days before and after, even with one short interval a week.
    minutes_at_most = sum(oracle.open) // 8
    for instant in data.draw(st.lists(instants, min_size=8, max_size=8)):
        minutes = data.draw(st.integers(0, minutes_at_most))
        assert hours.is_open(instant) == oracle.is_open(instant)
        assert hours.first_open(instant) == oracle.first_open(instant)
        assert hours.add_open(instant, minutes) == oracle.add_open(instant, minutes)
        assert hours.subtract_open(instant, minutes) == oracle.subtract_open(instant, minutes)
        assert hours.end_of_day(instant) == oracle.end_of_day(instant)


def test_an_appointment_is_found_again_by_counting_there_and_back() -> None:
    hours = OpenHours(
        "test", ZoneInfo("Europe/Paris"), ((Interval(opens=time(9), closes=time(18)),),) * 7
    )
    start = datetime(2026, 10, 23, 9, 30, tzinfo=UTC)

    for minutes in range(1, 3_000, 7):
        assert hours.subtract_open(hours.add_open(start, minutes), minutes) == start
    assert hours.add_open(start, 540) - start == timedelta(days=1)
