"""The message table: the only place that knows its columns."""

# ruff: noqa: S608 - the statements are put together from constants of this file only

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, get_args

from services.notifications.core.message import Content, Message, State
from shared.contract.envelope import Envelope
from shared.contract.notifications import MessageChannel
from shared.contract.topics import decode
from shared.runtime.postgres import Transaction

_COLUMNS = (
    "id, request, channel, send_after, status, attempts, deferred, withdrawn, content, more, "
    "judged_by"
)

_LOCK_COLLECTING = """
select pg_advisory_xact_lock(hashtextextended(id, 0)) from unnest($1::text[]) as n (id)
"""

_LOAD = f"""
select {_COLUMNS} from message
where id = any ($1::uuid[])
   or (lead = any ($2::text[]) and status in ('requested', 'held', 'sending'))
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
  retry_at = null,
  lease_until = case when n.status = 'sending'
    then coalesce(m.lease_until, clock_timestamp() + make_interval(secs => $9)) end,
  handed_at = case when n.status = 'sending' then coalesce(m.handed_at, clock_timestamp()) end
from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::int[], $5::boolean[], $6::boolean[],
            $7::jsonb[], $8::jsonb[], $10::bigint[])
  as n (id, status, send_after, attempts, deferred, withdrawn, content, more, judged_by)
where m.id = n.id
"""

_WAITS = "status in ('requested', 'held')"
# Each of these two is read off the head of its own index, however many messages wait.
_NEW = f"select min(send_after) from message where {_WAITS} and retry_at is null and channel"
_AGAIN = f"select min(retry_at) from message where {_WAITS} and retry_at is not null and channel"

# A subject's messages go one after the other, as they were requested; one that the provider did
# not take at its first attempt no longer keeps the others. (A scalar subquery, so that it is
# asked for the few rows at the head of the index and never joined with all that waits.)
_NOBODY_BEFORE = """
(select e.place from message e where e.subject = c.subject and e.place < c.place
   and ((e.status = 'sending' and e.attempts = 1)
     or (e.status in ('requested', 'held') and e.attempts = 0 and e.send_after <= $2
         and e.retry_at is null))
 order by e.place limit 1) is null
"""
_CLAIM = f"""
select {_COLUMNS} from message where id in (
  (select c.id from message c
   where c.channel = $1 and c.{_WAITS} and c.retry_at is null and c.send_after <= $2
     and {_NOBODY_BEFORE}
   order by c.send_after, c.place limit $3)
  union all
  (select c.id from message c
   where c.channel = $1 and c.{_WAITS} and c.retry_at <= statement_timestamp() and {_NOBODY_BEFORE}
   order by c.retry_at limit $3))
and {_WAITS}
order by place limit $3 for update skip locked
"""

_LOST = "channel = $1 and status = 'sending' and lease_until <= statement_timestamp()"
_LOOK = f"""
select coalesce(({_NEW} = $1) <= $2, false)
    or coalesce(({_AGAIN} = $1) <= statement_timestamp(), false) as due,
  exists (select from message where {_LOST}) as lost
"""
_CLAIM_LOST = f"""
update message set lease_until = clock_timestamp() + make_interval(secs => $3)
where id in (
  select id from message where {_LOST} order by place limit $2 for update skip locked)
returning {_COLUMNS}, extract(epoch from clock_timestamp() - handed_at)::float8 as asked_s
"""

_IN_HAND = f"""
select {_COLUMNS} from message
where (id, attempts) in (select * from unnest($1::uuid[], $2::int[])) and status = 'sending'
order by place for update
"""
_LEASE_ENDS = """
update message set lease_until = clock_timestamp() + make_interval(secs => $3), why = $4
where id = $1 and status = 'sending' and attempts = $2
"""
_NOTE = """
update message m set provider_id = n.provider_id, why = n.why,
  retry_at = case when m.status = 'requested'
    then clock_timestamp() + make_interval(secs => n.pause_s) end
from unnest($1::uuid[], $2::text[], $3::text[], $4::float8[]) as n (id, provider_id, why, pause_s)
where m.id = n.id
"""
_PUT_OFF = """
update message set retry_at = clock_timestamp() + make_interval(secs => $2), why = $3
where id = $1
"""
_EARLIEST = f"""
select least({", ".join(f"({_NEW} = '{channel}')" for channel in get_args(MessageChannel))},
  (select send_after from message where {_WAITS} and retry_at is not null limit 1))
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
_ANY_IN_HAND = "select exists (select from message where status = 'sending')"


async def lock_collecting(tx: Transaction, ids: Collection[str]) -> None:
    """Until `tx` ends nobody else collects for these messages, there already or not yet."""
    if ids:
        await tx.execute(_LOCK_COLLECTING, sorted(ids))


async def load(tx: Transaction, ids: Iterable[str], leads: Iterable[str]) -> dict[str, Message]:
    """These messages and the unfinished ones of these leads, locked, in order of request."""
    rows = await tx.fetch(_LOAD, sorted(set(ids)), sorted(set(leads)))
    return {str(row["id"]): _message(row) for row in rows}


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
        )


async def look(tx: Transaction, channel: MessageChannel, now: datetime) -> tuple[bool, bool]:
    """Whether a message may be claimed, and whether one in hand has outlived its lease."""
    row = await tx.fetchrow(_LOOK, channel, now)
    return (row["due"], row["lost"]) if row else (False, False)


async def claim(
    tx: Transaction, channel: MessageChannel, now: datetime, limit: int
) -> list[Message]:
    """Due messages, locked; those another member has in its hands are left out."""
    return [_message(row) for row in await tx.fetch(_CLAIM, channel, now, limit)]


async def claim_lost(
    tx: Transaction, channel: MessageChannel, limit: int, lease_s: float
) -> list[tuple[Message, float]]:
    """Messages whose lease has run out, leased anew, with the seconds since the hand-over."""
    rows = await tx.fetch(_CLAIM_LOST, channel, limit, lease_s)
    return [(_message(row), row["asked_s"]) for row in rows]


async def in_hand(tx: Transaction, handed: Sequence[Message]) -> dict[str, Message]:
    """These messages as they are now, locked: those whose attempt is still the one that counts."""
    rows = await tx.fetch(_IN_HAND, [m.id for m in handed], [m.attempts for m in handed])
    return {str(row["id"]): _message(row) for row in rows}


async def end_lease(tx: Transaction, message: Message, in_s: float, why: str) -> None:
    """Have the message looked after in `in_s` seconds: nobody knows what became of it."""
    await tx.execute(_LEASE_ENDS, message.id, message.attempts, in_s, why)


@dataclass(frozen=True, slots=True)
class Note:
    """Beside a message's new state: what the provider said, and in how long to try again."""

    message: str
    provider_id: str | None
    why: str | None
    pause_s: float


async def note(tx: Transaction, notes: Sequence[Note]) -> None:
    """Store what the provider said of each."""
    await tx.execute(
        _NOTE,
        [each.message for each in notes],
        [each.provider_id for each in notes],
        [each.why for each in notes],
        [each.pause_s for each in notes],
    )


async def put_off(tx: Transaction, message: Message, pause_s: float, why: str) -> None:
    """Leave it waiting; it cannot be judged now."""
    await tx.execute(_PUT_OFF, message.id, pause_s, why)


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


def _message(row: Any) -> Message:
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
