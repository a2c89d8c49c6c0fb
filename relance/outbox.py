"""`relance outbox`: events that Kafka refuses for good, and how they are tried again.

Such a row holds up the later ones of its subject, so that order is kept, and nobody else's.
"""

from __future__ import annotations

from datetime import UTC, datetime

from relance import database
from relance.database import CannotDo, transaction
from shared.domain.count import counted
from shared.runtime.postgres import Transaction

_STUCK = """
SELECT topic, convert_from(key, 'UTF8') AS subject, count(*) AS many, min(id) AS first,
       (array_agg(stuck ORDER BY id))[1] AS why,
       (array_agg(octet_length(value) ORDER BY id))[1] AS bytes
FROM outbox
WHERE stuck IS NOT NULL
GROUP BY topic, key
ORDER BY min(id)
"""
_FREE = """
UPDATE outbox SET stuck = NULL
WHERE stuck IS NOT NULL AND ($1::text IS NULL OR key = convert_to($1, 'UTF8'))
"""


async def listed(postgres: str | None = None) -> str:
    """Every subject that is held up: since which row, how many wait, and what Kafka said."""
    lines: list[str] = []
    for service in database.WITH_DATABASE:
        async with transaction(service, postgres) as tx:
            for row in await tx.fetch(_STUCK):
                size = f"{counted(row['bytes'], 'byte')}, {row['many'] - 1} more behind it"
                lines.append(f"{service}: {row['subject']} on {row['topic']} ({size})")
                lines.append(f"    {row['why']}")
    if not lines:
        return "Nothing is stuck: Kafka takes everything."
    at = f"As of {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC."
    after = "Mend what Kafka objects to, then: relance outbox retry --all"
    return "\n".join([*lines, "", at, after])


async def retry(subject: str | None, postgres: str | None = None) -> str:
    """Let the relays try again, one subject or all of them. Raises `CannotDo`."""
    freed = 0
    for service in database.WITH_DATABASE:
        async with transaction(service, postgres) as tx:
            freed += await _freed(tx, subject)
    if not freed and subject is not None:
        raise CannotDo(f"Nothing of {subject} is stuck; `relance outbox list` shows what is.")
    tried = counted(freed, "row is tried", "rows are tried")
    return f"{tried} again now." if freed else "Nothing is stuck."


async def _freed(tx: Transaction, subject: str | None) -> int:
    done: str = await tx.execute(_FREE, subject)
    return int(done.rpartition(" ")[2])
