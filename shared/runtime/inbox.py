"""The inbox: repeats from outside, known by their id (`runtime.md` 10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shared.runtime.postgres import Transaction

KEPT = timedelta(days=120)
"""As long as the topics keep what could be repeated."""

FORGOTTEN_AT_ONCE = 10_000

_FORGET = """
delete from inbox where id in (
  select id from inbox where seen_at < now() - $1::interval limit $2
)
"""


async def claim(tx: Transaction, id_: str) -> bool:
    """True for the first caller with this UUID (an event's id, an Idempotency-Key), else False.

    A second caller waits until the first one's transaction has ended.
    """
    return bool(await claim_all(tx, [id_]))


async def claim_all(tx: Transaction, ids: Sequence[str]) -> set[str]:
    """Those of `ids` that were not seen before."""
    # Sorted, so that two batches with the same ids never wait for each other in a circle.
    rows = await tx.fetch(
        "insert into inbox (id) select unnest($1::uuid[]) on conflict do nothing returning id",
        sorted(set(ids)),
    )
    return {str(row["id"]) for row in rows}


async def forget(tx: Transaction) -> int:
    """Drop ids older than `KEPT`, at most `FORGOTTEN_AT_ONCE`; return how many.

    By the database's own time: a stepping clock ages nothing here.
    """
    status: str = await tx.execute(_FORGET, KEPT, FORGOTTEN_AT_ONCE)
    return int(status.rpartition(" ")[2])
