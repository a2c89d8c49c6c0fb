"""Public holidays and special days, against lists written by hand."""

from __future__ import annotations

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from shared.contract.directory import Calendar, Interval, PublicHolidays, SpecialDay, Weekday
from shared.domain.calendar import OpenHours
from shared.domain.public_holidays import holiday, problem

FRANCE = PublicHolidays(country="FR")
ALSACE = PublicHolidays(country="FR", region="Alsace")
REUNION = PublicHolidays(country="FR", region="La Réunion")
QUEBEC = PublicHolidays(country="CA", region="QC")
OF_FRANCE_2026 = [
    date(2026, 1, 1),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 5, 8),
    date(2026, 5, 14),
    date(2026, 5, 25),
    date(2026, 7, 14),
    date(2026, 8, 15),
    date(2026, 11, 1),
    date(2026, 11, 11),
    date(2026, 12, 25),
]
EVERY_DAY = [date.fromordinal(n) for n in range(date(2026, 1, 1).toordinal(), 739_982)]
DAY = (Interval(opens=time(9), closes=time(18)),)
WEEK: dict[Weekday, tuple[Interval, ...]] = {
    "mon": DAY, "tue": DAY, "wed": DAY, "thu": DAY, "fri": DAY
}  # fmt: skip


def test_france_has_eleven_public_holidays_in_2026_and_no_others() -> None:
    assert EVERY_DAY[-1] == date(2026, 12, 31)
    assert [day for day in EVERY_DAY if holiday(FRANCE, day)] == OF_FRANCE_2026


def test_alsace_has_good_friday_and_saint_stephen_too_and_la_reunion_its_own() -> None:
    assert holiday(ALSACE, date(2026, 4, 3))
    assert holiday(ALSACE, date(2026, 12, 26))
    assert not holiday(FRANCE, date(2026, 4, 3))
    assert holiday(REUNION, date(2026, 12, 20))
    assert not holiday(ALSACE, date(2026, 12, 20))


def test_quebec_keeps_its_national_day() -> None:
    assert holiday(QUEBEC, date(2026, 6, 24))


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        (PublicHolidays(country="ZZ"), "'ZZ' is no country whose public holidays are known"),
        (PublicHolidays(country="ZZ", region="A"), "'ZZ' is no country"),
        (PublicHolidays(country="FR", region="Bretagne"), "FR has no region 'Bretagne'; it has "),
    ],
)
def test_a_country_or_region_nobody_knows_is_named(of: PublicHolidays, sentence: str) -> None:
    assert sentence in (problem(of) or "")
    assert problem(ALSACE) is None


def test_a_holiday_is_closed_a_special_day_is_as_it_says_even_on_a_holiday() -> None:
    calendar = Calendar(
        id="strasbourg",
        weekly=WEEK,
        holidays=ALSACE,
        special=(
            SpecialDay(on=date(2026, 5, 8), hours=(Interval(opens=time(10), closes=time(12)),)),
            SpecialDay(on=date(2026, 5, 6), why="inventaire"),
            SpecialDay(on=date(2026, 5, 9), hours=DAY, why="portes ouvertes"),
        ),
    )
    hours = OpenHours.of(calendar, ZoneInfo("Europe/Paris"))

    week = hours.open_dates_between(date(2026, 4, 27), date(2026, 5, 10))

    assert [day.isoformat()[5:] for day in week] == [
        "04-27", "04-28", "04-29", "04-30", "05-04", "05-05", "05-07", "05-08", "05-09"
    ]  # fmt: skip
    assert hours.intervals(date(2026, 5, 8))[0].opens == time(10)
    assert not hours.is_open_day(date(2026, 4, 3))
