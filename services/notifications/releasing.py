"""Held messages are judged again when the directory changes: somebody is back, a site opens.

Outside the batch, and only when a document changed that a message can be held for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shared.contract.envelope import Envelope
from shared.domain.directory import Directory
from shared.runtime import clock
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service

_POLL_S = 1.0
_STEPPING_POLL_S = 0.05

_NOTE = """
insert into released (tenant, record)
select $1, coalesce(max(record), -1) from directory
where tenant = $1 and kind in ('site', 'calendar', 'agent', 'absence')
on conflict (tenant) do update
set record = excluded.record, lap = 1, since = clock_timestamp()
where released.record < excluded.record
"""
# The second lap is due once every transaction that began under the old documents is over.
_LAP = """
update released set lap = lap + 1
where tenant = $1 and (lap = 1 or (lap = 2 and since < clock_timestamp() - interval '60 seconds'))
returning lap
"""
_RELEASE = """
update message set send_after = $2
where tenant = $1 and status = 'held' and send_after > $2
"""
_FIRST_LAP = "select exists (select from released where tenant = $1 and lap = 1)"


class Releasing:
    """One of each replica; a lap is done by whichever is first."""

    def __init__(self, service: Service, tenant: str) -> None:
        self._service, self._tenant = service, tenant
        self._noted: Directory | None = None

    async def run(self) -> None:
        """For ever: note what has changed, and have what is held for it judged again."""
        while True:
            await self._service.unit(self._once, patience_s=None)
            await asyncio.sleep(_STEPPING_POLL_S if clock.is_stepping() else _POLL_S)

    async def busy(self) -> str | None:
        """A word while messages may still be held for what is over."""
        async with self._service.postgres.transaction() as tx:
            is_noted = await self._service.directory(tx) is self._noted
            at_work = await tx.fetchval(_FIRST_LAP, self._tenant)
        return "releasing" if at_work or not is_noted else None

    async def _once(self, tx: Transaction) -> tuple[None, Sequence[Envelope]]:
        directory = await self._service.directory(tx)
        if directory is not self._noted:
            await tx.execute(_NOTE, self._tenant)
        if await tx.fetchval(_LAP, self._tenant) is not None:
            await tx.execute(_RELEASE, self._tenant, clock.now())
        self._noted = directory
        return None, ()
