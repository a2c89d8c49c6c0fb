"""What is done to the stack: services killed, PostgreSQL crashed; and how long each is away."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic

from relance.stack.stack import SERVICES, Stack
from tests.faults.whole_faults import Hit

UP_S = (0.3, 4.0)
"""How long, in seconds, something may work before it is hit again: at least, at most."""


@dataclass(frozen=True)
class Recovery:
    """After so long what was killed worked again; `at_s` since the fire began."""

    what: str
    at_s: float
    seconds: float


class Fire:
    """Several lanes side by side, one for each thing that is hit; seeded."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.recoveries: list[Recovery] = []
        self._stack = stack
        self._chance = random.Random(seed)
        self._began = monotonic()

    async def rage(
        self, *, kills: int, services: Sequence[str] = SERVICES, crashes: int = 0
    ) -> list[Recovery]:
        """`kills` spread over `services`, each as soon as it works again and a little later."""
        self._began = monotonic()
        lanes = [
            self._lane(service, kills // len(services) + (place < kills % len(services)))
            for place, service in enumerate(services)
        ]
        await asyncio.gather(*lanes, self._lane("postgres", crashes))
        return self.recoveries

    async def hit(self, hit: Hit | None, times: int) -> None:
        """Something else, so many times."""
        for _ in range(times if hit else 0):
            await asyncio.sleep(self._chance.uniform(*UP_S))
            at = monotonic()
            assert hit is not None
            for took_s in await asyncio.to_thread(hit, self._stack, self._chance):
                self.recoveries.append(Recovery("hit", at - self._began, took_s))

    async def _lane(self, what: str, times: int) -> None:
        for _ in range(times):
            await asyncio.sleep(self._chance.uniform(*UP_S))
            at = monotonic()
            await asyncio.to_thread(self._hit, what)
            self.recoveries.append(Recovery(what, at - self._began, monotonic() - at))

    def _hit(self, what: str) -> None:
        if what == "postgres":
            self._stack.postgres.crash()
            self._stack.postgres.start()
        else:
            self._stack.services[what].kill()
            self._stack.services[what].start()


def table(recoveries: Sequence[Recovery]) -> str:
    """When, what, and how long until it was ready again."""
    rows = [
        f"  {each.at_s:6.1f} s  {each.what:<14} ready again after {each.seconds:5.1f} s"
        for each in sorted(recoveries, key=lambda each: each.at_s)
    ]
    return "\n".join(rows)
