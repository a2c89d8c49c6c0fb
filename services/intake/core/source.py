"""Who may speak for a source: a secret, a signature, or a browser on one of its pages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.domain.rulebook.source import Source

SIGNATURE_AGE_MOST_S = 5 * 60
"""How far the signature's own time may be from ours (Standard Webhooks)."""


@dataclass(frozen=True, slots=True)
class Sender:
    """How a request proved itself; a browser proves nothing but where it comes from."""

    kind: Literal["secret", "browser"]


@dataclass(frozen=True, slots=True)
class Stranger:
    """Why a request is not let in, in a sentence for whoever sent it."""

    why: str


def admit(
    source: Source,
    secrets: Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    own_origin: str | None = None,
) -> Sender | Stranger:
    """Whether this request may speak for the source.

    `headers` have lower-case names; `secrets` are the values behind the source's references, any
    of which counts while one replaces the other; `own_origin` is where our own form page lives.
    """
    given = _secret_in(headers)
    if given is not None:
        if any(_same(given, secret) for secret in secrets):
            return Sender("secret")
        return Stranger("the secret is not one of this source's")
    if "webhook-signature" in headers:
        why = _wrong_signature(secrets, headers, body, now)
        return Sender("secret") if why is None else Stranger(why)
    origin = headers.get("origin")
    if origin is not None and allows(source, origin, own_origin):
        return Sender("browser")
    if origin is not None and source.origins:
        return Stranger(f"pages of {origin} are not among the origins of this source")
    return Stranger(
        "no proof of the sender: send Authorization: Bearer …, X-Relance-Secret or a "
        "Standard Webhooks signature"
    )


def allows(source: Source, origin: str, own_origin: str | None = None) -> bool:
    """Whether a browser on a page of `origin` may send the source's form."""
    return origin in source.origins or (source.page and origin == own_origin)


def _secret_in(headers: Mapping[str, str]) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-relance-secret")


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _wrong_signature(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: datetime
) -> str | None:
    """What is wrong with a Standard Webhooks signature; absent when nothing is."""
    id_, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id_ or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return "a signed request carries webhook-id, and webhook-timestamp in Unix seconds"
    if abs(now.timestamp() - int(stamp)) > SIGNATURE_AGE_MOST_S:
        return "webhook-timestamp is more than 5 minutes away from our time"
    signed = f"{id_}.{stamp}.".encode("utf-8", "replace") + body
    wanted = [_signature(secret, signed) for secret in secrets]
    for part in headers["webhook-signature"].split():
        version, _, signature = part.partition(",")
        if version == "v1" and any(_same(signature, one) for one in wanted):
            return None
    return "webhook-signature is not made with one of this source's secrets"


def _signature(secret: str, signed: bytes) -> str:
    return base64.b64encode(
        hmac.new(_signing_key(secret), signed, hashlib.sha256).digest()
    ).decode()


def _signing_key(secret: str) -> bytes:
    """`whsec_` secrets are base64 after that mark; any other is its own bytes."""
    if secret.startswith("whsec_"):
        try:
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
