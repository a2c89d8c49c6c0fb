"""The agents of the demo: each gets an API key of their own, as `relance key create` makes it."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg

from relance.outside import AgentAtWork
from services.pipeline import keys


async def at_work(
    ids: Iterable[str], *, tenant: str, postgres: str, pipeline_url: str
) -> dict[str, AgentAtWork]:
    """The agents by id, ready to act. `postgres` is a DSN with pipeline's role."""
    async with asyncpg.create_pool(postgres, min_size=1, max_size=1) as pool, pool.acquire() as tx:
        return {
            id_: AgentAtWork(
                id_,
                pipeline_url,
                await keys.create(tx, tenant=tenant, agent=id_, name="demo"),
            )
            for id_ in ids
        }
