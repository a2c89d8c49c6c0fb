"""What stands at both ends of the whole system: who calls, and who is handed the SMS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter, time
from uuid import uuid4

import httpx2
from fastapi import FastAPI

from shared.runtime import http

_PHONE = re.compile(r"\+37529\d{7}")
_LIMIT_S = 90.0


class Provider:
    """An SMS provider that takes everything at once, and knows when."""

    def __init__(self) -> None:
        self.came: dict[str, float] = {}
        """The phone that an SMS speaks of -> the time when the first such SMS came in."""
        self.app = FastAPI(openapi_url=None)
        self.app.post("/sms")(self._take)

    async def _take(self, sms: dict[str, str | None]) -> dict[str, str]:
        now = time()
        if phone := phone_in(sms["text"] or ""):
            self.came.setdefault(phone, now)
        return {"id": str(uuid4())}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """At its address."""
        bound = http.listen("127.0.0.1", 0)
        server = http.server(self.app)
        task = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}/sms"
        finally:
            server.should_exit = True
            await task


@dataclass
class Calls:
    """Strangers whose calls are missed, so many a second; each is a person of its own."""

    url: str
    secret: str
    per_s: int
    first: int
    """The number of the first person."""
    accepted: dict[str, float] = field(default_factory=dict)
    """The phone -> the time of the 202."""

    async def make(self, for_s: float) -> None:
        """Call for so long, and wait for the answers."""
        headers = {"Authorization": f"Bearer {self.secret}"}
        async with httpx2.AsyncClient(base_url=self.url, timeout=30, headers=headers) as caller:
            began_s = perf_counter()
            async with asyncio.TaskGroup() as calls:
                for number in range(int(for_s * self.per_s)):
                    await asyncio.sleep(max(0.0, began_s + number / self.per_s - perf_counter()))
                    calls.create_task(self._call(caller, f"+37529{self.first + number:07d}"))

    async def _call(self, caller: httpx2.AsyncClient, phone: str) -> None:
        missed = {
            "call_id": str(uuid4()), "from": phone, "to": "+375172000000", "status": "missed",
            "started_at": datetime.now(UTC).isoformat(),
        }  # fmt: skip
        answer = await caller.post("/in/phone", json=missed)
        if answer.status_code != 202:
            raise ValueError(f"intake answers {answer.status_code}: {answer.text}")
        self.accepted[phone] = time()


async def arrived(calls: Mapping[str, float], provider: Provider) -> None:
    """Until an SMS speaks of each of them, for a limited time."""
    limit_s = perf_counter() + _LIMIT_S
    while perf_counter() < limit_s and not provider.came.keys() >= calls.keys():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def phone_in(text: str) -> str | None:
    """The caller that a text speaks of, however it is written."""
    found = _PHONE.search(text.replace(" ", "").replace("-", ""))
    return found[0] if found else None
