"""Open hours: what a site's calendar means, over both changes of the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from shared.contract.directory import Calendar, Interval
from shared.domain.calendar import NeverOpen, OpenHours
from shared.domain.duration import Duration, parse
from shared.domain.local_time import instant_of, moved

PARIS = ZoneInfo("Europe/Paris")
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")


def interval(text: str) -> Interval:
    opens, closes = text.split("-")
    return Interval(opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))


def hours(**days: str) -> OpenHours:
    weekly = {day: tuple(map(interval, intervals.split())) for day, intervals in days.items()}
    return OpenHours.of(Calendar.model_validate({"id": "test", "weekly": weekly}), PARIS)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


OFFICE = hours(**dict.fromkeys(WORKDAYS, "09:00-18:00"))
# 004-43: two intervals a day, Friday ends at 17:00.
PAGES_JAUNES = hours(
    **{**dict.fromkeys(WORKDAYS, "08:30-12:30 13:30-18:00"), "fri": "08:30-12:30 13:30-17:00"}
)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        ("2026-03-02T10:00", 30, "2026-03-02T10:30"),
        ("2026-03-02T17:50", 30, "2026-03-03T09:20"),
        ("2026-03-02T17:30", 30, "2026-03-02T18:00"),
        ("2026-03-02T20:00", 30, "2026-03-03T09:30"),
        ("2026-03-06T17:00", 120, "2026-03-09T10:00"),
        ("2026-03-07T11:00", 0, "2026-03-09T09:00"),
        ("2026-03-02T10:00", 0, "2026-03-02T10:00"),
        ("2026-03-02T10:00", 48 * 60, "2026-03-09T13:00"),
    ],
)
def test_open_hours_stop_when_the_site_closes_and_go_on_when_it_opens(
    start: str, minutes: int, due: str
) -> None:
    assert OFFICE.add_open(local(start), minutes) == local(due)


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-03-05T12:00", "2026-03-05T14:00"),
        ("2026-03-05T13:00", "2026-03-05T14:30"),
        ("2026-03-06T16:30", "2026-03-09T09:00"),
    ],
)
def test_004_43_the_lunch_break_and_the_short_friday_are_not_counted(start: str, due: str) -> None:
    assert PAGES_JAUNES.add_open(local(start), 60) == local(due)


def test_a_working_day_later_keeps_the_local_time_over_weekend_and_clock_change() -> None:
    friday_before_the_change = local("2026-03-27T15:10")

    assert OFFICE.add_working_days(friday_before_the_change, 1) == local("2026-03-30T15:10")
    assert OFFICE.add_working_days(local("2026-03-28T15:10"), 2) == local("2026-03-31T15:10")
    assert OFFICE.add_working_days(local("2026-03-30T15:10"), -1) == friday_before_the_change
    assert OFFICE.add_working_days(friday_before_the_change, 0) == friday_before_the_change


@pytest.mark.parametrize(
    ("now", "end"),
    [
        ("2026-03-02T10:00", "2026-03-02T18:00"),
        ("2026-03-02T18:00", "2026-03-03T18:00"),
        ("2026-03-06T18:30", "2026-03-09T18:00"),
        ("2026-03-07T10:00", "2026-03-09T18:00"),
    ],
)
def test_the_end_of_day_is_the_last_closing_strictly_after_now(now: str, end: str) -> None:
    assert OFFICE.end_of_day(local(now)) == local(end)


def test_a_bar_open_over_midnight_ends_its_day_when_it_closes() -> None:
    bar = hours(fri="20:00-02:00", sat="20:00-02:00")

    assert bar.is_open(local("2026-03-07T01:59"))
    assert not bar.is_open(local("2026-03-07T02:00"))
    assert bar.end_of_day(local("2026-03-07T01:00")) == local("2026-03-07T02:00")
    assert bar.end_of_day(local("2026-03-07T02:00")) == local("2026-03-08T02:00")
    assert not bar.is_open_day(date(2026, 3, 8))
    assert bar.add_open(local("2026-03-07T01:30"), 60) == local("2026-03-07T20:30")


def test_the_next_opening_is_the_next_time_the_doors_open_even_while_they_are_open() -> None:
    assert OFFICE.next_opening(local("2026-03-02T09:00")) == local("2026-03-02T09:00")
    assert OFFICE.next_opening(local("2026-03-02T10:00")) == local("2026-03-03T09:00")
    assert OFFICE.next_opening(local("2026-03-06T18:00")) == local("2026-03-09T09:00")
    assert PAGES_JAUNES.next_opening(local("2026-03-05T10:00")) == local("2026-03-05T13:30")
    assert OFFICE.first_open(local("2026-03-02T10:00")) == local("2026-03-02T10:00")


def test_a_night_shift_counts_the_hours_that_really_pass_at_both_clock_changes() -> None:
    night = hours(sat="22:00-06:00", mon="09:00-10:00")

    spring = night.add_open(local("2026-03-28T22:00"), 7 * 60)
    autumn = night.add_open(local("2026-10-24T22:00"), 9 * 60)

    assert spring == local("2026-03-29T06:00")
    assert autumn == local("2026-10-25T06:00")
    assert night.add_open(local("2026-03-28T22:00"), 7 * 60 + 1) == local("2026-03-30T09:01")


def test_a_shop_that_opens_in_the_skipped_hour_opens_when_the_clock_jumps() -> None:
    early = hours(sun="02:30-06:00")

    assert early.next_opening(local("2026-03-29T00:00")) == local("2026-03-29T03:00")
    assert instant_of(date(2026, 3, 29), time(2, 30), PARIS) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_a_shop_that_closes_in_the_doubled_hour_closes_at_its_first_pass() -> None:
    late = hours(sun="01:00-02:30")

    assert late.last_closing(date(2026, 10, 25)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert not late.is_open(datetime(2026, 10, 25, 1, 15, tzinfo=UTC))


def test_intervals_that_overlap_are_counted_once() -> None:
    double = hours(mon="09:00-12:00 11:00-13:00 10:00-11:30", tue="22:00-10:00", wed="08:00-11:00")

    assert double.add_open(local("2026-03-02T09:00"), 240) == local("2026-03-02T13:00")
    assert double.add_open(local("2026-03-04T09:30"), 60) == local("2026-03-04T10:30")
    assert double.next_opening(local("2026-03-02T09:30")) == local("2026-03-03T22:00")


def test_a_site_open_round_the_clock_counts_every_minute() -> None:
    always = hours(**dict.fromkeys((*WORKDAYS, "sat", "sun"), "00:00-00:00"))

    assert always.add_open(local("2026-03-28T12:00"), 48 * 60) == local("2026-03-30T13:00")
    assert always.end_of_day(local("2026-03-02T12:00")) == local("2026-03-03T00:00")


def test_a_site_that_never_opens_is_named_instead_of_counted_for_ever() -> None:
    shut = hours()
    now = local("2026-03-02T10:00")

    asks: list[Callable[[], object]] = [
        lambda: shut.add_open(now, 1),
        lambda: shut.subtract_open(now, 1),
        lambda: shut.next_opening(now),
        lambda: shut.first_open(now),
        lambda: shut.end_of_day(now),
        lambda: shut.add_working_days(now, 1),
        lambda: shut.open_date(now.date()),
    ]
    for ask in asks:
        with pytest.raises(NeverOpen, match="calendar 'test' has no open day"):
            ask()
    assert not shut.is_open(now)


def test_the_open_dates_between_two_days_include_both() -> None:
    between = OFFICE.open_dates_between(date(2026, 3, 6), date(2026, 3, 10))

    assert between == (date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 10))
    assert OFFICE.open_dates_between(date(2026, 3, 10), date(2026, 3, 6)) == ()


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("24h", "2026-03-29T11:00"),
        ("1d", "2026-03-29T10:00"),
        ("1w", "2026-04-04T10:00"),
        ("1mo", "2026-04-28T10:00"),
        ("11mo", "2027-02-28T10:00"),
    ],
)
def test_hours_pass_exactly_while_days_and_months_keep_the_time_of_day(text: str, due: str) -> None:
    assert moved(local("2026-03-28T10:00"), parse(text), PARIS) == local(due)


def test_a_month_after_the_thirty_first_is_the_last_of_a_shorter_month() -> None:
    assert moved(local("2026-01-31T10:00"), Duration(1, "mo"), PARIS) == local("2026-02-28T10:00")
    assert moved(local("2026-03-31T10:00"), Duration(4, "mo"), PARIS, -1) == local(
        "2025-11-30T10:00"
    )


@pytest.mark.parametrize("text", ["", "1", "h", "1.5h", "-1d", "1 d", "1y", "99999mo", "٣d", "1D"])
def test_a_duration_that_is_none_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"write 30m, 2h, 1d, 1w or 3mo|longer than ten years"):
        parse(text)


def test_forty_eight_open_hours_are_counted_in_fifty_microseconds() -> None:
    start = local("2026-03-02T10:00")
    fastest = min(_seconds_for_200(start) for _ in range(20)) / 200

    assert fastest < 50e-6


def _seconds_for_200(start: datetime) -> float:
    begin = perf_counter()
    for _ in range(200):
        PAGES_JAUNES.add_open(start, 48 * 60)
    return perf_counter() - begin
