"""The disk of PostgreSQL, or of Kafka, is full for some seconds; then there is room again."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from relance.stack.home import Home
from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres
from tests.faults.office import Ground, Office
from tests.faults.office_faults import Fault
from tests.faults.office_visit import visit
from tests.faults.row import Row
from tests.faults.small_disk import SmallDisk, small_disk
from tests.stack import temporary_home

FULL_S = 6.0
TIMES = 2


@dataclass(frozen=True)
class Disk:
    """`of` is what lies on the small disk: `kafka` or `postgres`."""

    name: str
    of: str
    megabytes: int

    async def visit(self, name: str, seed: int) -> Row:
        """Raises `NoSmallDisk` where none can be had."""
        with ExitStack() as opened:
            disk = opened.enter_context(small_disk(self.megabytes))
            home = temporary_home()
            opened.callback(home.remove)
            return await self._visit(disk, home, name, seed)

    async def _visit(self, disk: SmallDisk, home: Home, name: str, seed: int) -> Row:
        kafka = Kafka(disk.home if self.of == "kafka" else home)
        postgres = Postgres(disk.home if self.of == "postgres" else home)
        folder = Path(tempfile.mkdtemp(prefix="relance-office-"))
        server = kafka if self.of == "kafka" else postgres
        try:
            await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))
            ended: list[int] = []
            fault = Fault(self.name, _once(disk, server, ended), TIMES, per_s=200)
            row = await visit(Ground(kafka, postgres, "relance", folder), name, fault, seed)
            what = f"{'Kafka' if self.of == 'kafka' else 'PostgreSQL'} ended {len(ended)} times"
            return replace(row, note=row.note or what)
        finally:
            disk.free()
            await asyncio.gather(asyncio.to_thread(kafka.kill), asyncio.to_thread(postgres.stop))


def _once(
    disk: SmallDisk, server: Kafka | Postgres, ended: list[int]
) -> Callable[[Office, random.Random], Awaitable[None]]:
    async def once(office: Office, chance: random.Random) -> None:
        disk.fill()
        await asyncio.sleep(FULL_S)
        disk.free()
        if not server.child.alive:  # as a supervisor would
            ended.append(server.child.exit_code or 0)
            await asyncio.to_thread(server.start)

    return once


DISKS = (
    Disk("disk of PostgreSQL full 6 s", "postgres", 400),
    Disk("disk of Kafka full 6 s", "kafka", 600),
)
