"""`relance audit --since` on the whole system at work: no false alarm, and what is broken is named.

It shares a stack with nobody: it breaks promises.
"""

import asyncio
import uuid

import asyncpg
import httpx2
import pytest

from relance import audit_command
from relance.audit import Report
from relance.audit_since import instant
from relance.database import CannotDo
from relance.stack.stack import Stack
from shared.runtime import clock
from tests.stack import stack
from tests.toy.bench import until

__all__ = ["stack"]

CALLS = 30
LIMIT_S = 60.0


async def look(stack: Stack) -> Report:
    postgres = f"postgresql://127.0.0.1:{stack.postgres.port}/relance"
    return await audit_command.audited(stack.kafka.bootstrap, postgres, since="1h")


async def called(stack: Stack, number: int) -> None:
    intake = stack.services["intake"]
    call = {"call_id": uuid.uuid4().hex, "from": f"+3752977{number:05}", "status": "missed"}
    headers = {"Authorization": f"Bearer {intake.setting('RELANCE_SECRET_PHONE')}"}
    async with httpx2.AsyncClient(timeout=30) as http:
        answer = await http.post(f"{intake.url}/in/phone", json=call, headers=headers)
    assert answer.status_code == 202


async def sent(stack: Stack, many: int) -> None:
    session = await asyncpg.connect(stack.postgres.dsn("notifications"))

    async def all_sent() -> bool:
        count = "select count(*) from notifications.message where status = 'sent'"
        return bool(await session.fetchval(count) >= many)

    await until(all_sent, f"{many} messages to be sent", LIMIT_S)
    await session.close()


def test_while_calls_come_in_nothing_is_found_and_what_is_under_way_is_told(stack: Stack) -> None:
    async def at_work() -> list[Report]:
        looks = []
        for number in range(CALLS):
            await called(stack, number)
            if number % 10 == 5:
                looks.append(await look(stack))
        await sent(stack, CALLS)
        return [*looks, await look(stack)]

    looks = asyncio.run(at_work())

    assert [report.findings for report in looks] == [()] * len(looks)
    assert looks[-1].under_way["events younger than a minute"] >= CALLS
    text = audit_command.as_text(looks[-1])
    assert "under way, as it should be:" in text
    assert max(map(len, text.splitlines())) <= audit_command.WIDTH


def test_each_broken_promise_of_the_tables_is_named(stack: Stack) -> None:
    async def broken() -> Report:
        session = await asyncpg.connect(stack.postgres.dsn())
        lead = await session.fetchval("select id::text from pipeline.lead limit 1")
        await session.execute(
            "update pipeline.lead set state = jsonb_set(state::jsonb, '{owner}', '\"zoe\"')::json "
            "where id::text = $1",
            lead,
        )
        await session.execute(
            "insert into reminders.parked (subscription, topic, partition, record, value, headers,"
            " source, subject, why, waits_for, parked_at) values ('x', 'x', 0, 0, '', '[]', '', "
            "'lead-x', 'no such site', 'fact', now() - interval '1 hour')"
        )
        await session.execute(
            "insert into pipeline.quarantine (subscription, topic, partition, record, headers, why)"
            " values ('x', 'x', 0, 0, '[]', 'not JSON')"
        )
        try:
            return await look(stack)
        finally:
            await session.close()

    report = asyncio.run(broken())

    said = "\n".join(finding.sentence for finding in report.findings)
    assert "is not what its history says: owner" in said
    assert "reminders: 1 event waits for over 15 min" in said
    assert "set aside (not JSON)" in said
    assert not report.ok


def test_an_instant_that_is_none_is_told_in_a_sentence() -> None:
    with pytest.raises(CannotDo, match=r"'yesterday' is no instant: write 30m, 2h, 1d"):
        instant("yesterday", clock.now())
