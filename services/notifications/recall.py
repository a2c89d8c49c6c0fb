"""What is held is judged again when the directory changes: somebody is back, a site is open.

Outside the batch, some at a time (`runtime.md` 15): the version by which a message was judged says
which are left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from services.notifications import store
from shared.contract.envelope import Envelope
from shared.runtime import clock
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service

AT_ONCE = 1_000
_POLL_S = 1.0
_STEPPING_POLL_S = 0.05


class Recall:
    """One of each replica."""

    def __init__(self, service: Service, wake: Callable[[], None]) -> None:
        """`wake` is called when messages are to be judged again."""
        self._service, self._wake = service, wake

    async def run(self) -> None:
        """For ever."""
        while True:
            recalled = await self._service.unit(self._once, patience_s=None)
            if recalled:
                self._wake()
            if recalled < AT_ONCE:
                await asyncio.sleep(_STEPPING_POLL_S if clock.is_stepping() else _POLL_S)

    async def busy(self) -> str | None:
        """A word while held messages wait by an older directory."""
        async with self._service.postgres.transaction() as tx:
            for company in await self._service.companies(tx):
                if await store.any_to_recall(tx, company.tenant, company.directory.version):
                    return "recalling"
        return None

    async def _once(self, tx: Transaction) -> tuple[int, Sequence[Envelope]]:
        recalled = 0
        for company in await self._service.companies(tx):
            version = company.directory.version
            recalled += await store.recall(tx, company.tenant, version, clock.now(), AT_ONCE)
        return recalled, ()
