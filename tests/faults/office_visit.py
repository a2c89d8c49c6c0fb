"""A fault visits an office: again and again, under load; then every book is compared."""

from __future__ import annotations

import asyncio
import random
from time import monotonic

from tests.faults.office import Ground, Office
from tests.faults.office_faults import Fault
from tests.faults.office_load import OfficeLoad
from tests.faults.office_verdict import judged
from tests.faults.row import Row

UP_S = (0.2, 1.0)
"""How long an office may work before it is hit again."""


async def visit(ground: Ground, name: str, fault: Fault, seed: int) -> Row:
    """A new office, the fault `times` times, and the row of the table."""
    office = Office(ground, name)
    try:
        await office.open()
        row = await strike(office, fault, seed)
        await office.close()
    finally:
        office.clear()
        await office.let_go()
    return row


async def strike(office: Office, fault: Fault, seed: int) -> Row:
    """The fault `times` times under load, and the books compared from the beginning."""
    chance = random.Random(seed)
    began, before = monotonic(), (office.told + office.acted).total()
    office.cpu_percent = None
    load, done = OfficeLoad(office, seed, copies=fault.copies), asyncio.Event()
    working = asyncio.create_task(load.run(done, at_least=fault.events, per_s=fault.per_s))
    try:
        recoveries = [await _hit(office, fault, chance) for _ in range(fault.times)]
        done.set()
        await working
    finally:
        working.cancel()
    verdict = await judged(office)
    return Row(
        fault=fault.name,
        on="toy",
        runs=fault.times * fault.each,
        events=verdict.events - before,
        lost=verdict.lost,
        repeated=verdict.repeated,
        disordered=verdict.disordered,
        stuck=verdict.stuck,
        recovery_s=round(max(recoveries), 1),
        cpu_percent=office.cpu_percent,
        took_s=round(monotonic() - began, 1),
        note=verdict.why or fault.note,
    )


async def _hit(office: Office, fault: Fault, chance: random.Random) -> float:
    await asyncio.sleep(chance.uniform(*UP_S))
    took_s = await fault.once(office, chance)
    probed_s = await office.probe()
    return probed_s if took_s is None else took_s
