"""What goes now is found by key, however much waits and however little PostgreSQL knows of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from services.notifications import claims, store
from services.notifications.handlers import OnPipeline
from shared.contract.envelope import derived_id
from shared.runtime.postgres import Session
from tests.stack import Database, sessions_of
from tests.unit.message_house import BOOK, DIRECTORY, at, to_agent

NOW = at("2026-03-02T10:00")
WAITING = 3_000
BLOCKS_AT_MOST = 100
"""A tenth of what the waiting messages lie in."""


ONE = derived_id("one")
STATEMENTS = {
    "claim": (claims._CLAIM, "'{sms,email}', '{16,2}', '2026-03-02T10:00Z'"),
    "look": (claims._LOOK, "'{sms,email}', '2026-03-02T10:00Z'"),
    "record": (claims._IN_HAND, f"'{{{ONE}}}', '{{1}}'"),
    "take_down": (store._LOAD, f"'{{{ONE}}}', '{{a lead}}'"),
}
_FILL = """
insert into message (id, tenant, recipient, channel, template, occasion, subject, lead, status,
                     request, send_after)
select gen_random_uuid(), tenant, recipient, channel, template, n::text,
       gen_random_uuid()::text, gen_random_uuid()::text, status, request, send_after
from message, generate_series(1, $1) as n
"""


@pytest.fixture
async def busy(database: Database) -> AsyncIterator[Session]:
    """A session that has its plans since the table was empty, with messages that wait by now."""
    async with sessions_of(database, "notifications") as sessions:
        session = await sessions.session()
        await session.execute("set plan_cache_mode = force_generic_plan")
        for name, (statement, arguments) in STATEMENTS.items():
            await session.execute(f"prepare asked_{name} as {statement}")
            await session.execute(f"execute asked_{name}({arguments})")
        async with sessions.transaction() as tx:
            await OnPipeline(BOOK, DIRECTORY, b"key")(tx, [to_agent("mail-only", when=NOW)])
            await tx.execute(_FILL, WAITING)
        yield session
        await session.close()


@pytest.mark.parametrize("name", STATEMENTS)
async def test_what_waits_is_not_read_through(busy: Session, name: str) -> None:
    _, arguments = STATEMENTS[name]
    explain = "explain (analyze, buffers, format json)"
    told = await busy.fetchval(f"{explain} execute asked_{name}({arguments})")
    plan = json.loads(told)[0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < BLOCKS_AT_MOST
