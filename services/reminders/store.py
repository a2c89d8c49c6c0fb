"""The tables of reminders: one statement a function."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime

from asyncpg import Record

from services.reminders.core.deadline import Deadline, Deadlines
from services.reminders.core.digest import Digest, Digests
from shared.contract.topics import decode
from shared.runtime.postgres import Transaction

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before every deadline."""

_LOAD = """
select due_at, asked from deadline where lead = any($1::uuid[])
order by lead, name for update
"""
_CLEAR = """
delete from deadline using unnest($1::uuid[], $2::text[]) as gone (lead, name)
where deadline.lead = gone.lead and deadline.name = gone.name
"""
_ARM = """
insert into deadline (lead, name, due_at, asked)
select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[])
on conflict (lead, name) do update set due_at = excluded.due_at, asked = excluded.asked
"""
# Another replica may be firing the first ones just now: those are its own.
_TAKE_DUE = """
with due as materialized (
  select lead, name from deadline where due_at <= $1 and due_at >= $3
  order by due_at limit $2 for update skip locked
)
delete from deadline using due
where deadline.lead = due.lead and deadline.name = due.name
returning deadline.due_at, deadline.asked
"""
_NEXT = """
select least(
  (select min(due_at) from deadline where due_at >= $1),
  (select min(due_at) from digest where not said)
)
"""

_TAKE_DUE_DIGESTS = """
with due as materialized (
  select agent, date from digest where not said and due_at <= $1
  order by due_at limit $2 for update skip locked
)
delete from digest using due
where digest.agent = due.agent and digest.date = due.date
returning digest.agent, digest.date, digest.due_at
"""
_SAY = """
insert into digest (agent, date, due_at, said)
select agent, date, due_at, true
from unnest($1::text[], $2::date[], $3::timestamptz[]) as said (agent, date, due_at)
on conflict do nothing
returning agent
"""
_NEXT_DIGESTS = "select agent, date, due_at from digest where not said order by agent for update"
_DROP_DIGESTS = """
delete from digest using unnest($1::text[], $2::date[]) as gone (agent, date)
where digest.agent = gone.agent and digest.date = gone.date and not said
"""
_PLAN_DIGESTS = """
insert into digest (agent, date, due_at)
select * from unnest($1::text[], $2::date[], $3::timestamptz[])
on conflict do nothing
"""


async def load(tx: Transaction, leads: Collection[str]) -> Deadlines:
    """The armed deadlines of `leads`, locked."""
    return _deadlines(await tx.fetch(_LOAD, sorted(leads)))


async def save(tx: Transaction, before: Deadlines, after: Deadlines) -> None:
    """Store what differs, both sets being of the same leads."""
    armed = {(each.lead, each.name): each for each in after}
    known = {(each.lead, each.name): each for each in before}
    if gone := sorted(known.keys() - armed.keys()):
        await tx.execute(_CLEAR, [lead for lead, _ in gone], [name for _, name in gone])
    changed = [each for key, each in sorted(armed.items()) if each is not known.get(key)]
    if changed:
        await tx.execute(
            _ARM,
            [each.lead for each in changed],
            [each.name for each in changed],
            [each.due_at for each in changed],
            [each.asked.to_bytes().decode() for each in changed],
        )


async def take_due(tx: Transaction, now: datetime, limit: int, since: datetime = EVER) -> Deadlines:
    """The `limit` earliest deadlines whose instant has come, looked for from `since` on; they
    are armed no more."""
    return _deadlines(await tx.fetch(_TAKE_DUE, now, limit, since))


async def next_instant(tx: Transaction, since: datetime = EVER) -> datetime | None:
    """The earliest planned instant, of a deadline (looked for from `since` on) or a digest."""
    earliest: datetime | None = await tx.fetchval(_NEXT, since)
    return earliest


async def take_due_digests(tx: Transaction, now: datetime, limit: int) -> Digests:
    """The `limit` earliest planned digests whose instant has come; they are planned no more."""
    return _digests(await tx.fetch(_TAKE_DUE_DIGESTS, now, limit))


async def say(tx: Transaction, digests: Iterable[Digest]) -> list[Digest]:
    """Note `digests` as said; return those that nobody had said before."""
    by_agent = {each.agent: each for each in digests}
    rows = await tx.fetch(_SAY, *_columns(by_agent.values())) if by_agent else []
    return [by_agent[row["agent"]] for row in rows]


async def next_digests(tx: Transaction) -> Digests:
    """The next digest of every agent, locked."""
    return _digests(await tx.fetch(_NEXT_DIGESTS))


async def plan_digests(tx: Transaction, before: Digests, after: Digests) -> None:
    """Store what differs."""
    old, new = set(before.by_agent.values()), set(after.by_agent.values())
    if gone := sorted(old - new, key=_name):
        await tx.execute(_DROP_DIGESTS, *_columns(gone)[:2])
    if coming := sorted(new - old, key=_name):
        await tx.execute(_PLAN_DIGESTS, *_columns(coming))


async def forget_digests(tx: Transaction, before: date) -> None:
    """Drop what was said before that local date."""
    await tx.execute("delete from digest where said and date < $1", before)


def _deadlines(rows: Iterable[Record]) -> Deadlines:
    return Deadlines.of(Deadline(decode(row["asked"].encode()), row["due_at"]) for row in rows)


def _digests(rows: Iterable[Record]) -> Digests:
    return Digests({row["agent"]: Digest(row["agent"], row["date"], row["due_at"]) for row in rows})


def _name(digest: Digest) -> str:
    return digest.agent


def _columns(digests: Iterable[Digest]) -> tuple[list[str], list[date], list[datetime]]:
    rows = list(digests)
    return (
        [each.agent for each in rows],
        [each.date for each in rows],
        [each.due_at for each in rows],
    )
