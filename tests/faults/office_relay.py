"""The member whose relay publishes is hit: how long until another's has taken over (rule 16)."""

from __future__ import annotations

import asyncio
import random
import uuid
from time import monotonic

import httpx2

from relance.stack.family import frozen
from tests.faults.office import Office
from tests.toy.process import Process

NOTE = "recovery: from the hit until another member has published what was told to it"
LEAD = "relay-lead"
_LIMIT_S = 60.0
_LEFT = "select exists (select from outbox where key = convert_to($1, 'UTF8'))"


async def killed(office: Office, chance: random.Random) -> float:
    """SIGKILL: PostgreSQL sees its session end."""
    elected, other = await _relays(office)
    elected.kill()
    took_s = await _published_by(office, other)
    await office.restart(elected)
    return took_s


async def held(office: Office, chance: random.Random) -> float:
    """SIGSTOP: it falls silent and its session stays open; SIGCONT when another has published."""
    elected, other = await _relays(office)
    with frozen(elected.child.pid):
        return await _published_by(office, other)


async def _relays(office: Office) -> tuple[Process, Process]:
    """Who publishes, and somebody who does not."""
    async with asyncio.timeout(_LIMIT_S), httpx2.AsyncClient(timeout=5) as http:
        while True:
            elected = [clerk for clerk in office.clerks if await _is_elected(http, clerk)]
            others = [clerk for clerk in office.clerks if clerk not in elected]
            if len(elected) == 1 and others:
                return elected[0], others[0]
            await asyncio.sleep(0.05)


async def _is_elected(http: httpx2.AsyncClient, clerk: Process) -> bool:
    told = (await http.get(f"{clerk.url}/metrics")).text.splitlines()
    return "relance_relay_elected 1.0" in told


async def _published_by(office: Office, clerk: Process) -> float:
    """Seconds until what the clerk is told now is on its topic."""
    began = monotonic()
    async with httpx2.AsyncClient(timeout=10) as http:
        (await http.post(f"{clerk.url}/leads/{LEAD}/{uuid.uuid4()}")).raise_for_status()
    office.acted[LEAD] += 1
    async with asyncio.timeout(_LIMIT_S), office.books() as session:
        while await session.fetchval(_LEFT, LEAD):  # noqa: ASYNC110 - a table tells
            await asyncio.sleep(0.01)
    return monotonic() - began
