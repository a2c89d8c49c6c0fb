"""What is parked: events that wait, in order, for a gap to close or a fact to arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from shared.runtime.decoder import Item
from shared.runtime.kafka import Headers
from shared.runtime.outbox import headers_from_json, headers_to_json
from shared.runtime.postgres import Transaction

WaitsFor = Literal["fact", "gap", "type", "gate", "turn"]
"""A fact not here yet · the sequence before it · a release that knows its type · time to pass
on `intake.events.v1` · an earlier event of its subject."""

_PARK = """
insert into parked
  (subscription, topic, partition, record, key, value, headers, source, subject, sequence, why,
   waits_for)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict do nothing
"""
# Tried again after a tenth of its age, between one and thirty seconds; `$2` tries all.
_SUBJECTS = """
select p.source, p.subject
from parked p left join sequence s on s.source = p.source and s.subject = p.subject
where p.subscription = $1
  and (p.sequence is null or p.sequence <= coalesce(s.last, 0) + 1)
  and ($2 or p.tried_at is null
    or p.tried_at < now() - least(greatest((now() - p.parked_at) / 10, '1 s'), '30 s'))
group by p.source, p.subject
order by min(p.id)
limit 100
"""
_ROWS = """
select id, topic, partition, record, key, value, headers, waits_for,
  extract(epoch from now() - parked_at)::float8 as age_s
from parked
where subscription = $1 and (source, subject) in (select * from unnest($2::text[], $3::text[]))
order by source, subject, sequence nulls first, id
limit 500
"""


@dataclass(frozen=True, slots=True)
class Wait:
    """An item that must wait, and what for."""

    item: Item
    waits_for: WaitsFor
    why: str


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record as it lay on its topic, with its row."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    row: int
    waits_for: WaitsFor
    age_s: float


async def park(tx: Transaction, subscription: str, waits: Sequence[Wait]) -> None:
    """Store what must wait."""
    if not waits:
        return
    rows = []
    for wait in waits:
        record, item = wait.item.record, wait.item
        where = (subscription, record.topic, record.partition, record.offset)
        what = (record.key, record.value, headers_to_json(record.headers))
        who = (item.source, item.subject, item.sequence)
        rows.append((*where, *what, *who, wait.why.replace("\0", "\\0")[:2000], wait.waits_for))
    await tx.executemany(_PARK, rows)


async def waiting(
    tx: Transaction, subscription: str, items: Sequence[Item]
) -> set[tuple[str, str]]:
    """The (source, subject) among `items` for which something waits already."""
    rows = await tx.fetch(
        """
        select distinct source, subject from parked
        where subscription = $1 and (source, subject) in
          (select * from unnest($2::text[], $3::text[]))
        """,
        subscription,
        [item.source for item in items],
        [item.subject for item in items],
    )
    return {(row["source"], row["subject"]) for row in rows}


async def due(tx: Transaction, subscription: str, *, every: bool) -> list[ParkedRecord]:
    """What may be tried now, whole subjects in order; `every` does not wait for the back-off."""
    subjects = await tx.fetch(_SUBJECTS, subscription, every)
    if not subjects:
        return []
    rows = await tx.fetch(
        _ROWS,
        subscription,
        [row["source"] for row in subjects],
        [row["subject"] for row in subjects],
    )
    return [
        ParkedRecord(
            topic=row["topic"],
            partition=row["partition"],
            offset=row["record"],
            key=row["key"],
            value=row["value"],
            headers=headers_from_json(row["headers"]),
            row=row["id"],
            waits_for=row["waits_for"],
            age_s=row["age_s"],
        )
        for row in rows
    ]


async def settle(
    tx: Transaction, released: Sequence[int], still: Sequence[tuple[int, Wait]]
) -> None:
    """Remove what has been taken up; note what each of the others waits for."""
    if released:
        await tx.execute("delete from parked where id = any($1::bigint[])", list(released))
    if still:
        await tx.execute(
            """
            update parked p set tried_at = now(), why = n.why, waits_for = n.waits_for
            from unnest($1::bigint[], $2::text[], $3::text[]) as n (id, why, waits_for)
            where p.id = n.id
            """,
            [row for row, _ in still],
            [wait.why for _, wait in still],
            [wait.waits_for for _, wait in still],
        )
