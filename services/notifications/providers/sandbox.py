"""The sandbox: an SMS provider, and a chat, in our own house that shows what it would have sent.

It keeps what it accepts in a table, so it survives a restart, and it misbehaves when told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from services.notifications.core import sms
from services.notifications.providers.sandbox_page import page
from shared.contract.notifications import MessageChannel
from shared.runtime import clock
from shared.runtime.postgres import Postgres, Transaction

T = TypeVar("T")

_PATIENCE_S = 10.0
_LOOK_EVERY_S = 0.05

_STORE = """
insert into sandbox_sms (id, recipient, sender, text, parts, at, channel)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (id) do update set times = sandbox_sms.times + 1
returning place
"""
_LATEST = """
select id, recipient, sender, text, parts, times, at, channel
from sandbox_sms order by place desc limit $1
"""


class Sms(BaseModel):
    """What is posted: `id` is the sender's own, and the same id is the same message."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    to: str = Field(min_length=1, max_length=40)
    text: str = Field(min_length=1, max_length=10_000)
    sender: str = Field(default="", max_length=100)


class Behaviour(BaseModel):
    """How it misbehaves, for tests: each number counts down.

    `fail`: answers 503 and takes nothing. `drop`: takes it and answers 500, so that the sender
    cannot know. `delay_s`: how long every answer takes.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    fail: int = Field(default=0, ge=0)
    drop: int = Field(default=0, ge=0)
    delay_s: float = Field(default=0, ge=0, le=300)

    def fails(self) -> bool:
        """Whether this one is to fail; counts it."""
        if self.fail:
            self.fail -= 1
            return True
        return False

    def drops(self) -> bool:
        """Whether this answer is to get lost; counts it."""
        if self.drop:
            self.drop -= 1
            return True
        return False


class Sandbox:
    """Its routes, over the service's own database."""

    def __init__(self, postgres: Callable[[], Postgres]) -> None:
        """`postgres` is asked at each request: routes are made before the service starts."""
        self._postgres = postgres
        self.behaviour = Behaviour()
        self.router = APIRouter(prefix="/sandbox", tags=["sandbox"])
        self._add_routes(self.router)

    async def accept(
        self, message: Sms, request: Request, channel: MessageChannel = "sms"
    ) -> Response:
        """Take a message, or misbehave.

        Nothing is taken of somebody who has hung up: they ask what became of it, and what they
        were told then stays true.
        """
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.delay_s)
        if behaviour.fails():
            return JSONResponse({"detail": "misbehaving on purpose"}, 503)
        storing = self._in_transaction(lambda tx: _store(tx, message, clock.now(), channel))
        place = await _unless_gone(request, storing)
        if place is None:
            return JSONResponse({"detail": "nobody waits for this answer"}, 499)
        if behaviour.drops():
            return JSONResponse({"detail": "taken, but the answer got lost on purpose"}, 500)
        return JSONResponse({"id": f"sandbox-{place}"}, 201)

    async def known(self, id_: UUID) -> Response:
        """Whether a message was taken."""
        place = await self._in_transaction(
            lambda tx: tx.fetchval("select place from sandbox_sms where id = $1", id_)
        )
        if place is None:
            return JSONResponse({"detail": "no such message"}, 404)
        return JSONResponse({"id": f"sandbox-{place}"})

    async def messages(self, limit: int) -> list[dict[str, Any]]:
        """What was taken, newest first."""
        rows = await self._in_transaction(lambda tx: tx.fetch(_LATEST, limit))
        return [
            {
                "id": str(row["id"]),
                "to": row["recipient"],
                "sender": row["sender"],
                "text": row["text"],
                "parts": row["parts"],
                "times": row["times"],
                "channel": row["channel"],
                "at": row["at"].isoformat(),
            }
            for row in rows
        ]

    def _add_routes(self, router: APIRouter) -> None:
        @router.post("/sms")
        async def accept(message: Sms, request: Request) -> Response:
            """Take a message, as an SMS provider would."""
            return await self.accept(message, request)

        @router.post("/chat")
        async def chatted(message: Sms, request: Request) -> Response:
            """Take a chat message, as the company's chat would."""
            return await self.accept(message, request, "chat")

        @router.get("/chat/{id_}")
        @router.get("/sms/{id_}")
        async def known(id_: UUID) -> Response:
            """What became of a message."""
            return await self.known(id_)

        @router.get("/messages")
        async def messages(
            limit: Annotated[int, Query(ge=1, le=100_000)] = 100_000,
        ) -> list[dict[str, Any]]:
            """What was taken, newest first."""
            return await self.messages(limit)

        @router.put("/behaviour")
        async def behave(behaviour: Behaviour) -> Behaviour:
            """Misbehave from now on."""
            self.behaviour = behaviour
            return behaviour

        @router.get("", response_class=HTMLResponse, include_in_schema=False)
        async def show() -> HTMLResponse:
            return HTMLResponse(page(await self.messages(100)))

    async def _in_transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self._postgres().retried(work, _PATIENCE_S)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`; None, and `work` given up, once the client has hung up."""
    task = asyncio.create_task(work)
    try:
        while not task.done():
            if await request.is_disconnected():
                return None
            await asyncio.wait({task}, timeout=_LOOK_EVERY_S)
        return task.result()
    finally:
        task.cancel()


async def _store(tx: Transaction, message: Sms, at: datetime, channel: MessageChannel) -> int:
    parts = sms.parts(message.text)
    place: int = await tx.fetchval(
        _STORE, message.id, message.to, message.sender, message.text, parts, at, channel
    )
    return place
