"""`relance simulate --days N`: the lives of all who get in touch, on all processors.

Each contact's life depends on the seed and on nothing else, so the same seed makes the same report
however many processes share the work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from relance.people.stand import House
from relance.simulation.company import Company, read_company
from relance.year.away import absences
from relance.year.life import Life
from relance.year.tally import Tally

FIRST_DAY = datetime(2026, 1, 5)  # noqa: DTZ001  local to the first site
"""A Monday, so that the same days are working days in every run."""

BUSY_FROM_HOUR, BUSY_HOURS = 7, 14
"""Local hours in which people get in touch; some come by night too."""


@dataclass(frozen=True)
class Plan:
    """What is played: which rulebook, so many days, so many leads a weekday, from which seed."""

    rulebook: Path
    days: int
    leads_per_day: int
    seed: int


@dataclass
class Played:
    """A part of the year, or all of it."""

    tally: Tally = field(default_factory=Tally)
    digests: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, other: Played) -> None:
        """The other part comes on top."""
        self.tally.add(other.tally)
        self.digests |= other.digests


def play(plan: Plan, progress: Callable[[int], None], processes: int | None = None) -> Tally:
    """The whole year; `progress` is told after each day that is done."""
    whole = Played()
    workers = processes or os.cpu_count() or 1
    days = range(plan.days)
    if workers == 1:
        for day in days:
            whole.add(_day(plan, day))
            progress(1)
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for part in pool.map(_day, [plan] * plan.days, days):
                whole.add(part)
                progress(1)
    for _, _, template in whole.digests:
        whole.tally.messages[template, "email", "agent"] += 1
    return whole.tally


def _day(plan: Plan, day: int) -> Played:
    """The lives of those who first get in touch on this day, until the end of the year."""
    house = _house(plan)
    zone = ZoneInfo(house.company.directory.sites[0].zone)
    rng = Random(f"{plan.seed}/{day}")  # noqa: S311  plausible, not secret
    end = _instant(FIRST_DAY + timedelta(days=plan.days), zone)
    part = Played()
    midnight = FIRST_DAY + timedelta(days=day)
    quiet = 0.7 if midnight.weekday() >= 5 else 0.0  # fewer get in touch at the weekend
    for number in range(plan.leads_per_day):
        if rng.random() < quiet:
            continue
        hour = BUSY_FROM_HOUR + rng.betavariate(2, 2) * BUSY_HOURS
        at = midnight + timedelta(hours=rng.uniform(0, 24) if rng.random() < 0.1 else hour)
        life = Life(house, f"{plan.seed}/{day}/{number}", _instant(at, zone), end)
        life.live()
        part.add(Played(life.tally, life.digested))
    return part


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(microsecond=0, tzinfo=zone).astimezone(UTC)


@cache
def _house(plan: Plan) -> House:
    company = read_company(plan.rulebook)
    away = absences(company.directory, FIRST_DAY, plan.days, plan.seed)
    return House.of(Company(company.book, company.directory.with_(*away)), sms=True)
