"""`POST /in/{source}`: webhooks and browser forms."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from services.intake.core.bucket import Buckets
from services.intake.core.source import Sender, Stranger, admit, allows
from services.intake.doors import page, problem
from services.intake.doors.body import read_body
from services.intake.doors.problem import Problem
from services.intake.formats.call import CallPayload
from services.intake.formats.payload import Payload
from services.intake.formats.sms import SmsPayload
from services.intake.houses import Entrance, Houses
from services.intake.reception import Read
from shared.runtime import clock
from shared.runtime.producer import NotConfirmed

SourceId = Annotated[str, Path(description="The source's id in sources.toml.")]
_OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "By the source's format: a call or an SMS as JSON; a form as JSON, "
        "urlencoded or multipart, its fields named as the source's mapping says; a mail as "
        "message/rfc822; a file of leads as text/csv, its columns named as the mapping says.",
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        CallPayload.model_json_schema(),
                        SmsPayload.model_json_schema(),
                        {"type": "object"},
                    ]
                }
            },
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "multipart/form-data": {"schema": {"type": "object"}},
            "message/rfc822": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    },
}
_ABOUT = """One input a request. 202 means that it is safe and takes effect **once**.

Prove who you are: `Authorization: Bearer SECRET`, `X-Relance-Secret: SECRET`, or a Standard
Webhooks signature (`webhook-id`, `webhook-timestamp`, `webhook-signature`). A browser's form needs
none: its page's origin is declared by the source.

Sent again with the same id (`call_id`, the form's id, `webhook-id` or `Idempotency-Key`) it has no
further effect: after 503, or no answer, just repeat it. After 429 wait as `Retry-After` says. An
input that makes no lead is answered 202 too, with the reason in `ignored`."""
_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Accepted: it takes effect exactly once. `id` is the event's id."},
    303: {"description": "Accepted, for a browser's form: go to the thank-you page."},
    401: {"description": "The sender is not proven."},
    404: {"description": "No such source."},
    413: {"description": "Over 5 MiB."},
    422: {"description": "It cannot be used; `field` names what is wrong. Its bytes are kept."},
    429: {"description": "Too many; again after Retry-After seconds."},
    503: {"description": "Not known to be accepted; send it again with the same id."},
}


class HttpDoor:
    """The routes of the door; `router` is mounted by the service."""

    def __init__(
        self,
        houses: Houses,
        *,
        buckets: Buckets,
        in_flight: int,
        public_url: str,
    ) -> None:
        self._houses, self._buckets = houses, buckets
        self._free = in_flight
        self._public_origin = "{0.scheme}://{0.netloc}".format(urlsplit(public_url))
        self.router = APIRouter(tags=["doors"])
        add = self.router.add_api_route
        add("/in/{source}", self.receive, methods=["POST"], status_code=202, responses=_ANSWERS,
            openapi_extra=_OPENAPI, response_model=None,
            summary="Hand in a call, a form, an SMS or a mail", description=_ABOUT)  # fmt: skip
        add("/in/{source}", self.preflight, methods=["OPTIONS"], include_in_schema=False)
        add("/in/{source}/form", self.form, methods=["GET"], response_class=HTMLResponse)
        add("/in/{source}/thanks", self.thanks, methods=["GET"], response_class=HTMLResponse)
        # Of several companies each has its own: the folder's tenant is also found without.
        add("/in/{tenant}/{source}", self.receive, methods=["POST"], status_code=202,
            responses=_ANSWERS, openapi_extra=_OPENAPI, response_model=None,
            summary="The same for a company by its name", description=_ABOUT)  # fmt: skip
        of_tenant, html = "/in/{tenant}/{source}", HTMLResponse
        add(of_tenant, self.preflight, methods=["OPTIONS"], include_in_schema=False)
        add(f"{of_tenant}/form", self.form, methods=["GET"], response_class=html)
        add(f"{of_tenant}/thanks", self.thanks, methods=["GET"], response_class=html)

    async def receive(self, source: SourceId, request: Request) -> Response:
        """Hand in one call, form or mail."""
        way = self._entrance(request, source)
        try:
            answer = await self._received(_known(way, source), request)
        except Problem as refused:
            answer = self._refused(refused, request, way)
        origin = request.headers.get("origin")
        if way is not None and origin and allows(way.source, origin):
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Vary"] = "Origin"
        return answer

    async def _received(self, way: Entrance, request: Request) -> Response:
        headers = dict(request.headers)
        body = await read_body(request)
        sender = admit(
            way.source,
            way.secrets,
            headers,
            body,
            now=clock.now(),
            own_origin=self._own_origin(request),
        )
        if isinstance(sender, Stranger):
            raise problem.stranger(sender.why)
        # Browsers have a bucket of their own: robots on the page do not block the sender we know.
        wait_s = self._buckets.take(f"{way.path}/{sender.kind}", _monotonic_s())
        if wait_s:
            raise problem.too_many(wait_s)
        payload = Payload(
            door="http",
            content_type=headers.get("content-type", ""),
            body=body,
            headers=headers,
            provider_id=headers.get("webhook-id") or headers.get("idempotency-key") or None,
        )
        if way.source.format == "csv":
            return _accepted_rows(await self._taken_rows(way, payload))
        read = await self._taken(way, payload)
        return _accepted(way, read, sender, _is_browser(request))

    async def _taken(self, way: Entrance, payload: Payload) -> Read:
        if self._free <= 0:
            raise problem.not_confirmed()
        self._free -= 1
        try:
            read = await way.reception.take(way.source, payload)
        except NotConfirmed:
            raise problem.not_confirmed() from None
        finally:
            self._free += 1
        if read.refusal is not None:
            raise problem.unusable(read.refusal.sentence, read.refusal.field, read.envelope.id)
        return read

    async def _taken_rows(self, way: Entrance, payload: Payload) -> list[Read]:
        """A file; only one that cannot be read at all is refused."""
        try:
            reads = await way.reception.take_rows(way.source, payload)
        except NotConfirmed:
            raise problem.not_confirmed() from None
        if all(read.refusal is not None for read in reads):
            first = reads[0]
            assert first.refusal is not None
            raise problem.unusable(first.refusal.sentence, first.refusal.field, first.envelope.id)
        return reads

    async def preflight(self, source: SourceId, request: Request) -> Response:
        """A browser asks whether a page's script may send here."""
        way, origin = self._entrance(request, source), request.headers.get("origin", "")
        if way is None or not allows(way.source, origin):
            return Response(status_code=403)
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "content-type, idempotency-key",
                "Access-Control-Max-Age": "600",
                "Vary": "Origin",
            },
        )

    async def form(self, source: SourceId, request: Request) -> Response:
        """A plain form, for sources that declare `page = true`."""
        way = self._entrance(request, source)
        if way is None or not way.source.page:
            return self._refused(problem.unknown_source(source), request, way)
        return HTMLResponse(page.form(way.source, way.language, way.path))

    async def thanks(self, source: SourceId, request: Request) -> Response:
        """Where a browser goes after its form."""
        way = self._entrance(request, source)
        if way is None:
            return self._refused(problem.unknown_source(source), request, way)
        return HTMLResponse(page.thanks(way.language))

    def _entrance(self, request: Request, source: str) -> Entrance | None:
        return self._houses.at(request.path_params.get("tenant"), source)

    def _own_origin(self, request: Request) -> str | None:
        """The request's origin, if it is a page of ours."""
        origin = request.headers.get("origin")
        here = f"{request.url.scheme}://{request.headers.get('host', '')}"
        return origin if origin in (here, self._public_origin) else None

    def _refused(self, refused: Problem, request: Request, way: Entrance | None) -> Response:
        if _is_browser(request):
            shown = page.sorry(way.language if way else "en", refused.status)
            return HTMLResponse(shown, refused.status, headers=refused.headers)
        return refused.answer(request.url.path)


def _known(way: Entrance | None, source: str) -> Entrance:
    if way is None or "http" not in way.source.doors:
        raise problem.unknown_source(source)
    return way


def _accepted(way: Entrance, read: Read, sender: Sender, browser: bool) -> Response:
    headers = {"Relance-Id": read.envelope.id}
    if browser and way.source.format == "form":
        where = way.source.thanks_url or f"{way.path}/thanks"
        return RedirectResponse(where, status_code=303, headers=headers)
    body = {"id": read.envelope.id}
    why = getattr(read.envelope.data, "why", None)
    if why is not None and sender.kind == "secret":  # a robot need not know that it was noticed
        body["ignored"] = why
    return JSONResponse(body, 202, headers=headers)


def _accepted_rows(reads: Sequence[Read]) -> Response:
    """How many rows were taken in, and why others were not."""
    refused = [read for read in reads if read.refusal is not None]
    return JSONResponse(
        {
            "received": len(reads) - len(refused),
            "set_aside": [
                {"id": read.envelope.id, "why": read.refusal.sentence}
                for read in refused
                if read.refusal is not None
            ],
        },
        202,
    )


def _is_browser(request: Request) -> bool:
    """A page's own form, not a script of it: it navigates, so it asks for HTML."""
    return "text/html" in request.headers.get("accept", "")


def _monotonic_s() -> float:
    return asyncio.get_running_loop().time()
