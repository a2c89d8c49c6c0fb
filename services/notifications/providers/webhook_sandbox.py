"""The sandbox of hand-offs: a page that lists what other systems would have been told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Annotated, Any

import asyncpg
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from shared.runtime import clock
from shared.runtime.postgres import Postgres

_PATIENCE_S = 10.0
_BODY_BYTES_MOST = 1024 * 1024
_STORE = """
insert into sandbox_webhook (id, target, body, at) values ($1, $2, $3, $4)
on conflict (id) do update set times = sandbox_webhook.times + 1
"""
_LATEST = """
select id::text, target, body::text, times, at from sandbox_webhook order by place desc limit $1
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="1"><title>Hand-off sandbox ({count})</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.45 system-ui, sans-serif; max-width: 720px; margin: 0 auto;
  padding: 24px 12px }}
p, time {{ opacity: .7; font-size: 14px }}
article {{ border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 12px;
  padding: 12px 14px; margin: 0 0 12px }}
header {{ display: flex; justify-content: space-between; gap: 12px }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; margin: 8px 0 0 }}
</style></head><body>
<h1>Hand-off sandbox</h1>
<p>Nothing here was sent: these are the leads that other systems would have been handed, newest
first. The page renews itself.</p>
{handed}
</body></html>
"""


class WebhookSandbox:
    """Its routes, over the service's own database."""

    def __init__(self, postgres: Callable[[], Postgres]) -> None:
        """`postgres` is asked at each request: routes are made before the service starts."""
        self._postgres = postgres
        self.router = APIRouter(prefix="/sandbox/webhooks", tags=["sandbox"])
        self._add_routes(self.router)

    async def accept(self, target: str, id_: str, body: bytes) -> Response:
        """Take a hand-off, as the other system would: a repeat is the same one."""
        if len(body) > _BODY_BYTES_MOST:
            return JSONResponse({"detail": "too large"}, 413)
        at = clock.now()
        try:
            await self._postgres().retried(
                lambda tx: tx.execute(_STORE, id_, target, body.decode(), at), _PATIENCE_S
            )
        except (ValueError, asyncpg.DataError):
            detail = "the body is no JSON, or webhook-id is no UUID"
            return JSONResponse({"detail": detail}, 400)
        return Response(status_code=204)

    async def handed(self, limit: int) -> list[dict[str, Any]]:
        """What was taken, newest first."""
        rows = await self._postgres().retried(lambda tx: tx.fetch(_LATEST, limit), _PATIENCE_S)
        return [
            {
                "id": row["id"],
                "target": row["target"],
                "body": json.loads(row["body"]),
                "times": row["times"],
                "at": row["at"].isoformat(),
            }
            for row in rows
        ]

    def _add_routes(self, router: APIRouter) -> None:
        @router.get("/messages")
        async def messages(
            limit: Annotated[int, Query(ge=1, le=100_000)] = 100_000,
        ) -> list[dict[str, Any]]:
            """What was taken, newest first."""
            return await self.handed(limit)

        @router.post("/{target}")
        async def accept(
            target: str, request: Request, webhook_id: Annotated[str, Header(max_length=60)]
        ) -> Response:
            """Take a hand-off, as another system would."""
            return await self.accept(target, webhook_id, await request.body())

        @router.get("", response_class=HTMLResponse, include_in_schema=False)
        async def show() -> HTMLResponse:
            return HTMLResponse(page(await self.handed(100)))


def page(handed: Sequence[Mapping[str, Any]]) -> str:
    """The page that shows what was handed over."""
    shown = "\n".join(map(_shown, handed)) or "<p>Nothing was handed over yet.</p>"
    return _PAGE.format(count=len(handed), handed=shown)


def _shown(one: Mapping[str, Any]) -> str:
    at = f"{datetime.fromisoformat(str(one['at'])):%d.%m.%Y %H:%M:%S} UTC"
    again = f" · {one['times']} times" if int(one["times"]) > 1 else ""
    body = escape(json.dumps(one["body"], ensure_ascii=False, indent=2))
    return (
        f"<article><header><b>{escape(str(one['target']))}</b><time>{at}{again}</time></header>"
        f"<pre>{body}</pre></article>"
    )
