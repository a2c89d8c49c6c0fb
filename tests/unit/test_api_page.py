"""The page that describes a service's HTTP interface."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, Query
from fastapi.security import HTTPBearer
from fastapi.testclient import TestClient
from pydantic import BaseModel, Field

from services.pipeline.core.action import Action
from shared.runtime import http
from shared.runtime.activity import Activity


class Called(BaseModel):
    """One call."""

    number: str = Field(description="Who calls; `+375…` or <as shown>.")
    seconds: int | None = None


def documented() -> str:
    """The page of a service with two routes, as a browser gets it."""
    router = APIRouter()
    bearer = HTTPBearer(description="`Authorization: Bearer …`")

    @router.post("/calls", summary="Hand in a call")
    async def call(called: Called, again: Annotated[bool, Query(description="Once more.")]) -> None:
        """It takes effect **once**."""

    @router.post("/act", summary="Do something", dependencies=[Depends(bearer)])
    async def act(action: Annotated[Action, Body()]) -> None:
        """Decided at once."""

    app: FastAPI = http.application("desk", [router], Activity(), lambda: True)
    answer = TestClient(app).get("/docs")
    assert answer.status_code == 200
    return answer.text


def test_the_page_needs_neither_scripts_nor_the_internet() -> None:
    text = documented()
    assert "<script" not in text
    assert "http://" not in text
    assert "https://" not in text


def test_every_route_tells_what_it_takes_and_what_it_answers() -> None:
    text = documented()
    for told in (
        "<code>POST /calls</code>",
        "Hand in a call",
        "It takes effect <b>once</b>.",
        "Who calls; <code>+375…</code> or &lt;as shown&gt;.",
        "string, needed",
        "query, boolean",
        "Once more.",
        "<code>Authorization: Bearer …</code>",
    ):
        assert told in text


def test_every_action_that_an_agent_may_send_is_described_with_its_fields() -> None:
    text = documented()
    for name in ("SetFields", "LogAttempt", "Move", "Close", "PostponeTask", "Assign"):
        assert f"<h3>{name}</h3>" in text
    assert "won | lost | invalid" in text
