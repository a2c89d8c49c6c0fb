"""API keys of agents: `rl_<id>_<secret>`, shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from shared.runtime.postgres import Transaction

_SHAPE = re.compile(r"rl_([0-9a-f]{10})_([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds a valid key: the `by` of everything done with it."""

    tenant: str
    agent: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed: everything but the secret."""

    id: str
    tenant: str
    agent: str
    name: str | None
    created_at: datetime
    revoked_at: datetime | None


async def create(tx: Transaction, *, tenant: str, agent: str, name: str | None = None) -> str:
    """Store a new key and return its text; nobody can read it again."""
    key_id, secret = secrets.token_hex(5), secrets.token_hex(32)
    await tx.execute(
        """
        INSERT INTO api_key (id, tenant, agent, name, secret_sha256)
        VALUES ($1, $2, $3, $4, $5)
        """,
        key_id,
        tenant,
        agent,
        name,
        _hash(secret),
    )
    return f"rl_{key_id}_{secret}"


async def caller_of(tx: Transaction, text: str) -> Caller | None:
    """Whose key `text` is; None when it is unknown, malformed or revoked."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    row = await tx.fetchrow(
        "SELECT tenant, agent, secret_sha256 FROM api_key WHERE id = $1 AND revoked_at IS NULL",
        shape[1],
    )
    if row is None or not hmac.compare_digest(row["secret_sha256"], _hash(shape[2])):
        return None
    return Caller(tenant=row["tenant"], agent=row["agent"], key_id=shape[1])


async def listed(tx: Transaction, tenant: str) -> list[Key]:
    """All keys of the tenant, oldest first."""
    rows = await tx.fetch(
        """
        SELECT id, tenant, agent, name, created_at, revoked_at
        FROM api_key
        WHERE tenant = $1
        ORDER BY created_at, id
        """,
        tenant,
    )
    return [Key(**dict(row)) for row in rows]


async def revoke(tx: Transaction, *, tenant: str, key_id: str) -> bool:
    """Take the key back for ever; False when the tenant has no such key in force."""
    revoked = await tx.fetchval(
        """
        UPDATE api_key
        SET revoked_at = now()
        WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL
        RETURNING id
        """,
        tenant,
        key_id,
    )
    return revoked is not None


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
