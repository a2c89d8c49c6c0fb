"""The world outside, as the demo and the fault runs play it: callers, browsers, mailers, agents.

Everything goes through the real doors: HTTP webhooks, a browser's POST, SMTP, an upstream
system's topic, and the agents' API.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

import aiosmtplib
import httpx2
from aiokafka import AIOKafkaProducer

from shared.contract.topics import INBOUND_CALLS

TIMEOUT_S = 20


class Outside:
    """Sends inputs at the doors of a running Relance; use as an async context manager."""

    def __init__(
        self, *, intake_url: str, smtp: tuple[str, int], kafka: str, secret: str | None = None
    ) -> None:
        self.intake_url, self.smtp, self.kafka, self.secret = intake_url, smtp, kafka, secret
        self._http = httpx2.AsyncClient(base_url=intake_url, timeout=TIMEOUT_S)
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._http.aclose()
        if self._producer is not None:
            await self._producer.stop()

    async def call(self, source: str, payload: dict[str, Any]) -> httpx2.Response:
        """A telephony vendor's webhook."""
        return await self._webhook(source, payload)

    async def sms(self, source: str, payload: dict[str, Any]) -> httpx2.Response:
        """An SMS provider's webhook: what somebody wrote to us."""
        return await self._webhook(source, payload)

    async def _webhook(self, source: str, payload: dict[str, Any]) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        return await self._http.post(f"/in/{source}", json=payload, headers=headers)

    async def form(self, source: str, origin: str, fields: dict[str, str]) -> httpx2.Response:
        """A browser's POST of a web form: urlencoded, from a page of the company's site."""
        return await self._http.post(f"/in/{source}", data=fields, headers={"Origin": origin})

    async def file(self, source: str, text: str) -> httpx2.Response:
        """A file of leads, handed in by whoever has the source's secret."""
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "text/csv"}
        return await self._http.post(f"/in/{source}", content=text, headers=headers)

    async def mail(self, message: EmailMessage) -> str:
        """A mail over SMTP; the server's answer to DATA."""
        host, port = self.smtp
        _, answer = await aiosmtplib.send(message, hostname=host, port=port, timeout=TIMEOUT_S)
        return answer

    async def publish_call(self, source: str, id_: str, at: datetime, data: dict[str, Any]) -> None:
        """An upstream telephony system publishes a CloudEvent on `inbound.calls.v1` itself."""
        if self._producer is None:
            self._producer = AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all")
            await self._producer.start()
        event = {
            "specversion": "1.0",
            "id": id_,
            "source": source,
            "type": "call.ended",
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        await self._producer.send_and_wait(
            INBOUND_CALLS.name,
            json.dumps(event).encode(),
            headers=[("content-type", b"application/cloudevents+json")],
        )


@dataclass(frozen=True, slots=True)
class AgentAtWork:
    """An agent with an API key, acting on leads over HTTP."""

    name: str
    pipeline_url: str
    key: str

    async def act(self, lead: str, act: str, **arguments: Any) -> httpx2.Response:
        """One action; the answer is 200, or 409 with everything that is missing."""
        async with self._client() as http:
            return await http.post(f"/api/leads/{lead}/actions", json={"act": act, **arguments})

    async def leads(self, **filters: str) -> list[dict[str, Any]]:
        """The leads this agent's key may see, newest first."""
        async with self._client() as http:
            answer = (await http.get("/api/leads", params=filters)).raise_for_status().json()
        return list(answer["leads"])

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self.pipeline_url,
            timeout=TIMEOUT_S,
            headers={"Authorization": f"Bearer {self.key}"},
        )


def mail_from(sender: str, to: str, subject: str, text: str, message_id: str) -> EmailMessage:
    """A plain mail as a person's mail program writes it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Message-ID"] = message_id
    message.set_content(text)
    return message
