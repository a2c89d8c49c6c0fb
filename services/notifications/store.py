"""The message table: what is asked for and taken back; `claims` is about what goes now."""

# ruff: noqa: S608 - the statements are put together from constants of this file only

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, get_args

from services.notifications.core.message import UNFINISHED, Content, Message, State
from shared.contract.envelope import Envelope
from shared.contract.notifications import MessageChannel
from shared.contract.topics import decode
from shared.domain.lead_number import number_of
from shared.runtime.postgres import Transaction

COLUMNS = (
    "id, request, channel, send_after, status, attempts, deferred, withdrawn, content, more, "
    "judged_by"
)
WAITS = "status in ('requested', 'held')"

_LOCK_COLLECTING = """
select pg_advisory_xact_lock(hashtextextended(id, 0)) from unnest($1::text[]) as n (id)
"""

# Each by its own index: for an `or`, and for a join (hence `offset 0`), PostgreSQL would read all
# that waits where it plans for a few rows.
_LOAD = f"""
select {COLUMNS} from message
where id in (
  select unnest($1::uuid[])
  union all
  select m.id from unnest($2::text[]) as n (lead), lateral (
    select id from message
    where lead = n.lead and status in ('requested', 'held', 'sending') offset 0) m)
order by place for update
"""

_ADD = """
insert into message (id, tenant, recipient, channel, template, occasion, subject, lead, status,
                     request, send_after, more)
select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::timestamptz[],
                     $12::jsonb[])
on conflict do nothing
"""

_CHANGE = """
update message m set
  status = n.status, send_after = n.send_after, attempts = n.attempts, deferred = n.deferred,
  withdrawn = n.withdrawn, content = n.content, more = n.more, judged_by = n.judged_by,
  request = coalesce(n.request, m.request),
  retry_at = null,
  lease_until = case when n.status = 'sending'
    then coalesce(m.lease_until, clock_timestamp() + make_interval(secs => $9)) end,
  handed_at = case when n.status = 'sending' and m.status <> 'sending'
    then clock_timestamp() else m.handed_at end
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[], $5::boolean[], $6::boolean[],
            $7::jsonb[], $8::jsonb[], $10::bigint[], $11::jsonb[])
  as n (id, status, send_after, attempts, deferred, withdrawn, content, more, judged_by, request)
where m.id = n.id
"""

# Each of these two is read off the head of its own index, however many messages wait.
NEW = f"select min(send_after) from message where {WAITS} and retry_at is null and channel"
AGAIN = f"select min(retry_at) from message where {WAITS} and retry_at is not null and channel"
_EARLIEST = f"""
select least({", ".join(f"({NEW} = '{channel}')" for channel in get_args(MessageChannel))},
  (select send_after from message where {WAITS} and retry_at is not null limit 1))
"""
_RECALL = """
update message set send_after = least(send_after, $3), judged_by = $2
where id in (
  select id from message where status = 'held' and tenant = $1 and judged_by < $2
  order by judged_by limit $4 for update skip locked)
"""
_ANY_TO_RECALL = """
select exists (select from message where status = 'held' and tenant = $1 and judged_by < $2)
"""
_FORGET_SANDBOX = [
    f"""
    delete from {table} s
    where exists (select from message m where m.id = s.id and m.lead = any ($1::text[]))
       or {words} like any ($2::text[])
    """
    for table, words in (("sandbox_sms", "s.text"), ("sandbox_webhook", "s.body::text"))
]
_ANY_IN_HAND = "select exists (select from message where status = 'sending')"


async def lock_collecting(tx: Transaction, ids: Collection[str]) -> None:
    """Until `tx` ends nobody else collects for these messages, there already or not yet."""
    if ids:
        await tx.execute(_LOCK_COLLECTING, sorted(ids))


async def load(tx: Transaction, ids: Iterable[str], leads: Iterable[str]) -> dict[str, Message]:
    """These messages and the unfinished ones of these leads, locked, in order of request."""
    rows = await tx.fetch(_LOAD, sorted(set(ids)), sorted(set(leads)))
    return {str(row["id"]): message_of(row) for row in rows}


async def save(tx: Transaction, before: State, after: State) -> None:
    """Store what is new or different in `after`."""
    new = [message for id_, message in after.items() if id_ not in before]
    await _add(tx, new)
    changed = [m for id_, m in after.items() if id_ in before and m is not before[id_]]
    await change(tx, changed)


async def change(tx: Transaction, messages: Sequence[Message], lease_s: float = 0) -> None:
    """Store the new state of known messages; one that is `sending` now is leased for so long."""
    if messages:
        await tx.execute(
            _CHANGE,
            [m.id for m in messages],
            [m.status for m in messages],
            [m.send_after for m in messages],
            [m.attempts for m in messages],
            [m.deferred for m in messages],
            [m.withdrawn for m in messages],
            [_content_to_json(m.content) for m in messages],
            [_more_to_json(m) for m in messages],
            lease_s,
            [m.judged_by for m in messages],
            [kept(m) for m in messages],
        )


def kept(message: Message) -> str | None:
    """The request without words that stays of a message that has ended, else `None`."""
    return None if message.status in UNFINISHED else message.request.to_bytes().decode()


async def earliest(tx: Transaction) -> datetime | None:
    """When the next waiting message may go."""
    instant: datetime | None = await tx.fetchval(_EARLIEST)
    return instant


async def recall(tx: Transaction, tenant: str, version: int, now: datetime, limit: int) -> int:
    """Have held messages judged again that were judged by an older directory; how many."""
    status: str = await tx.execute(_RECALL, tenant, version, now, limit)
    return int(status.rsplit(maxsplit=1)[-1])


async def any_to_recall(tx: Transaction, tenant: str, version: int) -> bool:
    """Whether a held message was judged by an older directory."""
    return bool(await tx.fetchval(_ANY_TO_RECALL, tenant, version))


async def forget_sandbox(tx: Transaction, leads: Collection[str]) -> None:
    """What the sandboxes show of the messages of these leads, and of digests that name them."""
    if leads:
        numbers = [f"%{number_of(lead)}%" for lead in leads]
        for statement in _FORGET_SANDBOX:
            await tx.execute(statement, sorted(leads), numbers)


async def any_in_hand(tx: Transaction) -> bool:
    """Whether anything is being handed over."""
    return bool(await tx.fetchval(_ANY_IN_HAND))


async def _add(tx: Transaction, messages: Sequence[Message]) -> None:
    if not messages:
        return
    asked = [m.asked for m in messages]
    await tx.execute(
        _ADD,
        [m.id for m in messages],
        [m.request.tenant for m in messages],
        [f"{each.to.kind}:{each.to.id}" for each in asked],
        [m.channel for m in messages],
        [each.template for each in asked],
        [each.occasion for each in asked],
        [m.request.subject for m in messages],
        [each.lead for each in asked],
        [m.status for m in messages],
        [m.request.to_bytes().decode() for m in messages],
        [m.send_after for m in messages],
        [_more_to_json(m) for m in messages],
    )


def message_of(row: Any) -> Message:
    """The message of a row with `COLUMNS`."""
    return Message(
        id=str(row["id"]),
        request=_envelope(row["request"]),
        channel=row["channel"],
        send_after=row["send_after"],
        status=row["status"],
        attempts=row["attempts"],
        deferred=row["deferred"],
        withdrawn=row["withdrawn"],
        content=_content_from_json(row["content"]),
        more=tuple(json.loads(row["more"])),
        judged_by=row["judged_by"],
    )


def _envelope(text: str) -> Envelope:
    return decode(text.encode())


def _more_to_json(message: Message) -> str:
    return json.dumps(message.more, ensure_ascii=False)


def _content_to_json(content: Content | None) -> str | None:
    return json.dumps(asdict(content), ensure_ascii=False) if content else None


def _content_from_json(text: str | None) -> Content | None:
    return Content(**json.loads(text)) if text else None
