from collections.abc import AsyncIterator
from typing import Annotated

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter, Body, FastAPI

from services.pipeline import problem
from services.pipeline.core.action import Action
from services.pipeline.problem import LONGEST_BODY_BYTES, MEDIA_TYPE, ProblemRoute
from shared.runtime.outbox import TooLarge
from shared.runtime.postgres import Unavailable


def client_of(failure: Exception) -> httpx2.AsyncClient:
    router = APIRouter(route_class=ProblemRoute)

    @router.get("/leads")
    async def fail() -> None:
        raise failure

    @router.post("/act")
    async def act(action: Annotated[Action, Body()]) -> str:
        return action.act

    app = FastAPI()
    app.include_router(router)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://x")


@pytest.mark.parametrize(
    "away",
    [
        asyncpg.PostgresConnectionError("gone"),
        asyncpg.CannotConnectNowError("starting"),
        asyncpg.LockNotAvailableError("busy"),
        asyncpg.InterfaceError("closed"),
        Unavailable("away"),
        ConnectionRefusedError(111, "refused"),
        TimeoutError(),
    ],
)
async def test_while_the_database_is_away_the_agent_is_told_to_repeat(away: Exception) -> None:
    answer = await client_of(away).get("/leads")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_a_failure_nobody_foresaw_is_not_dressed_up_as_a_problem() -> None:
    with pytest.raises(ZeroDivisionError):
        await client_of(ZeroDivisionError()).get("/leads")


async def test_what_the_database_cannot_store_is_the_callers_fault() -> None:
    nul = asyncpg.CharacterNotInRepertoireError("0x00")
    assert (await client_of(nul).get("/leads")).status_code == 422


async def test_an_action_too_large_is_refused_before_and_after_it_is_read() -> None:
    assert (await client_of(TooLarge("901 KB")).get("/leads")).status_code == 413
    body = b'{"act": "note", "text": "' + b"x" * LONGEST_BODY_BYTES + b'"}'
    assert (await client_of(Unavailable()).post("/act", content=body)).status_code == 413


async def test_an_action_of_unknown_length_is_refused_unread() -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        for piece in range(50):
            read.append(piece)
            yield b"x" * LONGEST_BODY_BYTES

    answer = await client_of(Unavailable()).post("/act", content=endless())
    assert (answer.status_code, read) == (411, [])


async def test_a_problem_says_where_it_arose_and_what_kind_it_is() -> None:
    answer = await client_of(problem.not_found("7KQ2T9")).get("/leads")
    assert answer.json() == {
        "type": "urn:relance:problem:not-found",
        "title": "No such lead",
        "status": 404,
        "detail": "There is no lead '7KQ2T9'.",
        "instance": "/leads",
    }


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"act": "move", "to": ', "body: it is not JSON (at character 22: "),
        ('{"act": "fly"}', "act: there is no 'fly'; one of set_fields, note, "),
        ('{"to": "new"}', "act: it is missing: the name of the action"),
        ('{"act": "move"}', "to: it is missing"),
        ('{"act": "move", "to": "new", "too": 1}', "too: there is no such field"),
    ],
)
async def test_a_wrong_body_is_told_in_words(body: str, detail: str) -> None:
    answer = await client_of(Unavailable()).post(
        "/act", content=body.encode(), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith(detail)


async def test_a_wrong_argument_is_named_as_the_sender_named_it() -> None:
    answer = await client_of(Unavailable()).post("/act", json={"act": "close", "status": "dead"})
    [error] = answer.json()["errors"]
    assert error["field"] == "status"
    assert "won" in error["message"]
