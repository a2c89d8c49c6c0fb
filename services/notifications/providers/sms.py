"""SMS by HTTP: one small port, behind which a real provider or the sandbox stands.

`POST <url>` with `{"id", "to", "text", "sender"}` hands over and answers `{"id": …}` with the
provider's id; the same `id` again is the same message. `GET <url>/<id>` tells what it has.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx2

from services.notifications.core.delivery import Accepted, NotTaken, Refused, Result, Unclear
from services.notifications.providers.provider import Letter
from shared.contract.notifications import MessageChannel

# Before a byte of the request is out, nothing can have been accepted.
_BEFORE = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.UnsupportedProtocol,
)
_TRY_LATER = frozenset({401, 403, 404, 405, 408, 425, 429, 503})
"""Answers that say nothing of this message: busy, away, or our settings are wrong."""


class HttpSms:
    """The HTTP port for SMS, and for short texts of any other channel."""

    def __init__(
        self,
        url: Callable[[], str],
        *,
        token: str | None,
        at_once: int,
        timeout_s: float,
        channel: MessageChannel = "sms",
    ) -> None:
        """`url` is asked at each send: our own sandbox has its address only once it serves."""
        self.channel: MessageChannel = channel
        self.at_once = at_once
        self._url = url
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx2.AsyncClient(
            headers=headers,
            timeout=timeout_s / 2,  # for connecting, writing and reading each
            limits=httpx2.Limits(max_connections=at_once + 2),
            trust_env=False,
        )

    async def send(self, letter: Letter) -> Result:
        """Hand over by POST."""
        content = letter.content
        body = {
            "id": letter.id,
            "to": content.address,
            "text": content.text,
            "sender": content.sender,
        }
        try:
            answer = await self._client.post(self._url(), json=body)
        except _BEFORE as error:
            return NotTaken(_sentence(error))
        except httpx2.HTTPError as error:
            return Unclear(_sentence(error))
        return _result(answer)

    async def ask(self, id_: str) -> Accepted | NotTaken | Unclear:
        """What the provider has under our id."""
        try:
            answer = await self._client.get(f"{self._url()}/{id_}")
        except httpx2.HTTPError as error:
            return Unclear(_sentence(error))
        if answer.is_success:
            return Accepted(_provider_id(answer))
        if answer.status_code == 404:
            return NotTaken("the provider does not have it")
        return Unclear(f"the provider answers {answer.status_code}")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _result(answer: httpx2.Response) -> Result:
    if answer.is_success:
        return Accepted(_provider_id(answer))
    why = f"the provider answers {answer.status_code}: {answer.text[:200]}"
    if answer.status_code in _TRY_LATER:
        return NotTaken(why)
    # A gateway that gave up may have passed it on; a plain 4xx, or "not implemented", has not.
    return Unclear(why) if answer.status_code >= 500 else Refused(why)


def _provider_id(answer: httpx2.Response) -> str | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    id_ = body.get("id") if isinstance(body, dict) else None
    return str(id_) if id_ is not None else None


def _sentence(error: Exception) -> str:
    return f"the provider cannot be reached ({type(error).__name__}: {error})"
