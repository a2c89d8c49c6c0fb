"""Problems as the API tells them: `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import asyncpg
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.contract.pipeline import ActionRefused, Need
from shared.runtime.outbox import TooLarge
from shared.runtime.postgres import Unavailable, is_bad_luck

MEDIA_TYPE = "application/problem+json"

LONGEST_BODY_BYTES = 1_000_000
TITLES = {
    401: "No valid key",
    403: "Not for this key",
    404: "No such lead",
    409: "The rulebook refuses this: every missing need, with its rule",
    411: "The length of the body is not said",
    413: "Too large",
    422: "The request is not valid: each wrong field",
    503: "The database does not answer",
}


class FieldError(BaseModel):
    """A field of the request that is not what it must be."""

    field: str
    message: str


class ProblemView(BaseModel):
    """A problem (RFC 9457). `needs` come with a refusal, `errors` with a wrong request."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    needs: list[Need] | None = None
    errors: list[FieldError] | None = None


class Problem(Exception):
    """Why a request was not done. `kind` is the last part of the problem's type URI.

    `members` are further members of the answer, for instance the `needs` of a refusal.
    """

    def __init__(self, status: int, kind: str, title: str, detail: str, **members: object) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail
        self.members = members

    def body(self, instance: str) -> dict[str, object]:
        """The answer's JSON; `instance` is the path that was asked for."""
        return {
            "type": f"urn:relance:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            **self.members,
        }


class ProblemRoute(APIRoute):
    """A route whose failures, the caller's and the database's, are all told as problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with every foreseen failure turned into an answer."""
        handle = super().get_route_handler()

        async def handle_or_tell(request: Request) -> Response:
            try:
                _check_length(request)
                return await handle(request)
            except Exception as error:
                told = _told(error)
                if told is None:
                    raise
                return answer(told, request.url.path)

        return handle_or_tell


def _told(error: Exception) -> Problem | None:
    """A failure as a problem; None for one that nobody foresaw."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, Unavailable) or is_bad_luck(error):
        return _unavailable()
    if isinstance(error, asyncpg.DataError):
        return invalid("request", "it holds a character that cannot be stored, such as NUL")
    if isinstance(error, TooLarge):
        return _too_large()
    return None


def _check_length(request: Request) -> None:
    """Before the body is read: it is read whole, and whose key it bears is seen only then."""
    if "transfer-encoding" in request.headers:
        raise Problem(
            411,
            "length-required",
            TITLES[411],
            f"Send the body with its Content-Length, at most {LONGEST_BODY_BYTES:,} bytes.",
        )
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > LONGEST_BODY_BYTES:
        raise _too_large()


def answer(problem: Problem, instance: str) -> JSONResponse:
    """The HTTP answer that tells `problem`."""
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}
    return JSONResponse(
        problem.body(instance),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers.get(problem.status),
    )


def invalid(field: str, message: str) -> Problem:
    """422: `field` of the request is not what it must be."""
    return _fields([{"field": field, "message": message}])


def unauthorized() -> Problem:
    """401: no key, or one that is unknown or revoked."""
    return Problem(
        401,
        "unauthorized",
        "No valid key",
        "Send your API key as 'Authorization: Bearer rl_…' or as 'X-API-Key: rl_…'; "
        "'relance key create --agent NAME' makes one.",
    )


def not_found(lead: str) -> Problem:
    """404: the caller's company has no such lead."""
    return Problem(404, "not-found", "No such lead", f"There is no lead {lead!r}.")


def no_queue(queue: str) -> Problem:
    """404: the rulebook has no such queue."""
    return Problem(404, "not-found", "No such queue", f"There is no queue {queue!r}.")


def nothing_to_take(label: str) -> Problem:
    """404: nothing stands in the queue for whoever asks."""
    return Problem(404, "queue-empty", "The queue is empty", f"Nothing is waiting in {label!r}.")


def refused(refusal: ActionRefused) -> Problem:
    """409: the rulebook refuses it; every missing need at once, in the company's own words."""
    needs = [need.model_dump(mode="json") for need in refusal.needs]
    said = "; ".join(dict.fromkeys(need.satisfied_by for need in refusal.needs))
    return Problem(
        409,
        "refused",
        "The rulebook refuses this",
        f"{refusal.action}: {said}",
        action=refusal.action,
        needs=needs,
    )


def forbidden(detail: str) -> Problem:
    """403: the key is good, but not for this."""
    return Problem(403, "forbidden", "Not for this key", detail)


def _invalid(error: RequestValidationError) -> Problem:
    return _fields([_told_of(each) for each in error.errors()])


def _told_of(error: dict[str, Any]) -> dict[str, str]:
    """One of the validator's findings, in words for whoever wrote the request."""
    field, message = _field(error["loc"]), str(error["msg"])
    match error["type"]:
        case "json_invalid":
            place = f"at character {error['loc'][-1]}: {error['ctx']['error']}"
            return {"field": "body", "message": f"it is not JSON ({place})"}
        case "union_tag_invalid":
            known = error["ctx"]["expected_tags"].replace("'", "")
            return {
                "field": "act",
                "message": f"there is no {error['ctx']['tag']!r}; one of {known}",
            }
        case "union_tag_not_found":
            return {"field": "act", "message": "it is missing: the name of the action"}
        case "extra_forbidden":
            message = "there is no such field"
        case "missing":
            message = "it is missing"
    return {"field": field, "message": message}


def _field(place: Sequence[object]) -> str:
    """Where it is wrong, in the sender's words: without FastAPI's `body`, without the act's name
    that the validator puts before the arguments of an action."""
    parts = [str(part) for part in place]
    inner = parts[1:] if len(parts) > 1 else parts
    if parts[0] == "body" and len(inner) > 1:
        inner = inner[1:]
    return ".".join(inner)


def _fields(errors: list[dict[str, str]]) -> Problem:
    detail = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
    return Problem(422, "invalid", "The request is not valid", detail, errors=errors)


def _too_large() -> Problem:
    return Problem(413, "too-large", "Too large", f"At most {LONGEST_BODY_BYTES:,} bytes.")


def _unavailable() -> Problem:
    return Problem(
        503,
        "unavailable",
        "The database does not answer",
        "It is not known whether this was done; repeat it with the same Idempotency-Key.",
    )
