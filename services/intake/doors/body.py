"""A request's body, with its limit."""

from __future__ import annotations

from fastapi import Request

from services.intake.doors import problem
from services.intake.formats.payload import BODY_BYTES_MOST


async def read_body(request: Request) -> bytes:
    """The body, never more of it than allowed. Raises 413."""
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > BODY_BYTES_MOST:
        raise problem.too_large(BODY_BYTES_MOST)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MOST:
            raise problem.too_large(BODY_BYTES_MOST)
    return bytes(body)
