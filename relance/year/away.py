"""When agents are away in a year: the same for every life of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from shared.contract.directory import Absence, Agent
from shared.domain.directory import Directory

HOLIDAY_WEEKS = (2, 2, 1)
SICK_DAYS = 5
"""Of each agent, in every 365 days."""


def absences(directory: Directory, first: datetime, days: int, seed: int) -> Iterator[Absence]:
    """Whole weeks from the weekday of `first` on, and single days; local to the agent's site."""
    for agent in directory.agents:
        rng = Random(f"{seed}/{agent.id}")  # noqa: S311  plausible, not secret
        zone = ZoneInfo(directory.site(agent.site).zone)
        for year in range(0, days, 365):
            for weeks in HOLIDAY_WEEKS:
                begins = first + timedelta(days=year + 7 * rng.randrange(52))
                yield _absence(agent, begins, timedelta(weeks=weeks), zone)
            for _ in range(SICK_DAYS):
                begins = first + timedelta(days=year + rng.randrange(365))
                yield _absence(agent, begins, timedelta(days=1), zone)


def _absence(agent: Agent, begins: datetime, length: timedelta, zone: ZoneInfo) -> Absence:
    return Absence(
        id=f"{agent.id}-{begins:%Y%m%d}-{length.days}",
        agent=agent.id,
        begins=begins.replace(tzinfo=zone).astimezone(UTC),
        ends=(begins + length).replace(tzinfo=zone).astimezone(UTC),
    )
