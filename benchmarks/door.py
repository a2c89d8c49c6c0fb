"""From the door to the message: HTTP accepted → SMS handed over, through all four services.

Missed calls of strangers, so many a second; the SMS provider is ours, and looks at its clock when
an SMS comes in. Meanwhile: what the whole stack costs at rest and under load, and where the time
of a lead goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter, process_time

from benchmarks.bench import Bench
from benchmarks.door_load import Calls, Provider, arrived
from benchmarks.door_stages import Marks, slowest, table
from benchmarks.percentile import percentile
from benchmarks.processor import cpu_s, memory_mb
from benchmarks.result import Result, Run
from relance.example_company import open_example
from relance.stack.home import Home
from relance.stack.stack import RULEBOOK, SERVICES, Stack

ROW = "door"
RATES = (25, 50, 75, 100)
"""Leads a second, one run each; the last one is what the aim is for."""
FOR_S, REST_S = 20, 8
WARM_S = 4
"""So long the services get to reach their stride; what comes in meanwhile is not counted."""

AIM_P99_MS = 250.0


@dataclass(frozen=True)
class Seen:
    """What one run showed: each lead's wait in ms, and CPU seconds by process."""

    waits_ms: list[float]
    missing: int
    cpu_s: Mapping[str, float]
    took_s: float


async def measure(bench: Bench) -> list[Result]:
    """One stack, one run a rate: the percentiles are over every lead of a run."""
    bench.stop()  # the machine is for the whole system now
    provider = Provider()
    async with provider.serving() as url:
        home = Home(bench.folder / "whole")
        home.remove()
        home.prepare()
        stack = Stack(home, settings={"notifications": {"RELANCE_SMS_URL": url}})
        bench.say("starting the whole system …")
        await asyncio.to_thread(stack.start)
        try:
            return await _measured(bench, stack, provider)
        finally:
            await asyncio.to_thread(stack.stop)


async def _measured(bench: Bench, stack: Stack, provider: Provider) -> list[Result]:
    intake = stack.services["intake"]
    await asyncio.to_thread(open_example, RULEBOOK, intake.url, intake.setting("RELANCE_ADMIN_KEY"))
    await asyncio.sleep(3)
    at_rest, before = _memory(stack), _cpu(stack)
    await asyncio.sleep(REST_S)
    idle = {name: each / REST_S * 100 for name, each in _less(_cpu(stack), before).items()}
    bench.say(f"at rest: memory in MB {_rounded(at_rest)}; CPU in % of a core {_rounded(idle)}")
    results: list[Result] = []
    busy: Mapping[str, float] = {}
    for per_s in RATES[-1:] if bench.quick else RATES:
        seen = await _run(bench, stack, provider, per_s)
        results += _results(per_s, seen)
        busy = {name: each / seen.took_s * 100 for name, each in seen.cpu_s.items()}
    loaded = _memory(stack)
    bench.say(f"after it: memory in MB {_rounded(loaded)}")
    return [
        *results,
        *_memory_results("at rest", at_rest),
        *_memory_results("under load", loaded),
        *_cpu_results("at rest", idle),
        *_cpu_results(f"at {RATES[-1]} leads/s", busy),
    ]


async def _run(bench: Bench, stack: Stack, provider: Provider, per_s: int) -> Seen:
    """Call at that rate until it has had its stride, then so long that it counts."""
    intake = stack.services["intake"]
    load_s = FOR_S // 4 if bench.quick else FOR_S
    marks = Marks(stack.kafka.bootstrap, stack.postgres.dsn())
    await marks.begin()
    many = (WARM_S + load_s) * per_s
    calls = Calls(intake.url, intake.setting("RELANCE_SECRET_PHONE"), per_s, bench.people(many))
    before, began_s = _cpu(stack), perf_counter()
    await calls.make(WARM_S + load_s)
    took_s, used = perf_counter() - began_s, _less(_cpu(stack), before)
    counted = dict(list(calls.accepted.items())[WARM_S * per_s :])
    await arrived(counted, provider)
    waits = [(provider.came[p] - at) * 1000 for p, at in counted.items() if p in provider.came]
    seen = Seen(waits, len(counted) - len(waits), used, took_s)
    bench.say(
        f"{per_s}/s: p50 {percentile(waits, 50):.0f} ms, p99 {percentile(waits, 99):.0f} ms, of "
        f"{len(waits)} leads; {seen.missing} not there; p50 of each quarter {_quarters(waits)}"
    )
    a_lead = {name: each * 1000 / many for name, each in used.items()}
    bench.say(
        f"CPU in ms a lead: {_rounded(a_lead)}, together {sum(a_lead.values()):.1f} "
        f"({sum(used.values()) / took_s * 100:.0f} % of a core)"
    )
    left = await marks.read(provider.came)
    for line in (*table(counted, left), slowest(counted, left)):
        bench.say(f"    {line}")
    return seen


def _quarters(waits_ms: list[float]) -> list[int]:
    """The median of each quarter of the run: a queue grows from one to the next."""
    quarter = max(1, len(waits_ms) // 4)
    return [round(percentile(waits_ms[n * quarter :][:quarter], 50)) for n in range(4)]


def _results(per_s: int, seen: Seen) -> list[Result]:
    name = f"HTTP 202 to SMS at {per_s} leads/s"
    p50, p99 = percentile(seen.waits_ms, 50), percentile(seen.waits_ms, 99)
    return [
        Result.of(ROW, f"{name}, p50", "ms", [Run(p50)], less=True),
        Result.of(ROW, f"{name}, p99", "ms", [Run(p99)], less=True, aim=AIM_P99_MS),
    ]


def _cpu_results(when: str, shares: Mapping[str, float]) -> list[Result]:
    ours = sum(share for name, share in shares.items() if name in SERVICES)
    servers = shares["kafka"] + shares["postgres"]
    return [
        Result.of(ROW, f"CPU of {what} {when}", "% of a core", [Run(share)], less=True)
        for what, share in (("the four services", ours), ("Kafka and PostgreSQL", servers))
    ]


def _memory_results(when: str, memory: Mapping[str, float]) -> list[Result]:
    ours = sum(mb for name, mb in memory.items() if name in SERVICES)
    return [
        Result.of(ROW, f"memory of {what} {when}", "MB", [Run(mb)], less=True)
        for what, mb in (("the whole stack", sum(memory.values())), ("the four services", ours))
    ]


def _memory(stack: Stack) -> dict[str, float]:
    """MB now, by program."""
    return {part.child.name: memory_mb([part.child.pid or 0]) for part in stack.parts()}


def _cpu(stack: Stack) -> dict[str, float]:
    """CPU seconds so far, by program; `bench` is who calls and who takes the SMS."""
    used = {name: cpu_s([each.child.pid or 0]) for name, each in stack.services.items()}
    kafka, postgres, mail = stack.kafka.child, stack.postgres.child, stack.mail.child
    for name, child in (("kafka", kafka), ("postgres", postgres), ("mail", mail)):
        used[name] = cpu_s([child.pid or 0])
    return used | {"bench": process_time()}


def _less(after: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {name: each - before[name] for name, each in after.items()}


def _rounded(shares: Mapping[str, float]) -> dict[str, float]:
    return {name: round(share, 1) for name, share in shares.items()}
