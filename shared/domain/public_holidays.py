"""Public holidays by country and region. The library is large: it is imported on the first ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from shared.contract.directory import PublicHolidays


def holiday(of: PublicHolidays, day: date) -> str | None:
    """What that day is called where it is a public holiday; None on any other day.

    Raises `LookupError` for a country or region that nobody knows.
    """
    return _year(of.country, of.region, day.year).get(day)


def problem(of: PublicHolidays) -> str | None:
    """Why these holidays cannot be told, in a sentence; None when they can."""
    try:
        _year(of.country, of.region, 2026)
    except LookupError as error:
        return str(error)
    return None


@lru_cache(maxsize=200)
def _year(country: str, region: str | None, year: int) -> Mapping[date, str]:
    import holidays  # noqa: PLC0415  # 0.2 s and 20 MB that only calendars with holidays need

    try:
        days = holidays.country_holidays(country, subdiv=region, years=year)
    except NotImplementedError:
        pass  # told below: is it the country or the region that is not known
    else:
        return {day: name for day, name in days.items() if day.year == year}
    if region is None or country not in holidays.list_supported_countries():
        raise LookupError(f"{country!r} is no country whose public holidays are known, such as FR")
    entity = holidays.country_holidays(country)
    known = sorted({*entity.subdivisions_aliases, *entity.subdivisions})
    raise LookupError(f"{country} has no region {region!r}; it has {', '.join(known) or 'none'}")
