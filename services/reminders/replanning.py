"""Planning again, outside the batch: a site's hours have changed, and deadlines with them.

One small transaction after the other, soonest deadlines first (`runtime.md` 15). Whatever fires
meanwhile is planned again where it fires.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.reminders import store
from services.reminders.core import deadline
from services.reminders.core.deadline import Deadlines
from shared.contract.envelope import Envelope
from shared.domain.directory import Directory, Unknown
from shared.runtime import clock
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service

AT_ONCE = 1_000
_LAPS = 2
_SECOND_LAP_AFTER = timedelta(seconds=60)
"""By then every transaction that began under the old hours is over (30 s at most)."""
_POLL_S = 1.0
_STEPPING_POLL_S = 0.05

_NOTE = """
insert into replanning (tenant, site, version)
select $1, * from unnest($2::text[], $3::bigint[]) as n (site, version)
on conflict (tenant, site) do update
set version = excluded.version, reached = '-infinity', lap = 1, since = clock_timestamp()
where replanning.version < excluded.version
"""
_WORK = """
select tenant, site, version, reached from replanning
where lap <= $1 and (lap = 1 or since < clock_timestamp() - $2::interval)
order by since limit 1 for update skip locked
"""
_STALE = """
select due_at, asked, planned_by from deadline
where due_at >= $1 and site = $2 and planned_by < $3 and asked ->> 'tenant' = $4
order by due_at limit $5 for update skip locked
"""
_GO_ON = "update replanning set reached = $3 where tenant = $1 and site = $2"
_LAP_IS_OVER = """
update replanning set lap = lap + 1, reached = '-infinity' where tenant = $1 and site = $2
"""
_FIRST_LAP = "select exists (select from replanning where lap = 1)"


@dataclass(frozen=True, slots=True)
class Work:
    """A site whose deadlines are being planned again, and how far that is done."""

    tenant: str
    site: str
    version: int
    reached: datetime


class Replanning:
    """One of each replica; a site is worked on by whichever takes its row."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._noted = -1

    async def run(self) -> None:
        """For ever: note what has changed, plan again what it touches."""
        while True:
            has_more, self._noted = await self._service.unit(self._once, patience_s=None)
            if not has_more:
                await asyncio.sleep(_STEPPING_POLL_S if clock.is_stepping() else _POLL_S)

    async def busy(self) -> str | None:
        """A word while deadlines may still be planned by old hours."""
        async with self._service.postgres.transaction() as tx:
            is_noted = (await self._service.companies(tx)).version == self._noted
            at_work = await tx.fetchval(_FIRST_LAP)
        return "planning again" if at_work or not is_noted else None

    async def _once(self, tx: Transaction) -> tuple[tuple[bool, int], Sequence[Envelope]]:
        """One piece of work; whether there may be more, and what is noted so far."""
        companies = await self._service.companies(tx)
        if companies.version != self._noted:
            for company in companies:
                sites = [site.id for site in company.directory.sites]
                versions = [_version(company.directory, site) for site in sites]
                await tx.execute(_NOTE, company.tenant, sites, versions)
        row = await tx.fetchrow(_WORK, _LAPS, _SECOND_LAP_AFTER)
        if row is None:
            return (False, companies.version), ()
        work = Work(row["tenant"], row["site"], row["version"], row["reached"])
        theirs = companies.get(work.tenant)
        said = await self._plan(tx, work, theirs.directory if theirs else Directory())
        return (True, companies.version), said

    async def _plan(self, tx: Transaction, work: Work, directory: Directory) -> Sequence[Envelope]:
        rows = await tx.fetch(_STALE, work.reached, work.site, work.version, work.tenant, AT_ONCE)
        known = store.deadlines_of(rows)
        again, said = deadline.replan(known, clock.now(), directory)
        await store.save(tx, Deadlines(), again)
        if len(rows) == AT_ONCE:
            await tx.execute(_GO_ON, work.tenant, work.site, rows[-1]["due_at"])
        else:
            await tx.execute(_LAP_IS_OVER, work.tenant, work.site)
        return said


def _version(directory: Directory, site: str) -> int:
    """A site without a calendar yet has no hours to plan by."""
    try:
        return directory.hours_version(site)
    except Unknown:
        return 0
