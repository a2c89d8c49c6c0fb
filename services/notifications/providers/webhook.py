"""Hand-offs over HTTP, signed as Standard Webhooks asks: a POST to the target's own address."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
from standardwebhooks import Webhook

from services.notifications.core.delivery import Accepted, NotTaken, Refused, Result, Unclear
from services.notifications.providers.provider import CannotBeAsked, Letter
from shared.contract.notifications import MessageChannel

AT_ONCE = 4
_FINAL = frozenset({400, 409, 410, 413, 415, 422})
"""Answers that will be the same next time; any other says: later."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a target is told, and the secret that signs it; the sandbox asks for none."""

    url: str
    secret: str | None = None


class Webhooks:
    """The way out to other systems.

    `webhook-id` is the message's id, the same at every attempt: the receiver drops a repeat by it
    (the specification's own rule), so whatever was not acknowledged is simply sent again.
    """

    channel: MessageChannel = "webhook"

    def __init__(self, way: Callable[[str, str], Way | None], *, timeout_s: float) -> None:
        """`way` of (tenant, target) is asked at each send: a rulebook may have been published."""
        self.at_once = AT_ONCE
        self._way = way
        self._client = httpx2.AsyncClient(timeout=timeout_s / 2, trust_env=False)

    async def send(self, letter: Letter) -> Result:
        """Hand over by POST."""
        way = self._way(letter.tenant, letter.content.address)
        if way is None:
            return NotTaken(f"messages.toml has no target {letter.content.address!r} any more")
        try:
            answer = await self._client.post(
                way.url, content=letter.content.text.encode(), headers=headers(letter, way)
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol) as error:
            return NotTaken(_sentence(letter, error))
        except httpx2.HTTPError as error:
            return Unclear(_sentence(letter, error))
        if answer.is_success:
            return Accepted(letter.id)
        why = f"{letter.content.address} answers {answer.status_code}: {answer.text[:200]}"
        return Refused(why) if answer.status_code in _FINAL else NotTaken(why)

    async def ask(self, id_: str) -> Accepted | NotTaken | Unclear:
        """No target can be asked."""
        raise CannotBeAsked(id_)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def headers(letter: Letter, way: Way) -> dict[str, str]:
    """What a receiver checks the body by."""
    named = {
        "content-type": "application/json",
        "webhook-id": letter.id,
        "webhook-timestamp": str(int(letter.at.timestamp())),
    }
    if way.secret is not None:
        signer = Webhook(_key(way.secret))
        named["webhook-signature"] = signer.sign(letter.id, letter.at, letter.content.text)
    return named


def _key(secret: str) -> str:
    """`whsec_` secrets are base64 already; any other is its own bytes."""
    return secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode()


def _sentence(letter: Letter, error: Exception) -> str:
    return f"{letter.content.address} cannot be reached ({type(error).__name__}: {error})"
