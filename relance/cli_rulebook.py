"""The commands about rulebooks that need no broker: check, simulate.

As in `relance.cli`, a command's own code is imported when it is called.
"""

from __future__ import annotations

import json as encoding
from pathlib import Path
from typing import Annotated

import typer

from relance.cli_leads import RULEBOOK, Rulebook
from relance.stack.home import PROJECT

RULEBOOKS = PROJECT / "rulebooks"


def add_to(app: typer.Typer) -> None:
    """Give `app` these commands."""
    app.command()(check)
    app.command()(simulate)


def all_rulebooks() -> list[Path]:
    """The folders of all rulebooks that come with Relance."""
    return sorted(file.parent for file in RULEBOOKS.glob("*/rulebook.toml"))


def folder_of(name: str) -> Path:
    """A rulebook's folder, by its path or by its name among ours."""
    return Path(name) if Path(name).is_dir() or "/" in name else RULEBOOKS / name


def check(
    rulebooks: Annotated[
        list[str] | None, typer.Argument(help="Folders, or names; all of them if none.")
    ] = None,
    states: Annotated[int, typer.Option(min=1, help="Explore at most so many states.")] = 4_000,
    json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Find what is wrong with rulebooks before anybody works by them; exit 0 only if nothing is.

    Names that stand for nothing, stages nobody reaches, rules that never run or contradict each
    other, numbered rows without a proof, and open leads without a next step.
    """
    from relance.check import check as checking  # noqa: PLC0415

    folders = [folder_of(name) for name in rulebooks or ()] or all_rulebooks()
    reports = []
    for folder in folders:
        reports.append(checking.check(folder, states))
        if not json:
            typer.echo("\n".join(checking.as_text(reports[-1])))
    if json:
        typer.echo(encoding.dumps(checking.as_data(reports), ensure_ascii=False, indent=2))
    raise typer.Exit(0 if all(report.ok for report in reports) else 1)


def simulate(
    rulebook: Rulebook = RULEBOOK,
    scenarios: Annotated[
        list[Path] | None, typer.Option(help="Files or folders; all of the rulebook's if none.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The outcome as data.")] = False,
) -> None:
    """Run scenarios on the pure cores; exit 0 only if all hold."""
    from relance.simulate import simulate as run  # noqa: PLC0415

    raise typer.Exit(run(rulebook, scenarios or (), as_json=json, say=typer.echo))
