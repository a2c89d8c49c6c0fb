"""`relance mutants`: breaks rulebooks on purpose, and lists what nobody would notice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from relance.mutants.trial import Trial, try_all
from relance.scenario import load
from shared.domain.count import counted
from shared.runtime import rulebook_folder


def run(
    folders: Sequence[Path], processes: int | None, *, as_json: bool, say: Callable[[str], None]
) -> bool:
    """Tries each rulebook; whether no mutant lives without a reason."""
    trials = []
    for folder in folders:
        trials.append(_tried(folder, processes))
        if not as_json:
            say("\n".join(_as_text(trials[-1])))
    if as_json:
        say(json.dumps({t.rulebook: _as_data(t) for t in trials}, ensure_ascii=False, indent=2))
    return all(trial.ok for trial in trials)


def _tried(folder: Path, processes: int | None) -> Trial:
    rulebook_folder.read(folder)  # what is broken already is told as such, before any bar is drawn
    load([folder / "scenarios"])
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        bar = shown.add_task(folder.name)
        return try_all(
            folder, lambda done, of: shown.update(bar, completed=done, total=of), processes
        )


def _as_text(trial: Trial) -> Iterator[str]:
    fates = Counter(verdict.fate for verdict in trial.verdicts)
    live = counted(len(trial.justified), "lives", "live")
    yield from wrap(
        f"{'✓' if trial.ok else '✗'} {trial.rulebook}: {counted(len(trial.verdicts), 'mutant')}; "
        f"{fates['own']} noticed by a scenario of their rule, {fates['other']} by another, "
        f"{fates['refused']} refused when loaded, {live} with a reason, "
        f"{len(trial.survivors)} without",
        80,
        subsequent_indent="  ",
    )
    if trial.unbroken:
        told = f"nothing to break under {', '.join(trial.unbroken)}"
        yield from wrap(told, 80, initial_indent="  ", subsequent_indent=" " * 4)
    for name in trial.survivors:
        yield from wrap(
            f"nobody notices {name}", 80, initial_indent="  ✗ ", subsequent_indent=" " * 4
        )
    for name in trial.stale:
        told = f"mutants.toml has a reason for what is noticed or gone: {name}"
        yield from wrap(told, 80, initial_indent="  ✗ ", subsequent_indent=" " * 4)


def _as_data(trial: Trial) -> dict[str, Any]:
    return {
        "ok": trial.ok,
        "mutants": len(trial.verdicts),
        "fates": dict(Counter(verdict.fate for verdict in trial.verdicts)),
        "survivors": list(trial.survivors),
        "justified": trial.justified,
        "stale": list(trial.stale),
        "rows_without_mutant": list(trial.unbroken),
        "verdicts": [
            {"mutant": v.name, "fate": v.fate, "noticed_by": v.by} for v in trial.verdicts
        ],
    }
