"""The SMS sandbox over real HTTP: what somebody who hung up is told afterwards stays true."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from services.notifications.providers.sandbox import Sandbox
from shared.runtime import http, migration, postgres
from tests.stack import Database

MIGRATIONS = Path("services/notifications/migrations")


@pytest.fixture
async def sandbox(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a sandbox that serves."""
    dsn = database.dsn("notifications")
    await migration.apply(dsn, "notifications", MIGRATIONS)
    sessions = postgres.Postgres(dsn, "notifications")
    await sessions.open(10)
    app = FastAPI()
    app.include_router(Sandbox(lambda: sessions).router)
    bound, server = http.listen("127.0.0.1", 0), http.server(app)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/sandbox"
    async with httpx2.AsyncClient(base_url=url, timeout=10) as client:
        yield client
    server.should_exit = True
    await serving
    await sessions.close()


async def test_a_message_whose_sender_has_hung_up_is_not_taken_later(
    sandbox: httpx2.AsyncClient,
) -> None:
    """Else its sender asks, hears that it is not there, and sends it a second time."""
    given_up, patient = _message(), _message()
    await sandbox.put("/behaviour", json={"delay_s": 0.5})
    with pytest.raises(httpx2.ReadTimeout):
        await sandbox.post("/sms", json=given_up, timeout=0.1)
    answer = await sandbox.post("/sms", json=patient)  # arrives, and so ends, after the first one
    taken = [message["id"] for message in (await sandbox.get("/messages")).json()]

    assert answer.status_code == 201
    assert taken == [patient["id"]]


def _message() -> dict[str, str]:
    return {"id": str(uuid.uuid4()), "to": "+375290000000", "text": "Перезвоните"}
