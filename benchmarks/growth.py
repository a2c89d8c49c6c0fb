"""How the cost grows: with the leads that are open already, and with a topic's partitions."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.partitioned import MODULE, NUMBER, TOPICS
from benchmarks.result import Result, Run
from benchmarks.side import Side
from benchmarks.workload import LINKED, NEW, Workload
from shared.runtime import topics
from shared.runtime.postgres import Postgres
from shared.runtime.settings import Settings

ROW = "growth"
OPEN = (1_000, 10_000, 100_000)
MANY = 16_000

# One person's rows, again for another person: whatever columns the tables have.
_CONTACTS = """
insert into contact
select (jsonb_populate_record(c, jsonb_build_object(
  'id', p.id, 'state', replace(replace(replace(c.state::text, c.id::text, p.id::text),
    l.id::text, p.lead::text), $1, p.phone)::jsonb
))).*
from contact c join lead l on l.contact = c.id, people p where c.id = $2
"""
_POINTS = """
insert into contact_point (tenant, kind, value, contact)
select c.tenant, 'phone', p.phone, p.id from contact_point c, people p where c.contact = $1
"""
_LEADS = """
insert into lead
select (jsonb_populate_record(l, jsonb_build_object(
  'id', p.lead, 'contact', p.id, 'words', replace(l.words, $1, p.phone),
  'state', replace(replace(replace(l.state::text, l.id::text, p.lead::text),
    l.contact::text, p.id::text), $1, p.phone)::jsonb
))).*
from lead l, people p where l.contact = $2
"""
_PEOPLE = "create temporary table people (phone text, id uuid, lead uuid)"
_PERSONS = """
insert into people
select '+37529' || lpad(n::text, 7, '0'), gen_random_uuid(), gen_random_uuid()
from generate_series($1::int, $2::int) as n
"""


async def measure(bench: Bench) -> list[Result]:
    """Somebody known writes again, in a small company and in a large one."""
    side = await bench.ours()
    postgres = Postgres(side.dsn, "pipeline")
    await postgres.open(20)
    try:
        first = bench.people(OPEN[-1])
        await postgres.pool.execute("truncate lead, contact, contact_point, lead_mail, outbox")
        await side.measure(Workload.of(NEW, 600, first))
        results = [
            await _among(bench, side, postgres, first, many)
            for many in (OPEN[:2] if bench.quick else OPEN)
        ]
    finally:
        await postgres.close()
    return [*results, *await _partitions(bench, side, first)]


async def _among(bench: Bench, side: Side, postgres: Postgres, first: int, many: int) -> Result:
    """With so many open leads, the messages spread over all of them."""
    await _fill(postgres, first, many)
    writes = bench.many(MANY)
    seen = []
    for number in range(_runs(bench)):
        workload = replace(
            Workload.of(LINKED, writes, first), among=many, stride=max(1, many // writes)
        )
        seen.append(Run(await side.measure(workload)))
        bench.say(f"run {number + 1}: {many:,} open leads: {seen[-1].ours:,.0f} events/s")
    return Result.of(ROW, f"writes again, {many:,} open leads", "events/s", seen)


async def _fill(postgres: Postgres, first: int, many: int) -> None:
    """Open leads until there are so many, each of a person of his own, as of the first one."""
    async with postgres.pool.acquire() as session:
        there = await session.fetchval("select count(*) from lead")
        phone = f"+37529{first:07d}"
        model = await session.fetchval("select contact from contact_point where value = $1", phone)
        await session.execute(_PEOPLE)
        await session.execute(_PERSONS, first + there, first + many - 1)
        await session.execute(_CONTACTS, phone, model)
        await session.execute(_POINTS, model)
        await session.execute(_LEADS, phone, model)
        await session.execute("drop table people")
        await session.execute("analyze")


async def _partitions(bench: Bench, side: Side, first: int) -> list[Result]:
    await topics.apply(Settings(kafka=side.kafka), TOPICS.values())
    results = []
    for many, topic in TOPICS.items():
        seen = []
        for number in range(_runs(bench)):
            workload = replace(Workload.of(LINKED, bench.many(MANY), first), among=1_000)
            seen.append(Run(await side.measure(workload, topic, MODULE, **{NUMBER: str(many)})))
            bench.say(f"run {number + 1}: {many} partitions: {seen[-1].ours:,.0f} events/s")
        results.append(Result.of(ROW, f"writes again, {many} partitions", "events/s", seen))
    return results


def _runs(bench: Bench) -> int:
    """Three tell how a cost grows."""
    return min(3, bench.runs)
