"""The sequence: repeats and gaps between our services (`runtime.md` 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.runtime.postgres import Overtaken, Transaction

Key = tuple[str, str]
"""(source, subject)"""

_READ = """
select source, subject, last from sequence
where (source, subject) in (select * from unnest($1::text[], $2::text[]))
"""
_ADVANCE = """
with new as (
  select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[])
    as n (source, subject, was, last)
), changed as (
  update sequence s set last = n.last from new n
  where s.source = n.source and s.subject = n.subject and s.last = n.was and n.was > 0
  returning 1
), added as (
  insert into sequence (source, subject, last)
  select source, subject, last from new where was = 0
  on conflict do nothing
  returning 1
)
select (select count(*) from changed) + (select count(*) from added)
"""


async def read(tx: Transaction, keys: Iterable[Key]) -> dict[Key, int]:
    """The last sequence applied of each subject that has one."""
    wanted = list(keys)
    rows = await tx.fetch(_READ, [key[0] for key in wanted], [key[1] for key in wanted])
    return {(row["source"], row["subject"]): row["last"] for row in rows}


async def advance(tx: Transaction, was: Mapping[Key, int], now: Mapping[Key, int]) -> None:
    """Write the new last sequences; raises `Overtaken` if one is not what it was when read.

    That is how a member that was paused and lost its partitions finds out, without a lock.
    """
    keys = sorted(now)
    if not keys:
        return
    written = await tx.fetchval(
        _ADVANCE,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [was.get(key, 0) for key in keys],
        [now[key] for key in keys],
    )
    if written != len(keys):
        raise Overtaken("another member has taken up these events meanwhile")
