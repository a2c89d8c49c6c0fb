"""A batch reads what it names, by key, however little PostgreSQL knows of its tables yet."""

from collections.abc import AsyncIterator

import pytest

from services.pipeline import leads, queues, store, world_lock
from shared.runtime import relay
from shared.runtime.postgres import Postgres, Session
from tests.stack import Database, sessions_of


@pytest.fixture
async def fresh(database: Database) -> AsyncIterator[Postgres]:
    """Tables that nothing was ever in: PostgreSQL has no idea of them."""
    async with sessions_of(database, "pipeline") as sessions:
        yield sessions


async def test_the_points_of_a_batch_are_looked_up_one_by_one_among_all_of_a_company(
    fresh: Postgres,
) -> None:
    for statement, arguments in (
        (world_lock._LOCK_POINTS, "null, null, null, null"),
        (store._LOCK_MOVED, "null, null, null"),
    ):
        plan = await _plan(await fresh.session(), statement, arguments)
        assert "tenant = $1) AND (kind = n.kind) AND (value = n.value" in plan


async def test_the_leads_of_a_batch_are_looked_up_by_their_ids_alone(fresh: Postgres) -> None:
    plan = await _plan(await fresh.session(), world_lock._CONTACTS_OF_LEADS, "null, null")
    assert "Index Scan using lead_pkey" in plan


async def test_a_page_of_leads_is_read_in_the_order_of_an_index(fresh: Postgres) -> None:
    none = ", ".join(["null"] * 10)
    plan = await _plan(await fresh.session(), leads._NEWEST, none)
    assert "Index Scan using lead_newest" in plan
    assert "Sort" not in plan
    plan = await _plan(await fresh.session(), queues._BY_STATUS["lost"], "null" + ", null" * 6)
    assert "Index Scan using lead_lost" in plan
    assert "Sort" not in plan


async def test_the_relay_reads_its_next_rows_and_no_others(fresh: Postgres) -> None:
    session = await fresh.session(**relay.READ_IN_ORDER)
    plan = await _plan(session, relay._SELECT, "null")
    assert "Index Scan using outbox_pkey" in plan
    assert "Sort" not in plan


async def _plan(session: Session, statement: str, arguments: str) -> str:
    """How a session runs it once it has prepared it."""
    try:
        await session.execute("set plan_cache_mode = force_generic_plan")
        await session.execute(f"prepare asked as {statement}")
        rows = await session.fetch(f"explain execute asked({arguments})")
        return "\n".join(row[0] for row in rows)
    finally:
        await session.close()
