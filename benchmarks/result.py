"""A result of a benchmark: both sides, the ratio, and every run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results" / "latest.json"
README = Path(__file__).parent.parent / "README.md"
_START, _END = "<!-- bench: written by `make bench` -->\n", "<!-- /bench -->"


@dataclass(frozen=True, slots=True)
class Run:
    """One interleaved pair."""

    ours: float
    peer: float


@dataclass(frozen=True, slots=True)
class Result:
    """The medians, and the runs they come from."""

    name: str
    ours: float
    peer: float
    unit: str
    ratio: float
    runs: Sequence[Run]
    machine: str

    @classmethod
    def of(cls, name: str, unit: str, runs: Sequence[Run]) -> Result:
        """The medians of `runs`; the ratio is that of the pairs, which saw the same machine."""
        ours, peer = median(run.ours for run in runs), median(run.peer for run in runs)
        ratio = median(run.ours / run.peer for run in runs)
        return cls(name, round(ours, 1), round(peer, 1), unit, round(ratio, 1), runs, machine())


def machine() -> str:
    """The machine in a few words: cores, processor, Python."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (cpuinfo.read_text().splitlines() if cpuinfo.exists() else [])
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}"


def write(results: Sequence[Result]) -> None:
    """Keep the raw lines, and show them in the README."""
    lines = json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False)
    RESULTS.write_text(lines + "\n", encoding="utf-8")
    page = README.read_text(encoding="utf-8")
    head, start, rest = page.partition(_START)
    if start:
        tail = rest.partition(_END)[2]
        README.write_text(f"{head}{start}{table(results)}\n{_END}{tail}", encoding="utf-8")


def table(results: Sequence[Result]) -> str:
    """The table of the README."""
    rows = [
        "| one process, the whole path of pipeline | Relance | documented way | ratio |",
        "|---|---|---|---|",
    ]
    rows += [
        f"| {r.name} | {r.ours:,.0f} {r.unit} | {r.peer:,.0f} {r.unit} | {r.ratio:.0f} × |"
        for r in results
    ]
    return "\n".join(
        [
            *rows,
            "",
            f"Median of {len(results[0].runs)} runs each, interleaved; {results[0].machine}.",
        ]
    )
