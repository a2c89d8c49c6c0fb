"""What is done to the stack: services killed, PostgreSQL crashed; and how long until it works."""

import asyncio
import random
from collections.abc import Sequence
from time import monotonic

from relance.stack.stack import SERVICES, Stack
from tests.faults.in_hand import InHand
from tests.faults.recovery import Recovery, wait_recovered
from tests.faults.whole_faults import Hit, Scene

UP_S = (0.3, 4.0)
"""How long, in seconds, something may work before it is hit again: at least, at most."""


class Fire:
    """Several lanes side by side, one for each thing that is hit; seeded."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.recoveries: list[Recovery] = []
        self.in_hand = InHand(stack.postgres.dsn("notifications"))
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
        scene = Scene(self._stack, self._chance, self.in_hand)
        for _ in range(times if hit else 0):
            await asyncio.sleep(self._chance.uniform(*UP_S))
            at = monotonic()
            assert hit is not None
            for took_s in await asyncio.to_thread(hit, scene):
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
            self.in_hand.note()
            wait_recovered(self._stack)
        else:
            self._stack.services[what].kill()
            self._stack.services[what].launch()
            if what == "notifications":
                self.in_hand.note()  # once it starts: looking costs no time of the recovery
            wait_recovered(self._stack, [what])


def table(recoveries: Sequence[Recovery]) -> str:
    """When, what, and how long until it worked again."""
    rows = [
        f"  {each.at_s:6.1f} s  {each.what:<14} works again after {each.seconds:5.1f} s"
        for each in sorted(recoveries, key=lambda each: each.at_s)
    ]
    return "\n".join(rows)
