"""notifications' sandboxes, serving on tables of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.notifications.providers.sandbox import Sandbox
from services.notifications.providers.webhook_sandbox import WebhookSandbox
from shared.runtime import http
from shared.runtime.postgres import Postgres
from tests.stack import Database, sessions_of


@asynccontextmanager
async def sandbox_of(database: Database) -> AsyncIterator[tuple[Postgres, str]]:
    """Sessions in their tables, and where they answer."""
    async with sessions_of(database, "notifications") as sessions:
        app = FastAPI()
        app.include_router(Sandbox(lambda: sessions).router)
        app.include_router(WebhookSandbox(lambda: sessions).router)
        bound, server = http.listen("127.0.0.1", 0), http.server(app)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        yield sessions, f"http://127.0.0.1:{bound.getsockname()[1]}"
        server.should_exit = True
        await serving
