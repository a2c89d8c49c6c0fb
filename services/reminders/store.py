"""The tables of reminders: one statement a function."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime

from asyncpg import Record

from services.reminders.core.absence import LongAbsence, LongAbsences
from services.reminders.core.deadline import Deadline, Deadlines
from services.reminders.core.digest import Digest, Digests
from shared.contract.topics import decode
from shared.domain.directory import Away
from shared.runtime.postgres import Transaction

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""Before every deadline."""

_LOAD = """
select due_at, asked, planned_by from deadline where lead = any($1::uuid[])
order by lead, name for update
"""
_CLEAR = """
delete from deadline using unnest($1::uuid[], $2::text[]) as gone (lead, name)
where deadline.lead = gone.lead and deadline.name = gone.name
"""
_ARM = """
insert into deadline (lead, name, due_at, asked, site, planned_by)
select * from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::jsonb[], $5::text[],
                     $6::bigint[])
on conflict (lead, name) do update set
  due_at = excluded.due_at, asked = excluded.asked, site = excluded.site,
  planned_by = excluded.planned_by
"""
# Another replica may be firing the first ones just now: those are its own.
_TAKE_DUE = """
with due as materialized (
  select lead, name from deadline where due_at <= $1 and due_at >= $3
  order by due_at limit $2 for update skip locked
)
delete from deadline using due
where deadline.lead = due.lead and deadline.name = due.name
returning deadline.due_at, deadline.asked, deadline.planned_by
"""
_NEXT = """
select least(
  (select min(due_at) from deadline where due_at >= $1),
  (select min(due_at) from digest where not said),
  (select min(due_at) from absence where not said)
)
"""

_TAKE_DUE_DIGESTS = """
with due as materialized (
  select agent, date from digest where tenant = $1 and not said and due_at <= $2
  order by due_at limit $3 for update skip locked
)
delete from digest using due
where digest.tenant = $1 and digest.agent = due.agent and digest.date = due.date
returning digest.agent, digest.date, digest.due_at
"""
_SAY = """
insert into digest (tenant, agent, date, due_at, said)
select $1, agent, date, due_at, true
from unnest($2::text[], $3::date[], $4::timestamptz[]) as said (agent, date, due_at)
on conflict do nothing
returning agent
"""
_NEXT_DIGESTS = """
select agent, date, due_at from digest where tenant = $1 and not said order by agent for update
"""
_DROP_DIGESTS = """
delete from digest using unnest($2::text[], $3::date[]) as gone (agent, date)
where digest.tenant = $1 and digest.agent = gone.agent and digest.date = gone.date and not said
"""
_PLAN_DIGESTS = """
insert into digest (tenant, agent, date, due_at)
select $1, * from unnest($2::text[], $3::date[], $4::timestamptz[])
on conflict do nothing
"""
_ABSENCES = "select agent, since, until, said from absence where tenant = $1 for update"
_DROP_ABSENCES = """
delete from absence using unnest($2::text[], $3::timestamptz[]) as gone (agent, since)
where tenant = $1 and absence.agent = gone.agent and absence.since = gone.since
"""
_PLAN_ABSENCES = """
insert into absence (tenant, agent, since, until, due_at, said)
select $1, * from unnest($2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
                         $6::boolean[])
on conflict (tenant, agent, since) do update
set until = excluded.until, said = absence.said or excluded.said
"""
_TAKE_DUE_ABSENCES = """
with due as materialized (
  select agent, since from absence where tenant = $1 and not said and due_at <= $2
  order by due_at, agent for update skip locked
)
update absence set said = true from due
where tenant = $1 and absence.agent = due.agent and absence.since = due.since
returning absence.agent, absence.since, absence.until
"""


async def load(tx: Transaction, leads: Collection[str]) -> Deadlines:
    """The armed deadlines of `leads`, locked."""
    return deadlines_of(await tx.fetch(_LOAD, sorted(leads)))


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
            [each.wish.site for each in changed],
            [each.planned_by for each in changed],
        )


async def take_due(tx: Transaction, now: datetime, limit: int, since: datetime = EVER) -> Deadlines:
    """The `limit` earliest deadlines whose instant has come, looked for from `since` on; they
    are armed no more."""
    return deadlines_of(await tx.fetch(_TAKE_DUE, now, limit, since))


async def next_instant(tx: Transaction, since: datetime = EVER) -> datetime | None:
    """The earliest planned instant: of a deadline (looked for from `since` on), a digest or an
    absence."""
    earliest: datetime | None = await tx.fetchval(_NEXT, since)
    return earliest


async def take_due_digests(tx: Transaction, tenant: str, now: datetime, limit: int) -> Digests:
    """The `limit` earliest planned digests whose instant has come; they are planned no more."""
    return _digests(await tx.fetch(_TAKE_DUE_DIGESTS, tenant, now, limit))


async def say(tx: Transaction, tenant: str, digests: Iterable[Digest]) -> list[Digest]:
    """Note `digests` as said; return those that nobody had said before."""
    by_agent = {each.agent: each for each in digests}
    rows = await tx.fetch(_SAY, tenant, *_columns(by_agent.values())) if by_agent else []
    return [by_agent[row["agent"]] for row in rows]


async def next_digests(tx: Transaction, tenant: str) -> Digests:
    """The next digest of every agent of that company, locked."""
    return _digests(await tx.fetch(_NEXT_DIGESTS, tenant))


async def plan_digests(tx: Transaction, tenant: str, before: Digests, after: Digests) -> None:
    """Store what differs."""
    old, new = set(before.by_agent.values()), set(after.by_agent.values())
    if gone := sorted(old - new, key=_name):
        await tx.execute(_DROP_DIGESTS, tenant, *_columns(gone)[:2])
    if coming := sorted(new - old, key=_name):
        await tx.execute(_PLAN_DIGESTS, tenant, *_columns(coming))


async def forget_digests(tx: Transaction, before: date) -> None:
    """Drop what was said before that local date."""
    await tx.execute("delete from digest where said and date < $1", before)


async def absences(tx: Transaction, tenant: str) -> LongAbsences:
    """What is known of that company's absences, locked."""
    rows = await tx.fetch(_ABSENCES, tenant)
    return LongAbsences.of(
        LongAbsence(Away(row["agent"], row["since"], row["until"]), row["said"]) for row in rows
    )


async def plan_absences(
    tx: Transaction, tenant: str, before: LongAbsences, after: LongAbsences
) -> None:
    """Store what differs."""
    gone = sorted(before.by_name.keys() - after.by_name.keys())
    if gone:
        agents, since = zip(*gone, strict=True)
        await tx.execute(_DROP_ABSENCES, tenant, list(agents), list(since))
    new = [each for name, each in after.by_name.items() if before.by_name.get(name) != each]
    if new:
        await tx.execute(
            _PLAN_ABSENCES,
            tenant,
            [each.away.agent for each in new],
            [each.away.since for each in new],
            [each.away.until for each in new],
            [each.due_at for each in new],
            [each.said for each in new],
        )


async def take_due_absences(tx: Transaction, tenant: str, now: datetime) -> list[LongAbsence]:
    """Those that have lasted for 24 hours by `now`; they are said from here on."""
    rows = await tx.fetch(_TAKE_DUE_ABSENCES, tenant, now)
    found = [LongAbsence(Away(row["agent"], row["since"], row["until"])) for row in rows]
    return sorted(found, key=lambda each: (each.due_at, each.name))


def deadlines_of(rows: Iterable[Record]) -> Deadlines:
    """The deadlines that these rows are."""
    return Deadlines.of(
        Deadline(decode(row["asked"].encode()), row["due_at"], row["planned_by"]) for row in rows
    )


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
