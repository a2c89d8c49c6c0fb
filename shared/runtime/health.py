"""Health: whether the process lives, is ready, and (for the stepping clock) is quiet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from shared.runtime import clock

PREFIXES = ("/health/", "/metrics")
"""Requests to these are no activity."""


class Quiet(BaseModel):
    """What one process tells the stepper.

    `positions` are the next records of what it has been assigned, as `topic/partition`;
    `topics` what its service reads, with the number of partitions; `activity` rises with every
    batch, publish and request.
    """

    service: str
    quiet: bool
    busy: list[str]
    activity: int
    topics: dict[str, int]
    positions: dict[str, int]
    next_instant: datetime | None


class Health:
    """What the routes ask; the service fills it in.

    `dead`: why the process should be ended. `rulebooks`: which version each tenant goes by.
    """

    def __init__(
        self,
        quiet: Callable[[], Awaitable[Quiet]],
        ready: Callable[[], Awaitable[dict[str, bool]]],
        dead: Callable[[], str | None],
        rulebooks: Callable[[], Awaitable[dict[str, str]]],
    ) -> None:
        self._quiet = quiet
        self._ready = ready
        self._dead = dead
        self._rulebooks = rulebooks

    def router(self) -> APIRouter:
        """The routes every service has."""
        router = APIRouter(include_in_schema=False)

        @router.get("/health/live")
        async def live() -> Response:
            why = self._dead()
            return Response(f"{why or 'alive'}\n", 503 if why else 200)

        @router.get("/health/ready")
        async def ready(response: Response) -> dict[str, bool]:
            answers = await self._ready()
            response.status_code = 200 if all(answers.values()) else 503
            return answers

        @router.get("/health/quiet")
        async def quiet() -> Quiet:
            return await self._quiet()

        @router.get("/health/rulebooks")
        async def rulebooks() -> dict[str, str]:
            return await self._rulebooks()

        @router.get("/metrics")
        async def metrics() -> Response:
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

        return router


def is_due(instant: datetime | None) -> bool:
    """Whether planned work waits to be done now."""
    return instant is not None and instant <= clock.now()
