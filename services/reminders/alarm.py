"""The alarm: sleeps until the earliest planned instant and says what is due."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from services.reminders import metrics, store
from services.reminders.core import absence, deadline, digest
from services.reminders.core.deadline import Deadlines
from services.reminders.core.digest import DigestTime
from services.reminders.settings import RemindersSettings
from shared.contract.envelope import Envelope
from shared.domain.directory import Directory
from shared.runtime import clock
from shared.runtime.companies import Companies, Company
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service
from shared.runtime.trailing import Trailing

_PAUSE = timedelta(milliseconds=50)
"""So long it leaves alone what is due and locked: another replica is saying it."""
_LATE_COMER = timedelta(minutes=10)
"""A deadline that lies further back when it is set waits for the next full sweep, a minute."""
_SAID_DIGESTS_KEPT = timedelta(days=10)


class Alarm:
    """One of each replica; what is due is said by whichever takes the row first."""

    def __init__(self, service: Service, settings: RemindersSettings) -> None:
        """Nothing rings before `run`."""
        self.wake = asyncio.Event()
        """Set after a commit: something may be due sooner."""
        self._service = service
        self._settings = settings
        self._planned_for: dict[str, Company] = {}
        self._sleeps_until: datetime | None = None
        self._scans: Trailing[datetime] = Trailing()

    async def run(self) -> None:
        """Say what is due, sleep until the next instant, for ever. Bad luck waits."""
        while True:
            next_due, companies = await self._service.unit(self._say_due, patience_s=None)
            self._planned_for = {company.tenant: company for company in companies}
            self._sleeps_until = next_due
            await clock.sleep_until(next_due, wake=self.wake)

    async def poll(self) -> None:
        """Wake up for what another replica has armed or learnt: each second, on real time."""
        while True:
            await asyncio.sleep(self._settings.alarm_poll_s)
            if await self.planning() or self._is_sooner(await self.next_instant()):
                self.wake.set()

    async def next_instant(self) -> datetime | None:
        """The earliest planned instant, for the stepping clock."""
        async with self._service.postgres.transaction() as tx:
            return await store.next_instant(tx)

    async def planning(self) -> str | None:
        """A word while digests are not planned yet by the directory as it is."""
        async with self._service.postgres.transaction() as tx:
            companies = await self._service.companies(tx)
        return None if all(map(self._is_planned, companies)) else "planning digests and absences"

    def _is_sooner(self, instant: datetime | None) -> bool:
        return instant is not None and (self._sleeps_until is None or instant < self._sleeps_until)

    def _is_planned(self, company: Company) -> bool:
        """Whether digests and absences are planned by this rulebook and this directory."""
        known = self._planned_for.get(company.tenant)
        return known is not None and (
            known.book is company.book and known.directory is company.directory
        )

    async def _say_due(
        self, tx: Transaction
    ) -> tuple[tuple[datetime | None, Companies], list[Envelope]]:
        """One transaction: what is due goes from the tables to the outbox."""
        now = clock.now()
        companies = await self._service.companies(tx)
        # On a stepping clock a minute of real time says nothing: every scan is a full one.
        bound = None if clock.is_stepping() else self._scans.bound()
        since = bound or store.EVER
        said = await self._say_deadlines(tx, companies, now, since)
        for company in companies:
            said += await self._say_absences(tx, company, now)
            said += await self._say_digests(tx, company, now)
        next_due = await store.next_instant(tx, since)
        if bound is None:
            self._scans.swept(min(next_due or now, now - _LATE_COMER))
        if next_due is not None and next_due <= now and not said:
            next_due = now + _PAUSE
        return (next_due, companies), said

    async def _say_deadlines(
        self, tx: Transaction, companies: Companies, now: datetime, since: datetime
    ) -> list[Envelope]:
        due = await store.take_due(tx, now, self._settings.alarm_batch, since)
        for each in due:
            metrics.ALARM_LATE_SECONDS.observe(max(0.0, (now - each.due_at).total_seconds()))
        said: list[Envelope] = []
        for tenant, theirs in deadline.by_tenant(due).items():
            company = companies.get(tenant)
            directory = company.directory if company else Directory()
            later, more = deadline.fire(theirs, now, directory)
            await store.save(tx, Deadlines(), later)
            said += more
        return said

    async def _say_absences(
        self, tx: Transaction, company: Company, now: datetime
    ) -> list[Envelope]:
        tenant = company.tenant
        if not self._is_planned(company):
            known = await store.absences(tx, tenant)
            anew = absence.replan(known, company.directory, now)
            await store.plan_absences(tx, tenant, known, anew)
        due = await store.take_due_absences(tx, tenant, now)
        return [each.tell(tenant, now) for each in due]

    async def _say_digests(
        self, tx: Transaction, company: Company, now: datetime
    ) -> list[Envelope]:
        tenant, directory = company.tenant, company.directory
        digest_time = DigestTime.of(company.book)
        if digest_time is None:
            return []
        if not self._is_planned(company):
            planned = await store.next_digests(tx, tenant)
            anew = digest.replan(planned, directory, digest_time, now)
            await store.plan_digests(tx, tenant, planned, anew)
        due = await store.take_due_digests(tx, tenant, now, self._settings.alarm_batch)
        if not due.by_agent:
            return []
        following, to_say = digest.fire(due, directory, digest_time, now)
        said = await store.say(tx, tenant, to_say)
        await store.plan_digests(tx, tenant, digest.Digests(), following)
        await store.forget_digests(tx, (now - _SAID_DIGESTS_KEPT).date())
        return [each.said(digest_time, now) for each in said]
