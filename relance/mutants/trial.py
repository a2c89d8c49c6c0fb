"""Each mutant is tried: its own scenarios first, then all the others; who lives is listed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relance import directory
from relance.mutants.mutant import Mutant, mutants
from relance.rows import required_rows
from relance.scenario import Scenario, ScenarioError, load
from relance.simulate import perform
from relance.simulation.company import Company
from shared.domain.directory import Directory
from shared.domain.rulebook import loader
from shared.domain.rulebook.mistake import sentences
from shared.runtime import rulebook_folder

Fate = Literal["own", "other", "refused", "alive"]
"""A scenario of the rule fails · another one does · the loader refuses it · nothing notices."""


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant; `by` is the title of the scenario that noticed."""

    name: str
    fate: Fate
    by: str = ""


@dataclass(frozen=True)
class Trial:
    """All mutants of one rulebook. `justified`: survivors with the reason why they may live."""

    rulebook: str
    verdicts: tuple[Verdict, ...]
    justified: dict[str, str]
    unbroken: tuple[str, ...] = ()
    """The numbered rows under whose number nothing can be broken."""

    @property
    def survivors(self) -> tuple[str, ...]:
        """Those that live without a reason."""
        alive = [v.name for v in self.verdicts if v.fate == "alive"]
        return tuple(name for name in alive if name not in self.justified)

    @property
    def stale(self) -> tuple[str, ...]:
        """Reasons for mutants that are not alive, or not there."""
        alive = {v.name for v in self.verdicts if v.fate == "alive"}
        return tuple(name for name in self.justified if name not in alive)

    @property
    def ok(self) -> bool:
        """Nobody lives without a reason, and no reason is without its mutant."""
        return not self.survivors and not self.stale


def try_all(
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    processes: int | None = None,
    *,
    only: Callable[[Mutant], bool] | None = None,
) -> Trial:
    """Breaks the rulebook of that folder in every way; `only` chooses among the mutants."""
    may_live = justified(folder)
    _holds(folder)
    made = tuple(mutants(rulebook_folder.texts(folder)))
    chosen = [n for n, each in enumerate(made) if only is None or only(each)]
    broken = {each.rule for each in made}
    rows = required_rows().get(folder.name, ())
    workers = processes or os.cpu_count() or 1
    verdicts: list[Verdict] = []
    with ExitStack() as stack:
        if workers == 1:
            trials: Iterator[Verdict] = (try_one(folder, number) for number in chosen)
        else:
            pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
            stack.enter_context(pool)
            trials = pool.map(try_one, [folder] * len(chosen), chosen, chunksize=4)
        for verdict in trials:
            verdicts.append(verdict)
            if progress is not None:
                progress(len(verdicts), len(chosen))
    unbroken = tuple(row for row in rows if row not in broken)
    return Trial(folder.name, tuple(verdicts), may_live, unbroken)


def _holds(folder: Path) -> None:
    """What fails before anything is broken would notice everything. Raises `ScenarioError`."""
    ground = _ground(folder)
    failed = _noticed(ground.scenarios, Company(loader.load(ground.files), ground.directory))
    if failed is not None:
        raise ScenarioError(
            f"{failed}: it does not hold before anything is broken; see relance simulate"
        )


class Survivor(BaseModel):
    """A mutant that may live."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mutant: str
    why: str = Field(min_length=10)


class Survivors(BaseModel):
    """`mutants.toml` of a rulebook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    survivor: tuple[Survivor, ...] = ()


def justified(folder: Path) -> dict[str, str]:
    """`mutants.toml` of the rulebook: which mutant may live, and why. Raises `RulebookError`."""
    name = "mutants.toml"
    text = rulebook_folder.texts(folder).get(name, "")
    try:
        table = tomllib.loads(text)
        listed = Survivors.model_validate(table).survivor
    except tomllib.TOMLDecodeError as error:
        raise loader.RulebookError([f"{name}: this is not valid TOML: {error}"]) from None
    except ValidationError as error:
        raise loader.RulebookError(sentences(name, table, error)) from None
    return {each.mutant: each.why for each in listed}


def try_one(folder: Path, number: int) -> Verdict:
    """The fate of one mutant, by its number in file order."""
    ground = _ground(folder)
    mutant = ground.mutants[number]
    try:
        book = loader.load(mutant.files(ground.files))
    except loader.RulebookError as problem:
        return Verdict(mutant.name, "refused", problem.problems[0])
    company = Company(book, ground.directory)
    own = [each for each in ground.scenarios if each.rule == mutant.rule]
    others = [each for each in ground.scenarios if each.rule != mutant.rule]
    for fate, scenarios in (("own", own), ("other", others)):
        noticed = _noticed(scenarios, company)
        if noticed is not None:
            return Verdict(mutant.name, "own" if fate == "own" else "other", noticed)
    return Verdict(mutant.name, "alive")


def _noticed(scenarios: Iterable[Scenario], company: Company) -> str | None:
    """The first scenario that does not hold."""
    for scenario in scenarios:
        try:
            passed = perform(scenario, "mutant", company).passed
        except (ValueError, LookupError):  # what only a broken rulebook makes the cores raise
            passed = False
        if not passed:
            return scenario.name
    return None


@dataclass(frozen=True)
class _Ground:
    files: dict[str, str]
    mutants: tuple[Mutant, ...]
    scenarios: tuple[Scenario, ...]
    directory: Directory


@cache
def _ground(folder: Path) -> _Ground:
    files = rulebook_folder.texts(folder)
    return _Ground(
        files,
        tuple(mutants(files)),
        load([folder / "scenarios"]),
        Directory.of(directory.read(folder / "directory.toml")),
    )
