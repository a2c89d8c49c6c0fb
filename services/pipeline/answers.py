"""What Idempotency-Keys were answered: a repeat gets the same answer and has no second effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from services.pipeline.keys import Caller
from shared.runtime.postgres import Transaction


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as it was given: JSON text, a problem if the status says so."""

    status: int
    body: str


class OtherRequest(Exception):
    """The key was used for another request before."""


async def claim(tx: Transaction, caller: Caller, key: str, request: bytes) -> Answer | None:
    """None for the first use of `key` by this agent: `keep` its answer in the same transaction.

    A repeat waits for the first one's transaction, then gets its answer. `request` is a hash of
    what is asked for; raises `OtherRequest` when it differs from the first one's.
    """
    claimed = await tx.fetchval(
        """
        INSERT INTO answer (tenant, agent, key, request_sha256)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING
        RETURNING true
        """,
        caller.tenant,
        caller.agent,
        key,
        request,
    )
    if claimed:
        return None
    row = await tx.fetchrow(
        """
        SELECT request_sha256, status, body
        FROM answer
        WHERE tenant = $1 AND agent = $2 AND key = $3
        """,
        caller.tenant,
        caller.agent,
        key,
    )
    if row is None or row["request_sha256"] != request:
        raise OtherRequest(key)
    return Answer(row["status"], row["body"])


async def keep(tx: Transaction, caller: Caller, key: str, answer: Answer) -> None:
    """Remember what `key` was answered."""
    await tx.execute(
        """
        UPDATE answer
        SET status = $4, body = $5
        WHERE tenant = $1 AND agent = $2 AND key = $3
        """,
        caller.tenant,
        caller.agent,
        key,
        answer.status,
        answer.body,
    )


async def forget(tx: Transaction, older_than: timedelta) -> None:
    """Drop the answers that nobody repeats any more."""
    await tx.execute("DELETE FROM answer WHERE created_at < now() - $1::interval", older_than)
