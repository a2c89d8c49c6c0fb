"""What is done to the whole system beside kills: each once, as a blocking call.

It returns the seconds until each thing that was hit worked again (`recovery`): from its SIGTERM,
from its death, or from the end of what held it; never the time that the fault itself lasts.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from relance.stack.family import frozen
from relance.stack.stack import Stack
from tests.faults.in_hand import InHand
from tests.faults.jumpy import jump
from tests.faults.recovery import wait_recovered


@dataclass(frozen=True)
class Scene:
    """What is hit, by which chance, and what was in hand then."""

    stack: Stack
    chance: random.Random
    in_hand: InHand


Hit = Callable[[Scene], Sequence[float]]

JUMP_S = 30.0
DIES_WITHIN_S = 60.0


def rolling_restart(scene: Scene) -> Sequence[float]:
    """SIGTERM to one service after the other, each at work again before the next."""
    took_s = []
    for name, service in scene.stack.services.items():
        began = time.monotonic()
        service.stop()
        service.launch()
        wait_recovered(scene.stack, [name])
        took_s.append(time.monotonic() - began)
    return took_s


def kafka_frozen(seconds: float) -> Hit:
    def hit(scene: Scene) -> Sequence[float]:
        assert scene.stack.kafka.pid is not None
        with frozen(scene.stack.kafka.pid):
            time.sleep(seconds)
        return [_recovered(scene.stack)]

    return hit


def service_frozen(seconds: float) -> Hit:
    def hit(scene: Scene) -> Sequence[float]:
        name = scene.chance.choice(sorted(scene.stack.services))
        pid = scene.stack.services[name].pid
        assert pid is not None
        with frozen(pid):
            if name == "notifications":
                scene.in_hand.note()
            time.sleep(seconds)
        return [_recovered(scene.stack)]

    return hit


def kafka_killed(scene: Scene) -> Sequence[float]:
    """From the kill on: the broker's own start is a part of it."""
    began = time.monotonic()
    scene.stack.kafka.kill()
    scene.stack.kafka.start()
    wait_recovered(scene.stack)
    return [time.monotonic() - began]


def dies_at(service: str, place: str) -> Hit:
    """The service is armed, comes there, dies, and is started again."""

    def hit(scene: Scene) -> Sequence[float]:
        victim = scene.stack.services[service]
        victim.kill()
        scene.in_hand.note()
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
        victim.launch()
        scene.in_hand.note()
        wait_recovered(scene.stack, [service])
        return [time.monotonic() - died]

    return hit


def clocks_jump(scene: Scene) -> Sequence[float]:
    """Each worker's clock goes its own way, forward or back; at last all are right again."""
    stack = scene.stack
    files = {name: stack.home.folder / f"{name}.clock" for name in stack.services}
    for _ in range(3):
        for file in files.values():
            jump(file, scene.chance.uniform(-JUMP_S, JUMP_S))
        time.sleep(2.0)
    for file in files.values():
        jump(file, 0.0)
    return [_recovered(stack)]


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


def _recovered(stack: Stack) -> float:
    """Seconds until every service works again."""
    began = time.monotonic()
    wait_recovered(stack)
    return time.monotonic() - began
