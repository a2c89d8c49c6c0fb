"""The quarantine: bad input set aside with its bytes and the reason (`runtime.md` 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from shared.runtime.decoder import Item
from shared.runtime.kafka import Headers, headers_as_text
from shared.runtime.outbox import Message, headers_to_json, store
from shared.runtime.postgres import Transaction

log = structlog.get_logger(__name__)

_SET_ASIDE = """
insert into quarantine
  (subscription, topic, partition, record, key, value, headers, source, subject, sequence, event,
   why)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict do nothing
returning id
"""
# `tried_at` stays empty: the parking takes it up at its next look, before what waits behind it.
_REDRIVE = """
with released as (
  delete from quarantine where id = any($1::bigint[]) and value is not null
  returning id, subscription, topic, partition, record, key, value, headers, source, subject,
    sequence
)
insert into parked
  (subscription, topic, partition, record, key, value, headers, source, subject, sequence, why,
   waits_for)
select subscription, topic, partition, record, key, value, headers, coalesce(source, ''),
  coalesce(subject, ''), sequence, 'redriven by hand', 'turn'
from released
order by id
on conflict do nothing
"""


async def set_aside(
    tx: Transaction,
    service: str,
    subscription: str,
    found: Sequence[tuple[Item, str]],
) -> None:
    """File bad input, and copy it to the service's dead letters with the same transaction."""
    for item, why in found:
        record = item.record
        where = (subscription, record.topic, record.partition, record.offset)
        what = (record.key, record.value, headers_to_json(record.headers))
        who = (item.source or None, item.subject or None, item.sequence, item.id)
        if await tx.fetchval(_SET_ASIDE, *where, *what, *who, _storable(why)):
            await store(tx, [letter(service, subscription, item, why)])
            log.warning(
                "set aside", topic=record.topic, event_id=item.id, lead=item.subject, why=why
            )


def letter(service: str, subscription: str, item: Item, why: str) -> Message:
    """A dead letter: the original bytes and headers, and where from and why in ours."""
    record = item.record
    ours: Headers = headers_as_text(
        {
            "relance-service": service,
            "relance-subscription": subscription,
            "relance-topic": record.topic,
            "relance-partition": record.partition,
            "relance-offset": record.offset,
            "relance-why": why,
        }
    )
    # A record without a value must not look like a deletion.
    value = b"" if record.value is None else record.value
    return Message(f"{service}.dead-letters.v1", record.key, value, (*tuple(record.headers), *ours))


async def listed(tx: Transaction, limit: int = 100) -> list[dict[str, Any]]:
    """The latest dead letters without their bytes, newest first, with how many wait behind."""
    rows = await tx.fetch(
        """
        select q.id, q.topic, q.partition, q.record as "offset", q.source, q.subject, q.sequence,
          q.event, q.why, q.quarantined_at,
          (select count(*) from parked p where p.source = q.source and p.subject = q.subject)
            as waiting_behind
        from quarantine q order by q.id desc limit $1
        """,
        limit,
    )
    return [dict(row) for row in rows]


async def shown(tx: Transaction, id_: int) -> dict[str, Any] | None:
    """One dead letter whole, or None."""
    row = await tx.fetchrow("select * from quarantine where id = $1", id_)
    return dict(row) if row else None


async def redrive(tx: Transaction, ids: Sequence[int]) -> int:
    """Have these taken up again, in order with what waits behind them; return how many.

    The service does it at its next look (a second); what is still bad comes back here.
    """
    status: str = await tx.execute(_REDRIVE, list(ids))
    return int(status.rpartition(" ")[2])


def _storable(why: str) -> str:
    return why.replace("\0", "\\0")[:2000]
