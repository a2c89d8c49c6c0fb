"""What SQL selects as due is what the pure core fires: the same cases through both."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta

import asyncpg
import pytest

from services.reminders import store
from services.reminders.core import deadline, digest
from services.reminders.core.deadline import Deadline, Deadlines
from services.reminders.core.digest import Digests, DigestTime
from shared.contract.due import Due
from shared.contract.envelope import derived_id
from shared.runtime.postgres import Postgres, Transaction
from tests.stack import Database, sessions_of
from tests.unit.office import DIRECTORY, at, deadline_set

TENANT = "axelerator"
NOW = at("2026-03-02T10:00")
NINE = DigestTime("axelerator", time(9))
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Postgres]:
    async with sessions_of(database, "reminders") as sessions:
        yield sessions


def some_deadlines(seed: int, many: int) -> Deadlines:
    """On few leads, with few names and few instants: many replace each other or are due at once."""
    chance = random.Random(seed)
    deadlines = Deadlines()
    for _ in range(many):
        lead = derived_id("lead", str(chance.randrange(8)))
        name = chance.choice(["call_back", "Qualify", "é", "a b"])
        asked = deadline_set(name, Due(instant=NOW), NOW, lead)
        due_at = NOW + chance.randrange(-3, 4) * chance.choice([MICROSECOND, timedelta(hours=1)])
        deadlines = deadlines.armed(Deadline(asked, due_at))
    return deadlines


@pytest.mark.parametrize("seed", range(8))
async def test_the_database_fires_the_same_deadlines_as_the_core(
    sessions: Postgres, seed: int
) -> None:
    deadlines = some_deadlines(seed, many=40)
    async with sessions.transaction() as tx:
        await store.save(tx, Deadlines(), deadlines)

    for minutes in (-181, -60, 0, 60, 179, 180):
        now = NOW + timedelta(minutes=minutes) - (seed % 2) * MICROSECOND
        deadlines, expected = deadline.fire(deadlines, now, DIRECTORY)
        async with sessions.transaction() as tx:
            _, fired = deadline.fire(await store.take_due(tx, now, limit=1_000), now, DIRECTORY)
            assert fired == expected
            assert await store.next_instant(tx) == deadlines.next_due()


async def test_what_is_stored_is_what_is_loaded_and_what_differs_is_saved(
    sessions: Postgres,
) -> None:
    before, after = some_deadlines(1, many=30), some_deadlines(2, many=30)
    leads = set(before.by_lead) | set(after.by_lead)

    async with sessions.transaction() as tx:
        await store.save(tx, Deadlines(), before)
    async with sessions.transaction() as tx:
        loaded = await store.load(tx, leads)
        await store.save(tx, loaded, after)
    async with sessions.transaction() as tx:
        stored = await store.load(tx, leads)

    assert loaded == before
    assert stored == after


async def test_the_earliest_go_first_when_more_are_due_than_fit(sessions: Postgres) -> None:
    deadlines = Deadlines.of(
        Deadline(deadline_set(str(n), Due(instant=NOW), NOW), NOW - timedelta(minutes=n))
        for n in range(10)
    )
    async with sessions.transaction() as tx:
        await store.save(tx, Deadlines(), deadlines)
        first = await store.take_due(tx, NOW, limit=4)

    assert sorted(each.name for each in first) == ["6", "7", "8", "9"]


async def test_what_one_replica_is_firing_no_other_fires(sessions: Postgres) -> None:
    deadlines = some_deadlines(3, many=40)
    async with sessions.transaction() as tx:
        await store.save(tx, Deadlines(), deadlines)
    later = NOW + timedelta(days=1)

    async with in_hand(sessions) as one, in_hand(sessions) as other:
        mine = await store.take_due(one, later, limit=7)
        others = await store.take_due(other, later, limit=1_000)

    assert len(list(mine)) == 7
    assert len(list(mine)) + len(list(others)) == len(list(deadlines))


async def test_the_database_says_the_same_digests_as_the_core(sessions: Postgres) -> None:
    digests = digest.replan(Digests(), DIRECTORY, NINE, NOW)
    async with sessions.transaction() as tx:
        await store.plan_digests(tx, TENANT, Digests(), digests)

    for hours in (1, 22, 23, 24, 25, 26, 49, 97, 100, 145, 146, 167, 168, 169, 400, 407):
        now = NOW + timedelta(hours=hours)
        digests, expected = digest.fire(digests, DIRECTORY, NINE, now)
        async with sessions.transaction() as tx:
            due = await store.take_due_digests(tx, TENANT, now, limit=1_000)
            following, to_say = digest.fire(due, DIRECTORY, NINE, now)
            said = await store.say(tx, TENANT, to_say)
            await store.plan_digests(tx, TENANT, Digests(), following)
            assert sorted(said, key=lambda each: each.agent) == expected
            assert await store.next_digests(tx, TENANT) == digests


async def test_no_agent_is_told_twice_on_one_day_even_if_planned_again(sessions: Postgres) -> None:
    [anna] = digest.coming(DIRECTORY, NINE, NOW, ["anna"])
    async with sessions.transaction() as tx:
        assert await store.say(tx, TENANT, [anna]) == [anna]
        await store.plan_digests(tx, TENANT, Digests(), Digests({"anna": anna}))
        assert await store.say(tx, TENANT, [anna]) == []
        assert await store.next_digests(tx, TENANT) == Digests()


async def test_a_deadline_that_is_not_its_own_event_is_refused_by_the_table(
    sessions: Postgres,
) -> None:
    asked = deadline_set("call_back", Due(instant=NOW), NOW)

    with pytest.raises(asyncpg.CheckViolationError):
        await arm_under_another_name(sessions, asked.to_bytes().decode(), NOW)


async def arm_under_another_name(sessions: Postgres, asked: str, due_at: datetime) -> None:
    async with sessions.transaction() as tx:
        await tx.execute(
            "insert into deadline (lead, name, due_at, asked, site) "
            "values ($1, 'other', $2, $3, 'minsk')",
            derived_id("lead"),
            due_at,
            asked,
        )


@asynccontextmanager
async def in_hand(sessions: Postgres) -> AsyncIterator[Transaction]:
    async with sessions.transaction() as tx:
        yield tx
