"""One process of a ring: told a hop, it waits some minutes of its own, then tells the next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.contract.envelope import Envelope, caused
from shared.contract.pipeline import NoteAdded
from shared.contract.topics import decode
from shared.runtime import clock
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service, Subscription, run
from shared.runtime.settings import Settings
from tests.toy.service import MIGRATIONS, toy_topic, write_down


def create(settings: Settings) -> Service:
    """The member `TOY_NAME`, which listens to `TOY_READS`."""
    ring = Service(os.environ["TOY_NAME"], settings, migrations=MIGRATIONS)
    planned = asyncio.Event()

    async def told(tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        await write_down(tx, batch)
        await tx.executemany(
            "insert into planned (event, due_at) values ($1, $2)",
            [(envelope.to_bytes(), _due(envelope)) for envelope in batch],
        )
        return []

    async def alarm() -> None:
        while True:
            await clock.sleep_until(await ring.unit(_fire, patience_s=None), planned)

    async def _fire(tx: Transaction) -> tuple[datetime | None, Sequence[Envelope]]:
        rows = await tx.fetch(
            "delete from planned where due_at <= $1 returning event, due_at", clock.now()
        )
        fired = [_next(row["event"], row["due_at"], ring.source) for row in rows]
        fired.sort(key=lambda envelope: (envelope.time, envelope.subject))
        return await tx.fetchval("select min(due_at) from planned"), fired

    async def earliest() -> datetime | None:
        instant: datetime | None = await ring.postgres.pool.fetchval(
            "select min(due_at) from planned"
        )
        return instant

    ring.subscriptions.append(
        Subscription(toy_topic(os.environ["TOY_READS"]), told, after_commit=planned.set)
    )
    ring.loops.append(alarm)
    ring.next_instants.append(earliest)
    return ring


def _due(envelope: Envelope) -> datetime:
    """Some minutes later, other ones for each hop and subject."""
    return envelope.time + timedelta(minutes=3 + (_hop(envelope) * 7 + len(envelope.subject)) % 19)


def _hop(envelope: Envelope) -> int:
    assert isinstance(envelope.data, NoteAdded)
    return int(envelope.data.text)


def _next(raw: bytes, due_at: datetime, source: str) -> Envelope:
    told = decode(raw)
    data = NoteAdded(text=str(_hop(told) + 1))
    return caused(told, source=source, index=0, subject=told.subject, data=data, time=due_at)


if __name__ == "__main__":
    run(create, Settings)
