"""The commands about rulebooks that need no broker: check, simulate, mutants.

As in `relance.cli`, a command's own code is imported when it is called.
"""

from __future__ import annotations

import json as encoding
from pathlib import Path
from typing import Annotated

import typer

from relance.cli_leads import RULEBOOK
from relance.stack.home import PROJECT

RULEBOOKS = PROJECT / "rulebooks"


def add_to(app: typer.Typer) -> None:
    """Give `app` these commands."""
    app.command()(check)
    app.command()(simulate)
    app.command()(mutants)


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
    rulebooks: Annotated[
        list[str] | None,
        typer.Argument(help="Folders, or names; all of them if none. Scenario files too."),
    ] = None,
    *,
    rulebook: Annotated[
        list[str] | None, typer.Option(help="One more folder or name; can be repeated.")
    ] = None,
    scenarios: Annotated[
        list[Path] | None,
        typer.Option(help="Files or folders, one or more; all of the rulebook's if none."),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, help="Play so many days of random life instead.")
    ] = None,
    leads_per_day: Annotated[int, typer.Option(min=1, help="So many a weekday.")] = 20,
    seed: Annotated[int, typer.Option(help="The same seed, the same life.")] = 1,
    sms_price: Annotated[float, typer.Option(help="What one part of an SMS costs.")] = 0.07,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many share the work; all processors if none.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The outcome as data.")] = False,
) -> None:
    """Run scenarios on the pure cores; exit 0 only if all hold.

    With --days a year (or so) of random but plausible life goes through a rulebook instead, and
    what people would have lived is told; exit 0 only if no open lead was ever without a next step.
    """
    # `--scenarios A B`: an option takes one value, so B comes as an argument.
    files, others = list(scenarios or ()), []
    for each in rulebooks or ():
        if _has_scenarios(each):
            files.append(Path(each))
        else:
            others.append(each)
    named = dict.fromkeys([*others, *(rulebook or ())])
    if files and days is not None:
        raise typer.BadParameter("a year of life plays no scenarios: leave --scenarios out")
    folders = [folder_of(name) for name in named] or all_rulebooks()
    if days is None:
        from relance.simulate import simulate as run  # noqa: PLC0415

        plays = dict.fromkeys(folders, files)
        if files and not named:
            plays = {}
            for file in files:
                plays.setdefault(_rulebook_of(file), []).append(file)
        raise typer.Exit(run(plays, as_json=json, say=typer.echo))
    from relance.year import command  # noqa: PLC0415

    plans = [command.Plan(f.resolve(), days, leads_per_day, seed) for f in folders]
    ok = command.run(plans, sms_price, processes, as_json=json, say=typer.echo)
    raise typer.Exit(0 if ok else 1)


def mutants(
    rulebooks: Annotated[
        list[str] | None, typer.Argument(help="Folders, or names; all of them if none.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many share the work; all processors if none.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="As data.")] = False,
) -> None:
    """Break each rule, word and declaration of a rulebook in turn: does a scenario notice?

    Exit 0 only if every mutant is noticed or has a reason in the rulebook's mutants.toml.
    """
    from relance.mutants import command  # noqa: PLC0415

    folders = [folder_of(name).resolve() for name in rulebooks or ()] or all_rulebooks()
    ok = command.run(folders, processes, as_json=json, say=typer.echo)
    raise typer.Exit(0 if ok else 1)


def _has_scenarios(argument: str) -> bool:
    """Whether it is a scenario file, or a folder of them, and no rulebook."""
    place = Path(argument)
    if place.is_dir():
        return not (place / "rulebook.toml").is_file() and any(place.glob("*.toml"))
    return place.suffix == ".toml"


def _rulebook_of(scenarios: Path) -> Path:
    """The folder above that is a rulebook; else where the file lies, which says so itself."""
    places = (scenarios, *scenarios.absolute().parents)
    return next((place for place in places if (place / "rulebook.toml").is_file()), RULEBOOK)
