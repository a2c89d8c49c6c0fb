"""`relance simulate --days`: plays, shows how far it is, and says what it was like."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from relance.simulation.company import read_company
from relance.year.tally import Tally
from relance.year.year import Plan, play
from relance.year.year_page import as_data, as_text

__all__ = ["Plan", "run"]


def run(
    plans: Sequence[Plan],
    sms_price: float,
    processes: int | None,
    *,
    as_json: bool,
    say: Callable[[str], None],
) -> bool:
    """Plays each; whether no open lead was ever without a next step.

    Raises what `read_company` raises for a rulebook that cannot be used.
    """
    reports = []
    ok = True
    for plan in plans:
        book = read_company(plan.rulebook).book
        tally = _played(plan, processes)
        ok = ok and not tally.forgotten
        if as_json:
            reports.append(as_data(tally, plan, sms_price))
        else:
            say(as_text(tally, plan, book, sms_price))
    if as_json:
        say(json.dumps({"rulebooks": reports}, ensure_ascii=False, indent=2))
    return ok


def _played(plan: Plan, processes: int | None) -> Tally:
    """With a bar on the error stream, so that the report can be piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(plan.rulebook.name, total=plan.days)
        return play(plan, lambda days: progress.advance(bar, days), processes)
