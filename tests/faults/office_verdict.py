"""What an office's books say when everything is over: the audit of the toys."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from time import monotonic

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.runtime import kafka
from tests.faults.office import Office

GIVE_UP_S = 40.0
"""Without any progress for so long, what is not done is lost or stuck."""

_LEFT = """
select (select coalesce(sum(many), 0) from tally) as done,
       (select count(*) from outbox) as outbox,
       (select count(*) from parked) as parked,
       (select count(*) from quarantine) as aside
"""
_HELD = """
(select 'parked', topic, partition, record, subject, sequence, waits_for, why from parked limit 5)
union all
(select 'aside', topic, partition, record, subject, sequence, '', why from quarantine limit 30)
union all
(select 'outbox', topic, 0, id, convert_from(key, 'UTF8'), 0, '', stuck from outbox limit 5)
"""
_ORDER = """
select count(*) from (
  select sequence, row_number() over (partition by subject order by place) as expected
  from told
) n where sequence <> expected
"""


@dataclass(frozen=True)
class OfficeVerdict:
    """How many notes and actions are lost, repeated, out of order, or not done."""

    events: int
    lost: int
    repeated: int
    disordered: int
    stuck: int
    why: str = ""


async def judged(office: Office) -> OfficeVerdict:
    """Wait until all is done, or nothing moves; then compare every book."""
    expected = office.told + office.acted
    async with office.books() as session:
        left = await _at_rest(session, expected.total(), office.poisoned)
        rows = await session.fetch("select subject, many from tally")
        counted = Counter({row["subject"]: int(row["many"]) for row in rows})
        disordered = int(await session.fetchval(_ORDER))
    missing, more = expected - counted, counted - expected
    said = await _said(office)
    stuck = int(left["outbox"] + left["parked"] + max(0, left["aside"] - office.poisoned))
    wrong_order = sum(numbers != sorted(numbers) for numbers in said.values())
    unsaid = sum(max(0, many - len(said[lead])) for lead, many in counted.items())
    return OfficeVerdict(
        events=expected.total(),
        lost=max(0, missing.total() + unsaid + max(0, office.poisoned - left["aside"]) - stuck),
        repeated=more.total(),
        disordered=disordered + wrong_order,
        stuck=stuck,
        why="" if not stuck else f"{dict(left)}; {await _held(office)}",
    )


async def _held(office: Office) -> str:
    """What the rows say that are left."""
    async with office.books() as session:
        rows = await session.fetch(_HELD)
    return "; ".join(str(tuple(row)) for row in rows)


async def _at_rest(session: asyncpg.Connection, expected: int, poisoned: int) -> asyncpg.Record:
    last: tuple[int, ...] = ()
    moved_s = monotonic()
    while True:
        left = await session.fetchrow(_LEFT)
        assert left is not None
        now = tuple(left)
        if now == (expected, 0, 0, poisoned):
            return left
        if now != last:
            last, moved_s = now, monotonic()
        if monotonic() - moved_s > GIVE_UP_S:
            return left
        await asyncio.sleep(0.05)


async def _said(office: Office) -> dict[str, list[int]]:
    """What a sibling would take up: each lead's sequences as they lie there, repeats dropped."""
    reader = kafka.reader(office.settings)
    said: dict[str, list[int]] = defaultdict(list)
    known: dict[str, set[int]] = defaultdict(set)
    await reader.start()
    try:
        reader.subscribe([f"{office.name}.events.v1"])
        places = list(await _assigned(reader))
        await reader.seek_to_beginning(*places)
        ends = await reader.end_offsets(places)
        while [tp for tp in places if await reader.position(tp) < ends[tp]]:
            for records in (await reader.getmany(timeout_ms=200)).values():
                for record in records:
                    event = json.loads(record.value)
                    lead, number = event["subject"], event["sequence"]
                    if number not in known[lead]:
                        known[lead].add(number)
                        said[lead].append(number)
    finally:
        await reader.stop()
    return said


async def _assigned(reader: AIOKafkaConsumer) -> frozenset[TopicPartition]:
    async with asyncio.timeout(30):
        while not reader.assignment():
            await reader.getmany(timeout_ms=50)
    return frozenset(reader.assignment())
