"""JSON from outside."""

from __future__ import annotations

from pydantic_core import from_json

from services.intake.core.arrival import Refusal


def read_object(body: bytes) -> dict[str, object]:
    """The JSON object of a body. Raises `Refusal`."""
    try:
        # Parsed in Rust: limits nesting, and refuses lone surrogates and NaN.
        value: object = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refusal(f"the body is no JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise Refusal('the body is JSON, but no object: send {"field": "value", …}')
    return value
