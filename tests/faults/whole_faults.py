"""What is done to the whole system beside kills: each once, as a blocking call.

It returns the seconds until each thing that was hit was ready again: from its SIGTERM, from its
death, or from the end of what held it; never the time that the fault itself lasts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from relance.stack.family import frozen
from relance.stack.stack import Stack
from tests.faults.jumpy import jump

Hit = Callable[[Stack, random.Random], Sequence[float]]

JUMP_S = 30.0
DIES_WITHIN_S = 60.0


def rolling_restart(stack: Stack, chance: random.Random) -> Sequence[float]:
    """SIGTERM to one service after the other, each ready again before the next."""
    took_s = []
    for service in stack.services.values():
        began = time.monotonic()
        service.stop()
        service.start()
        took_s.append(time.monotonic() - began)
    return took_s


def kafka_frozen(seconds: float) -> Hit:
    def hit(stack: Stack, chance: random.Random) -> Sequence[float]:
        assert stack.kafka.pid is not None
        with frozen(stack.kafka.pid):
            time.sleep(seconds)
        return [_all_ready(stack)]

    return hit


def service_frozen(seconds: float) -> Hit:
    def hit(stack: Stack, chance: random.Random) -> Sequence[float]:
        name = chance.choice(sorted(stack.services))
        pid = stack.services[name].pid
        assert pid is not None
        with frozen(pid):
            time.sleep(seconds)
        return [_all_ready(stack)]

    return hit


def kafka_killed(stack: Stack, chance: random.Random) -> Sequence[float]:
    began = time.monotonic()
    stack.kafka.kill()
    stack.kafka.start()
    _all_ready(stack)
    return [time.monotonic() - began]


def dies_at(service: str, place: str) -> Hit:
    """The service is armed, comes there, dies, and is started again."""

    def hit(stack: Stack, chance: random.Random) -> Sequence[float]:
        victim = stack.services[service]
        victim.kill()
        victim.settings = {**victim.settings, "RELANCE_FAILPOINT": place}
        try:
            victim.launch()
            limit = time.monotonic() + DIES_WITHIN_S
            while victim.child.alive:
                assert time.monotonic() < limit, f"{service} does not come to {place}"
                time.sleep(0.02)
            died = time.monotonic()
        finally:
            victim.settings = {
                name: told for name, told in victim.settings.items() if name != "RELANCE_FAILPOINT"
            }
        victim.start()
        return [time.monotonic() - died]

    return hit


def clocks_jump(stack: Stack, chance: random.Random) -> Sequence[float]:
    """Each worker's clock goes its own way, forward or back; at last all are right again."""
    files = {name: stack.home.folder / f"{name}.clock" for name in stack.services}
    for _ in range(3):
        for file in files.values():
            jump(file, chance.uniform(-JUMP_S, JUMP_S))
        time.sleep(2.0)
    for file in files.values():
        jump(file, 0.0)
    return [_all_ready(stack)]


@contextmanager
def movable_clocks(stack: Stack) -> Iterator[None]:
    """Services with clocks that can be moved, while the block lasts."""
    commands = {name: service.child.command for name, service in stack.services.items()}
    for name, service in stack.services.items():
        file = stack.home.folder / f"{name}.clock"
        jump(file, 0.0)
        python = service.child.command[0]
        service.stop()
        service.child.command = [python, "-m", "tests.faults.jumpy", name, file]
        service.start()
    try:
        yield
    finally:
        for name, service in stack.services.items():
            service.stop()
            service.child.command = commands[name]
            service.start()


def _all_ready(stack: Stack) -> float:
    """Seconds until every service is ready."""
    began = time.monotonic()
    for service in stack.services.values():
        service.wait_ready()
    return time.monotonic() - began
