"""Where the time goes: CPU of one new lead by process, and pipeline's flame graph, kept."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.processor import cpu_s
from benchmarks.result import FOLDER, Result, Run
from benchmarks.side import Outputs, Side
from benchmarks.workload import NEW, Workload, publish
from relance.stack.home import PROJECT
from shared.contract.topics import INTAKE

ROW = "profile"
MANY, STARTING, ENDING = 16_000, 0.25, 0.9
FLAMES = FOLDER / "pipeline.svg"
_PER_S = 200
_PARTS = {"service": "pipeline's process", "postgres": "PostgreSQL", "kafka": "Kafka"}


async def measure(bench: Bench) -> list[Result]:
    """CPU while a quarter to nine tenths of the effects are said: as much is in hand at both ends,
    and neither starting nor running dry counts."""
    side = await bench.ours()
    seen: dict[str, list[Run]] = {part: [] for part in _PARTS}
    for number in range(min(3, bench.runs)):
        many = bench.many(MANY)
        workload = Workload.of(NEW, many, bench.people(many))
        spent = await _spent(side, workload)
        for part, cost_us in spent.items():
            seen[part].append(Run(cost_us))
        bench.say(f"run {number + 1}: CPU of a new lead in µs: {spent}")
    many = bench.many(MANY)
    into = FLAMES if bench.keeps else side.home.folder / FLAMES.name
    await _draw(side, Workload.of(NEW, many, bench.people(many)), into)
    return [
        Result.of(ROW, f"CPU of a new lead, {_PARTS[part]}", "µs", runs, less=True)
        for part, runs in seen.items()
    ]


async def _spent(side: Side, workload: Workload) -> dict[str, float]:
    """CPU microseconds an input, by part."""
    await publish(side.kafka, INTAKE, workload.events())
    async with Outputs(side.kafka) as outputs:
        before = await outputs.count()
        early = replace(workload, many=int(workload.many * STARTING))
        with side.at_work():
            began = await side.watched(outputs, before, early, at_least=True)
            from_s = {part: cpu_s(pids) for part, pids in side.pids.items()}
            late = replace(workload, many=int(workload.many * ENDING))
            ended = await side.watched(outputs, before, late, at_least=True)
            to_s = {part: cpu_s(pids) for part, pids in side.pids.items()}
            await side.watched(outputs, before, workload)
    many = (ended[-1][1] - began[-1][1]) / workload.effects
    return {part: round((to_s[part] - from_s[part]) / many * 1e6, 1) for part in from_s}


async def _draw(side: Side, workload: Workload, into: Path) -> None:
    """The flame graph; drawn in a run of its own, for it costs, and of the source: what is
    compiled has no frames."""
    await publish(side.kafka, INTAKE, workload.events())
    async with Outputs(side.kafka) as outputs:
        before = await outputs.count()
        with side.at_work(PYTHONPATH=str(PROJECT)):
            early = replace(workload, many=workload.many // 8)
            await side.watched(outputs, before, early, at_least=True)
            with _sampled(side.pids["service"][0], into):
                await side.watched(outputs, before, workload)


@contextmanager
def _sampled(pid: int, into: Path) -> Iterator[None]:
    """py-spy looks at the process meanwhile. It writes its own command into the graph: no paths."""
    spy = subprocess.Popen(
        ["py-spy", "record", "--pid", str(pid), "--rate", str(_PER_S), "--output", into.name],
        executable=Path(sys.executable).with_name("py-spy"),
        cwd=into.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        spy.send_signal(signal.SIGINT)
        spy.wait()
