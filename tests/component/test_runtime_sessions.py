"""A session that sits in a transaction holds up nobody for long (`runtime.md` 4)."""

import asyncio

import pytest

from shared.runtime import postgres
from shared.runtime.postgres import Postgres, is_bad_luck
from tests.stack import Database


async def test_who_is_frozen_in_a_transaction_loses_it_and_the_next_one_has_the_row(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(postgres._SESSION, "idle_in_transaction_session_timeout", "300ms")
    sessions = Postgres(database.dsn(), "public")
    await sessions.open(10)
    await sessions.pool.execute("create table lead (id int primary key, said text)")
    await sessions.pool.execute("insert into lead values (1, 'new')")
    locked = asyncio.Event()
    told = asyncio.Event()

    async def frozen() -> None:
        async with sessions.transaction() as tx:
            await tx.execute("update lead set said = 'by the frozen one'")
            locked.set()
            await told.wait()  # as a member that is paused amid its work

    first = asyncio.create_task(frozen())
    await locked.wait()
    await sessions.pool.execute("update lead set said = said || ', then by the next'")
    told.set()
    with pytest.raises(Exception) as lost:  # noqa: PT011 - asyncpg says it in several ways
        await first

    assert is_bad_luck(lost.value)
    assert await sessions.pool.fetchval("select said from lead") == "new, then by the next"
    await sessions.close()


async def test_every_session_of_a_service_has_its_limits(database: Database) -> None:
    sessions = Postgres(database.dsn(), "public")
    await sessions.open(10)
    limits = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
    told = [await sessions.pool.fetchval(f"show {name}") for name in limits]
    await sessions.close()
    assert told == ["10s", "5s", "30s"]
