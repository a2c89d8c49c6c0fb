"""What goes now: which messages are due, in whose hands they are, and what became of them."""

# ruff: noqa: S608 - the statements are put together from constants of this package only

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.notifications.core.message import Message
from services.notifications.store import AGAIN, COLUMNS, NEW, WAITS, kept, message_of
from shared.contract.notifications import MessageChannel
from shared.runtime.postgres import Transaction

# A subject's messages go one after the other, as they were requested; one that the provider did
# not take at its first attempt no longer keeps the others. (A scalar subquery, so that it is
# asked for the few rows at the head of the index and never joined with all that waits; and a
# `case`, because for an `or` PostgreSQL would read all that waits by another index.)
_NOBODY_BEFORE = """
(select e.place from message e where e.subject = c.subject and e.place < c.place
   and e.status in ('requested', 'held', 'sending')
   and case when e.status = 'sending' then e.attempts = 1
     else e.attempts = 0 and e.send_after <= $3 and e.retry_at is null end
 order by e.place limit 1) is null
"""
# One by one from there: joined, PostgreSQL would read all that waits where it plans for a few rows.
_CLAIM = f"""
select m.* from unnest($1::text[], $2::int[]) as w (channel, free),
  lateral (
    select n.id as due, n.place from (
      (select c.id, c.place from message c
       where c.channel = w.channel and c.{WAITS} and c.retry_at is null and c.send_after <= $3
         and {_NOBODY_BEFORE}
       order by c.send_after, c.place limit w.free)
      union all
      (select c.id, c.place from message c
       where c.channel = w.channel and c.{WAITS} and c.retry_at <= statement_timestamp()
         and {_NOBODY_BEFORE}
       order by c.retry_at limit w.free)) n
    order by n.place limit w.free) d,
  lateral (
    select {COLUMNS} from message m where m.id = d.due and m.{WAITS} for update skip locked) m
order by d.place
"""

_LOST = "status = 'sending' and lease_until <= statement_timestamp() and channel"
_LOOK = f"""
select channel,
  coalesce(({NEW} = w.channel) <= $2, false)
    or coalesce(({AGAIN} = w.channel) <= statement_timestamp(), false) as due,
  exists (select from message where {_LOST} = w.channel) as lost
from unnest($1::text[]) as w (channel)
"""
_CLAIM_LOST = f"""
update message set lease_until = clock_timestamp() + make_interval(secs => $3)
where id in (
  select id from message where {_LOST} = $1 order by place limit $2 for update skip locked)
returning {COLUMNS}, extract(epoch from clock_timestamp() - handed_at)::float8 as asked_s
"""

_IN_HAND = """
select id, withdrawn from message
where (id, attempts) in (select * from unnest($1::uuid[], $2::int[])) and status = 'sending'
order by place for update
"""
_SETTLE = """
update message m set status = n.status, provider_id = n.provider_id, why = n.why,
  request = coalesce(n.request, m.request),
  content = case when n.request is null then m.content end,
  more = case when n.request is null then m.more else '[]' end,
  lease_until = null,
  retry_at = case when n.status = 'requested'
    then clock_timestamp() + make_interval(secs => n.pause_s) end
from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::float8[],
            $6::jsonb[])
  as n (id, status, provider_id, why, pause_s, request)
where m.id = n.id
"""
_LEASE_ENDS = """
update message set lease_until = clock_timestamp() + make_interval(secs => $3), why = $4
where id = $1 and status = 'sending' and attempts = $2
"""
_PUT_OFF = """
update message set retry_at = clock_timestamp() + make_interval(secs => $2), why = $3
where id = $1
"""


@dataclass(frozen=True, slots=True)
class Look:
    """The channels where a message may be claimed, and those where one has outlived its lease."""

    due: frozenset[MessageChannel]
    lost: frozenset[MessageChannel]


async def look(tx: Transaction, channels: Sequence[MessageChannel], now: datetime) -> Look:
    """Cheap, however many messages wait."""
    rows = await tx.fetch(_LOOK, channels, now)
    return Look(
        frozenset(row["channel"] for row in rows if row["due"]),
        frozenset(row["channel"] for row in rows if row["lost"]),
    )


async def claim(
    tx: Transaction, free: Mapping[MessageChannel, int], now: datetime
) -> list[Message]:
    """Due messages, locked, at most so many a channel, as they were asked for; those another
    member has in its hands are left out."""
    return [message_of(row) for row in await tx.fetch(_CLAIM, [*free], [*free.values()], now)]


async def claim_lost(
    tx: Transaction, channel: MessageChannel, limit: int, lease_s: float
) -> list[tuple[Message, float]]:
    """Messages whose lease has run out, leased anew, with the seconds since the hand-over."""
    rows = await tx.fetch(_CLAIM_LOST, channel, limit, lease_s)
    return [(message_of(row), row["asked_s"]) for row in rows]


async def in_hand(tx: Transaction, handed: Sequence[Message]) -> dict[str, Message]:
    """These messages as they are now, locked: those whose attempt is still the one that counts.

    All that may have changed since they were claimed is that they were withdrawn.
    """
    known = {message.id: message for message in handed}
    rows = await tx.fetch(_IN_HAND, [m.id for m in handed], [m.attempts for m in handed])
    return {
        id_: replace(known[id_], withdrawn=row["withdrawn"])
        for row in rows
        if (id_ := str(row["id"]))
    }


@dataclass(frozen=True, slots=True)
class Settled:
    """A message after its hand-over, what the provider said, and in how long to try again."""

    message: Message
    provider_id: str | None
    why: str | None
    pause_s: float


async def settle(tx: Transaction, settled: Sequence[Settled]) -> None:
    """Store what became of messages in hand; they are in nobody's hands any more.

    Of one that has ended no word is kept (decision 20).
    """
    if settled:
        await tx.execute(
            _SETTLE,
            [each.message.id for each in settled],
            [each.message.status for each in settled],
            [each.provider_id for each in settled],
            [each.why for each in settled],
            [each.pause_s for each in settled],
            [kept(each.message) for each in settled],
        )


async def end_lease(tx: Transaction, message: Message, in_s: float, why: str) -> None:
    """Have the message looked after in `in_s` seconds: nobody knows what became of it."""
    await tx.execute(_LEASE_ENDS, message.id, message.attempts, in_s, why)


async def put_off(tx: Transaction, message: Message, pause_s: float, why: str) -> None:
    """Leave it waiting; it cannot be judged now."""
    await tx.execute(_PUT_OFF, message.id, pause_s, why)
