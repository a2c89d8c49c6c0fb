"""What went wrong at a door, as RFC 9457 problem+json or as a page for a person."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from shared.runtime.producer import NotConfirmed

MEDIA_TYPE = "application/problem+json"


@dataclass(eq=False)
class Problem(Exception):
    """An answer that is no success. `detail` is a sentence for whoever sent the request;
    `members` are further members of the body (the `field` that is wrong)."""

    status: int
    kind: str
    title: str
    detail: str
    members: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, instance: str) -> dict[str, object]:
        """The JSON of the answer."""
        return {
            "type": f"urn:relance:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **self.members,
        }

    def answer(self, instance: str) -> Response:
        """The answer itself."""
        return JSONResponse(
            self.body(instance), self.status, media_type=MEDIA_TYPE, headers=self.headers
        )


class ProblemRoute(APIRoute):
    """A route whose problems are told as such."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with every foreseen failure turned into an answer."""
        handle = super().get_route_handler()

        async def handle_or_tell(request: Request) -> Response:
            try:
                return await handle(request)
            except Problem as told:
                return told.answer(request.url.path)
            except NotConfirmed:
                return not_confirmed().answer(request.url.path)

        return handle_or_tell


def unknown_source(source: str) -> Problem:
    """404."""
    return Problem(
        404,
        "unknown-source",
        "No such source",
        f"sources.toml declares no source {source[:80]!r} with door http: check the address.",
    )


def stranger(why: str) -> Problem:
    """401."""
    headers = {"WWW-Authenticate": "Bearer"}
    return Problem(401, "unproven", "The sender is not proven", f"{why}.", headers=headers)


def too_large(bytes_most: int) -> Problem:
    """413."""
    detail = f"A request may have {bytes_most // (1024 * 1024)} MiB at most; send less."
    return Problem(413, "too-large", "The request is too large", detail)


def unusable(sentence: str, field_name: str | None, event_id: str) -> Problem:
    """422: recorded all the same, under `id`."""
    members = {"id": event_id, **({"field": field_name} if field_name else {})}
    return Problem(422, "unusable", "The input cannot be used", f"{sentence}.", members)


def too_many(retry_after_s: int) -> Problem:
    """429."""
    return Problem(
        429,
        "too-many",
        "Too many requests",
        f"This source sends more than it may; send this one again in {retry_after_s} s.",
        headers={"Retry-After": str(retry_after_s)},
    )


def not_confirmed(retry_after_s: int = 5) -> Problem:
    """503: nobody knows, so the sender keeps it and repeats it."""
    return Problem(
        503,
        "not-confirmed",
        "Not known to be accepted",
        "Kafka did not acknowledge in time. The input may still take effect, once; "
        "send it again with the same id, that changes nothing if it did.",
        headers={"Retry-After": str(retry_after_s)},
    )


def wrong_document(sentence: str, field_name: str | None) -> Problem:
    """422 for a directory document."""
    members = {"field": field_name} if field_name else {}
    return Problem(422, "wrong-document", "The document cannot be used", f"{sentence}.", members)


def unknown_document(kind: str, id_: str) -> Problem:
    """404 for a directory document."""
    detail = f"The directory holds no {kind} {id_!r}."
    return Problem(404, "unknown-document", "No such document", detail)


def not_read_yet(offset: int) -> Problem:
    """503: written, but this replica has not seen it."""
    detail = f"This replica has not read offset {offset} of the directory yet; ask again."
    headers = {"Retry-After": "1"}
    return Problem(503, "not-read-yet", "Not read yet", detail, headers=headers)
