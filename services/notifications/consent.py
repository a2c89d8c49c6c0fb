"""The last word of each contact point on each channel: the only place that knows its table."""

from __future__ import annotations

from collections.abc import Iterable

from services.notifications.core.consent import Revocation, Word, Words
from services.notifications.core.message import Message
from shared.contract.intake import ContactPoint
from shared.domain.point_hash import point_hash
from shared.runtime.postgres import Postgres, Transaction

_HEAR = """
insert into consent as known (tenant, point, channel, revision, given)
select $1, * from unnest($2::bytea[], $3::text[], $4::bigint[], $5::boolean[])
on conflict (tenant, point, channel) do update
set revision = excluded.revision, given = excluded.given
where (excluded.revision, not excluded.given) >= (known.revision, not known.given)
"""
_REVOKED = """
select tenant, point, channel from consent
where (tenant, point) in (select * from unnest($1::text[], $2::bytea[])) and not given
"""
_OLD = "delete from revocation returning tenant, kind, value, channel"


async def hear(tx: Transaction, key: bytes, tenant: str, words: Words) -> None:
    """Store them; what is released from now on obeys them."""
    rows = sorted(
        (point_hash(key, tenant, kind, value), channel, word.revision, word.given)
        for (kind, value, channel), word in words.items()
    )
    if rows:
        await tx.execute(_HEAR, tenant, *map(list, zip(*rows, strict=True)))


async def revoked(
    tx: Transaction, key: bytes, messages: Iterable[Message]
) -> frozenset[Revocation]:
    """The revocations of the contact points in these messages, as they are committed now."""
    points: dict[tuple[str, bytes], ContactPoint] = {
        (tenant, point_hash(key, tenant, point.kind, point.value)): point
        for message in messages
        if message.asked.to.kind == "contact"
        for tenant in [message.request.tenant]
        for point in message.asked.to.points
    }
    if not points:
        return frozenset()
    rows = await tx.fetch(_REVOKED, *map(list, zip(*sorted(points), strict=True)))
    found = [(points[row["tenant"], row["point"]], row["channel"]) for row in rows]
    return frozenset((point.kind, point.value, channel) for point, channel in found)


async def hash_old(postgres: Postgres, key: bytes, deadline_s: float) -> None:
    """What an older release stored in clear is hashed, once; `Unavailable` past the deadline."""

    async def hash_them(tx: Transaction) -> None:
        old: dict[str, dict[Revocation, Word]] = {}
        for row in await tx.fetch(_OLD):
            about = (row["kind"], row["value"], row["channel"])
            old.setdefault(row["tenant"], {})[about] = Word(0, given=False)
        for tenant, words in old.items():
            await hear(tx, key, tenant, words)

    await postgres.retried(hash_them, deadline_s)
