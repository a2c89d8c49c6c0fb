"""HTTP: the service's FastAPI app, served by uvicorn inside our own main."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.runtime import api_page, health
from shared.runtime.activity import Activity
from shared.runtime.postgres import Unavailable
from shared.runtime.producer import NotConfirmed

PROBLEM = "application/problem+json"


def problem(status: int, title: str, detail: str, **more: object) -> JSONResponse:
    """An RFC 9457 problem."""
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, **more},
        status_code=status,
        media_type=PROBLEM,
    )


def application(
    service: str,
    routers: Iterable[APIRouter],
    activity: Activity,
    is_started: Callable[[], bool],
) -> FastAPI:
    """The app; until the service has started, and while it stops, it answers 503."""
    app = FastAPI(title=f"Relance {service}", docs_url=None, redoc_url=None)
    for router in routers:
        app.include_router(router)

    @app.get("/docs", include_in_schema=False, response_class=HTMLResponse)
    async def docs() -> str:
        return api_page.page(app.openapi())

    @app.exception_handler(Unavailable)
    @app.exception_handler(NotConfirmed)
    async def unavailable(_: Request, error: Exception) -> JSONResponse:
        answer = problem(503, "Not available at present", str(error))
        answer.headers["Retry-After"] = "5"
        return answer

    app.add_middleware(_InHand, activity=activity, is_started=is_started)
    return app


class _InHand:
    """Counts requests in hand as activity; keeps them out before start and at stop."""

    def __init__(self, app: ASGIApp, activity: Activity, is_started: Callable[[], bool]) -> None:
        self._app = app
        self._activity = activity
        self._is_started = is_started

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or path.startswith(health.PREFIXES):
            await self._app(scope, receive, send)
        elif not self._is_started():
            answer = problem(
                503, "Not available at present", "The service is starting or stopping."
            )
            await answer(scope, receive, send)
        else:
            with self._activity.of("request"):
                await self._app(scope, receive, send)


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; raises `OSError` when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named: asyncio sets TCP_NODELAY only then, and without it every answer waits
    # 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


class Server(uvicorn.Server):
    """uvicorn that leaves the signals to us."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the service's main."""
        yield


def server(app: FastAPI) -> Server:
    """A server for `app`; run `serve(sockets=[…])`, stop with `should_exit`."""
    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=5,
            server_header=False,
        )
    )
