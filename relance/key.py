"""`relance key`: the keys with which agents use pipeline's API. Each function is one command."""

from __future__ import annotations

from pathlib import Path

from relance import database
from relance.database import CannotDo
from services.pipeline import keys
from services.pipeline.keys import Key
from shared.domain.directory import Unknown
from shared.runtime import rulebook_folder


class NoKey(CannotDo):
    """Why it was not done."""


async def create(rulebook: Path, agent: str, name: str | None) -> str:
    """A new key of the agent: the only time it is shown. Raises `NoKey`, `NoDatabase`."""
    tenant = rulebook_folder.read(rulebook).tenant
    async with database.transaction("pipeline") as tx:
        known = await database.directory(tx, tenant)
        try:
            known.agent(agent)
        except Unknown:
            ids = ", ".join(each.id for each in known.agents) or "nobody yet"
            raise NoKey(
                f"There is no agent {agent!r} in the directory that pipeline has (it has {ids}): "
                "`relance directory apply FILE` adds people."
            ) from None
        return await keys.create(tx, tenant=tenant, agent=agent, name=name)


async def listed(rulebook: Path) -> str:
    """All keys of the company as a table for people."""
    tenant = rulebook_folder.read(rulebook).tenant
    async with database.transaction("pipeline") as tx:
        found = await keys.listed(tx, tenant)
    if not found:
        return "No keys yet: `relance key create --agent NAME` makes one."
    rows = [("id", "agent", "created", "revoked", "name"), *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


async def revoke(rulebook: Path, key: str) -> str:
    """Take a key back, given whole or by its id. Raises `NoKey`, `NoDatabase`."""
    tenant = rulebook_folder.read(rulebook).tenant
    key_id = key.removeprefix("rl_").split("_", 1)[0]
    async with database.transaction("pipeline") as tx:
        if not await keys.revoke(tx, tenant=tenant, key_id=key_id):
            raise NoKey(f"There is no key {key_id!r} in force: see `relance key list`.")
    return f"Key {key_id} is revoked."


def _row(key: Key) -> tuple[str, ...]:
    created = f"{key.created_at:%Y-%m-%d %H:%M}"
    revoked = f"{key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else ""
    return (key.id, key.agent, created, revoked, key.name or "")
