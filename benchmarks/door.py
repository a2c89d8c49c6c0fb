"""From the door to the message: HTTP accepted → SMS handed over, through all four services.

Missed calls of strangers at 100 a second; the SMS provider is ours, and looks at its clock when
an SMS comes in. Meanwhile: what the whole stack costs at rest and under load.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import perf_counter
from uuid import uuid4

import httpx2
from fastapi import FastAPI

from benchmarks.bench import Bench
from benchmarks.percentile import percentile
from benchmarks.processor import cpu_s, memory_mb
from benchmarks.result import Result, Run
from relance.example_company import open_example
from relance.stack.home import Home
from relance.stack.stack import RULEBOOK, Stack
from shared.runtime import http

ROW = "door"
PER_S, FOR_S, REST_S = 100, 20, 8
WARM_S = 4
"""So long the services get to reach their stride; what comes in meanwhile is not counted."""

AIM_P99_MS = 250.0
_LIMIT_S = 90.0
_PHONE = re.compile(r"\+37529\d{7}")


class Provider:
    """An SMS provider that takes everything at once, and knows when."""

    def __init__(self) -> None:
        self.came_s: dict[str, float] = {}
        """The phone that an SMS speaks of -> when the first such SMS came in."""
        self.app = FastAPI(openapi_url=None)
        self.app.post("/sms")(self._take)

    async def _take(self, sms: dict[str, str | None]) -> dict[str, str]:
        now_s = perf_counter()
        found = _PHONE.search((sms["text"] or "").replace(" ", "").replace("-", ""))
        if found:
            self.came_s.setdefault(found[0], now_s)
        return {"id": str(uuid4())}


async def measure(bench: Bench) -> list[Result]:
    """One stack, one long run: its percentiles are over every lead."""
    bench.stop()  # the machine is for the whole system now
    provider = Provider()
    async with _serving(provider) as url:
        home = Home(bench.folder / "whole")
        home.remove()
        home.prepare()
        stack = Stack(home, settings={"notifications": {"RELANCE_SMS_URL": f"{url}/sms"}})
        bench.say("starting the whole system …")
        await asyncio.to_thread(stack.start)
        try:
            return await _measured(bench, stack, provider)
        finally:
            await asyncio.to_thread(stack.stop)


async def _measured(bench: Bench, stack: Stack, provider: Provider) -> list[Result]:
    intake = stack.services["intake"]
    await asyncio.to_thread(open_example, RULEBOOK, intake.url, intake.setting("RELANCE_ADMIN_KEY"))
    pids = {name: [service.child.pid or 0] for name, service in stack.services.items()}
    everything = [part.child.pid or 0 for part in stack.parts()]
    await asyncio.sleep(3)
    rest_mb = memory_mb(everything)
    idle = await _cpu_percent(pids, REST_S)
    bench.say(f"at rest: {rest_mb:,.0f} MB; CPU in %: {_rounded(idle)}")
    load_s = FOR_S // 4 if bench.quick else FOR_S
    watching = asyncio.create_task(_cpu_percent(pids, load_s))
    waits_ms, missing = await _waits_ms(bench, stack, provider, load_s)
    busy = await watching
    load_mb = memory_mb(everything)
    bench.say(f"under load: {load_mb:,.0f} MB; CPU in %: {_rounded(busy)}; {missing} not there")
    p50, p99 = percentile(waits_ms, 50), percentile(waits_ms, 99)
    bench.say(f"door to message: p50 {p50:.0f} ms, p99 {p99:.0f} ms, of {len(waits_ms)} leads")
    quarter = max(1, len(waits_ms) // 4)
    medians = [percentile(waits_ms[n * quarter :][:quarter], 50) for n in range(4)]
    bench.say(f"p50 of each quarter of them, in ms: {[round(each) for each in medians]}")
    return [
        Result.of(ROW, f"HTTP 202 to SMS at {PER_S} leads/s, p50", "ms", [Run(p50)], less=True),
        Result.of(
            ROW, f"HTTP 202 to SMS at {PER_S} leads/s, p99", "ms", [Run(p99)], less=True,
            aim=AIM_P99_MS,
        ),
        Result.of(ROW, "memory of the whole stack at rest", "MB", [Run(rest_mb)], less=True),
        Result.of(ROW, "memory of the whole stack under load", "MB", [Run(load_mb)], less=True),
        Result.of(
            ROW, "CPU of the four services at rest", "% of a core", [Run(sum(idle.values()))],
            less=True,
        ),
        Result.of(
            ROW, f"CPU of the four services at {PER_S} leads/s", "% of a core",
            [Run(sum(busy.values()))], less=True,
        ),
    ]  # fmt: skip


async def _waits_ms(
    bench: Bench, stack: Stack, provider: Provider, load_s: int
) -> tuple[list[float], int]:
    """The waits of all leads but the first ones, and how many SMS did not come in time."""
    accepted_s: dict[str, float] = {}
    intake = stack.services["intake"]
    secret = intake.setting("RELANCE_SECRET_PHONE")
    run = bench.people((WARM_S + load_s) * PER_S)
    async with httpx2.AsyncClient(
        base_url=intake.url, timeout=30, headers={"Authorization": f"Bearer {secret}"}
    ) as caller:
        began_s = perf_counter()
        async with asyncio.TaskGroup() as calls:
            for number in range((WARM_S + load_s) * PER_S):
                await asyncio.sleep(max(0.0, began_s + number / PER_S - perf_counter()))
                calls.create_task(_call(caller, f"+37529{run + number:07d}", accepted_s))
    counted = list(accepted_s)[WARM_S * PER_S :]
    limit_s = perf_counter() + _LIMIT_S
    while perf_counter() < limit_s and not provider.came_s.keys() >= set(counted):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    waits = [(provider.came_s[p] - accepted_s[p]) * 1000 for p in counted if p in provider.came_s]
    return waits, len(counted) - len(waits)


async def _call(caller: httpx2.AsyncClient, phone: str, accepted_s: dict[str, float]) -> None:
    missed = {
        "call_id": str(uuid4()), "from": phone, "to": "+375172000000", "status": "missed",
        "started_at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    answer = await caller.post("/in/phone", json=missed)
    if answer.status_code != 202:
        raise ValueError(f"intake answers {answer.status_code}: {answer.text}")
    accepted_s[phone] = perf_counter()


async def _cpu_percent(pids: dict[str, list[int]], for_s: float) -> dict[str, float]:
    """The share of one core that each has used in so many seconds."""
    before, began_s = {name: cpu_s(ids) for name, ids in pids.items()}, perf_counter()
    await asyncio.sleep(for_s)
    took_s = perf_counter() - began_s
    return {name: (cpu_s(ids) - before[name]) / took_s * 100 for name, ids in pids.items()}


@asynccontextmanager
async def _serving(provider: Provider) -> AsyncIterator[str]:
    """The provider at its address."""
    bound = http.listen("127.0.0.1", 0)
    server = http.server(provider.app)
    serving = asyncio.create_task(server.serve(sockets=[bound]))
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {name: round(share, 1) for name, share in shares.items()}
