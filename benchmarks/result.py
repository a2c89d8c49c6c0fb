"""A result of a benchmark: what was measured, beside what, every run, and the README's block."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from relance.stack.home import PROJECT

FOLDER = PROJECT / "benchmarks" / "results"
RESULTS = FOLDER / "latest.json"
README = PROJECT / "README.md"
_START, _END = "<!-- bench: written by `make bench` -->\n", "<!-- /bench -->"


@dataclass(frozen=True, slots=True)
class Run:
    """One interleaved pair; a row without a peer has one side."""

    ours: float
    peer: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The medians, and the runs they come from.

    `row` is the benchmark it belongs to (what `--only` names). `beside` says what the peer is.
    `aim` is what the ratio (with a peer) or our own figure (without) should be at least; for what
    is better small, at most: then `less` is true. `machine` and `load` say where and how busy.
    """

    row: str
    name: str
    ours: float
    peer: float | None
    unit: str
    ratio: float | None
    runs: Sequence[Run]
    machine: str
    load: float | None
    beside: str | None = None
    aim: float | None = None
    less: bool = False

    @classmethod
    def of(
        cls,
        row: str,
        name: str,
        unit: str,
        runs: Sequence[Run],
        *,
        beside: str | None = None,
        aim: float | None = None,
        less: bool = False,
    ) -> Result:
        """The medians of `runs`; the ratio is that of the pairs, which saw the same machine."""
        ours = median(run.ours for run in runs)
        pairs = [(run.ours, run.peer) for run in runs if run.peer is not None]
        return cls(
            row,
            name,
            _rounded(ours),
            _rounded(median(peer for _, peer in pairs)) if pairs else None,
            unit,
            round(median(mine / peer for mine, peer in pairs), 2) if pairs else None,
            [Run(_rounded(r.ours), None if r.peer is None else _rounded(r.peer)) for r in runs],
            machine(),
            round(os.getloadavg()[0], 1),
            beside,
            aim,
            less,
        )

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.aim is None:
            return None
        figure = self.ours if self.ratio is None else self.ratio
        return figure <= self.aim if self.less else figure >= self.aim

    def __str__(self) -> str:
        """One line for a terminal."""
        line = f"{self.name}: {_shown(self.ours)} {self.unit}"
        if self.peer is None or self.ratio is None:
            return line
        return f"{line}, {self.beside} {_shown(self.peer)} {self.unit}, {_shown(self.ratio)} ×"


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


def read() -> list[Result]:
    """The results as they are kept."""
    if not RESULTS.exists():
        return []
    return [
        Result(**line | {"runs": [Run(**run) for run in line["runs"]]})
        for line in json.loads(RESULTS.read_text(encoding="utf-8"))
    ]


def write(results: Sequence[Result]) -> None:
    """Keep the raw lines, and show them in the README."""
    lines = json.dumps([asdict(result) for result in results], indent=1, ensure_ascii=False)
    RESULTS.write_text(lines + "\n", encoding="utf-8")
    page = README.read_text(encoding="utf-8")
    head, start, rest = page.partition(_START)
    if start:
        tail = rest.partition(_END)[2]
        README.write_text(f"{head}{start}{block(results)}\n{_END}{tail}", encoding="utf-8")


def block(results: Sequence[Result]) -> str:
    """The README's block: both tables, what falls short, and the machine."""
    parts = [_compared(results), _alone(results), _short(results)]
    machines = dict.fromkeys(result.machine for result in results)
    most = max(len(result.runs) for result in results)
    parts.append(
        f"Median of up to {most} runs each, a pair's sides taking turns; {'; '.join(machines)}."
    )
    return "\n\n".join(part for part in parts if part)


def _compared(results: Sequence[Result]) -> str:
    rows = [
        f"| {r.name} | {_shown(r.ours)} {r.unit} | {r.beside}: {_shown(r.peer)} {r.unit} "
        f"| {_shown(r.ratio)} × |"
        for r in results
        if r.peer is not None and r.ratio is not None
    ]
    head = ["| pipeline's whole path | Relance | beside it | ratio |", "|---|---|---|---|"]
    return "\n".join([*head, *rows]) if rows else ""


def _alone(results: Sequence[Result]) -> str:
    rows = [f"| {r.name} | {_shown(r.ours)} {r.unit} |" for r in results if r.peer is None]
    return "\n".join(["| measured alone | |", "|---|---|", *rows]) if rows else ""


def _short(results: Sequence[Result]) -> str:
    """What does not reach its aim, plainly."""
    rows = [
        f"- {r.name}: {_shown(r.ours if r.ratio is None else r.ratio)}"
        f"{f' {r.unit}' if r.ratio is None else ' ×'}, the aim is "
        f"{'at most' if r.less else 'at least'} {_shown(r.aim)}."
        for r in results
        if r.reached is False and r.aim is not None
    ]
    return "\n".join(["Short of its aim (why: docs/performance.md):", "", *rows]) if rows else ""


def _rounded(figure: float) -> float:
    return round(figure, 1 if abs(figure) >= 10 else 2)


def _shown(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 20 else f"{figure:.2g}"
