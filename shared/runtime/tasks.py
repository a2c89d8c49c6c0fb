"""Tasks: loops that run as long as the service; bad luck restarts one, bad code ends it all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from aiokafka.errors import KafkaError

from shared.runtime.postgres import Unavailable, is_bad_luck, pause_s

log = structlog.get_logger(__name__)

Loop = Callable[[], Awaitable[None]]


class Tasks:
    """The loops of one service."""

    def __init__(self, fail: Callable[[str], None]) -> None:
        self._fail = fail
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, loop: Loop) -> None:
        """Run `loop` until stop."""
        self._tasks.append(asyncio.create_task(self._watch(loop)))

    async def stop(self) -> None:
        """Cancel them all and wait; once more whoever swallowed it."""
        left = set(self._tasks)
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=1)
        self._tasks.clear()

    async def _watch(self, loop: Loop) -> None:
        name = getattr(loop, "__qualname__", repr(loop))
        failures = 0
        while True:
            try:
                await loop()
            except Exception as error:
                if not (is_bad_luck(error) or isinstance(error, (KafkaError, Unavailable))):
                    log.critical("a loop has failed", loop=name, exc_info=error)
                    self._fail(f"{name}: {type(error).__name__}: {error}")
                    return
                log.warning("a loop begins again", loop=name, error=repr(error))
                await asyncio.sleep(pause_s(failures))
                failures += 1
            else:
                return
