"""A CloudEvent on an `inbound.*` topic, structured or binary, as a payload."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic_core import to_json

from services.intake.core.arrival import Refusal
from services.intake.formats.json_body import read_object
from services.intake.formats.payload import BODY_BYTES_MOST, Payload

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """`source` is the upstream system's name for itself; `payload` what it says."""

    source: str
    payload: Payload


def headers_as_text(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """Kafka's headers with lower-case names; what is no UTF-8 is shown as well as it can be."""
    return {
        name.lower().replace("ce_", "ce-", 1): value.decode("utf-8", "replace")
        for name, value in headers
        if value is not None
    }


def read(value: bytes | None, headers: Mapping[str, str], fallback_id: str) -> CloudEvent:
    """The event; `fallback_id` (topic, partition, offset) stands in for an absent id.

    Raises `Refusal`.
    """
    if not value:
        raise Refusal("the record is empty")
    if len(value) > BODY_BYTES_MOST:
        raise Refusal(f"the record has more than {BODY_BYTES_MOST // (1024 * 1024)} MiB")
    if "ce-specversion" in headers:
        return _binary(value, headers, fallback_id)
    return _structured(value, headers, fallback_id)


def _binary(value: bytes, headers: Mapping[str, str], fallback_id: str) -> CloudEvent:
    return CloudEvent(
        source=headers.get("ce-source", ""),
        payload=Payload(
            door="topic",
            content_type=headers.get("content-type", _JSON),
            body=value,
            headers=headers,
            provider_id=headers.get("ce-id") or fallback_id,
        ),
    )


def _structured(value: bytes, headers: Mapping[str, str], fallback_id: str) -> CloudEvent:
    event = read_object(value)
    if "specversion" not in event:
        raise Refusal(
            "the record is no CloudEvent: neither ce_ headers nor a JSON object with specversion"
        )
    content_type, body = _data(event)
    return CloudEvent(
        source=str(event.get("source") or ""),
        payload=Payload(
            door="topic",
            content_type=content_type,
            body=body,
            headers=headers,
            provider_id=str(event.get("id") or "") or fallback_id,
            record=value,
        ),
    )


def _data(event: Mapping[str, object]) -> tuple[str, bytes]:
    content_type = str(event.get("datacontenttype") or _JSON)
    if "data_base64" in event:
        try:
            return content_type, base64.b64decode(str(event["data_base64"]), validate=True)
        except (binascii.Error, ValueError):
            raise Refusal("data_base64 is no base64", "data_base64") from None
    data = event.get("data")
    is_json = content_type.partition(";")[0].strip().lower().endswith("json")
    if isinstance(data, str) and not is_json:
        return content_type, data.encode()
    return content_type, to_json(data)
