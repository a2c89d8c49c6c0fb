"""The sandboxes over real HTTP: who hung up, and what they cannot keep."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.component.sandbox_stand import sandbox_of
from tests.stack import Database

ID = str(uuid.uuid4())


@pytest.fixture
async def sandbox(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a sandbox that serves."""
    async with (
        sandbox_of(database) as (_, url),
        httpx2.AsyncClient(base_url=f"{url}/sandbox", timeout=10) as client,
    ):
        yield client


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


@pytest.mark.parametrize(
    ("id_", "body"),
    [("no-uuid", "{}"), (ID, "{"), (ID, b"\xff")],
)
async def test_a_hand_off_that_cannot_be_kept_is_refused_in_a_sentence(
    sandbox: httpx2.AsyncClient, id_: str, body: str | bytes
) -> None:
    answer = await sandbox.post("/webhooks/factory", content=body, headers={"webhook-id": id_})

    assert answer.status_code == 400
    assert "webhook-id is no UUID" in answer.json()["detail"]
    assert (await sandbox.get("/webhooks/messages")).json() == []


def _message() -> dict[str, str]:
    return {"id": str(uuid.uuid4()), "to": "+375290000000", "text": "Перезвоните"}
