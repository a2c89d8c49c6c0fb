"""`relance simulate`: every scenario of the rulebooks, on the pure cores, without a broker."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from relance.directory import DirectoryError
from relance.scenario import Scenario, ScenarioError, load
from relance.simulation.company import Company, read_company
from relance.simulation.notifications import Notifications
from relance.simulation.performance import Outcome, Performance
from relance.simulation.reminders import Reminders
from relance.simulation.service import Pipeline
from relance.simulation.vocabulary import Vocabulary
from relance.simulation.world import World
from relance.story import Teller, tell
from shared.domain.count import counted, noun
from shared.domain.directory import Unknown
from shared.domain.rulebook.loader import RulebookError
from shared.runtime.settings import WrongSetting

PASSED, FAILED, UNUSABLE = 0, 1, 2
"""Exit codes: every scenario passed; some failed; rulebook or scenario files cannot be used."""


def world_of(company: Company, start: datetime) -> World:
    """A world of that company in which nothing has happened yet."""
    book = company.book
    services = (Pipeline(book), Reminders(book), Notifications(book))
    return World(book.tenant, start, company.directory, services)


def scenarios_for(company: Company, paths: Iterable[Path]) -> tuple[Scenario, ...]:
    """Those of the files and folders.

    Raises `ScenarioError`, also where one names what this company does not have.
    """
    scenarios = load(paths)
    vocabulary = Vocabulary(company.book, company.directory)
    for each in scenarios:
        _zone_of(each, company)
        if why := vocabulary.rule_problem(each.rule):
            raise ScenarioError(f"{each.file}, {each.name}: {why}")
        for step, why in vocabulary.problems(each.steps):
            raise ScenarioError(f"{each.file}, {each.name}, step {step}: {why}")
    return scenarios


def perform(scenario: Scenario, name: str, company: Company) -> Outcome:
    """The scenario in a fresh world of that company; `name` makes the ids of its inputs.

    Raises `ScenarioError` where the company has no such site.
    """
    start = scenario.start.replace(tzinfo=_zone_of(scenario, company)).astimezone(UTC)
    return Performance(scenario, name, company.book, world_of(company, start)).run()


def _zone_of(scenario: Scenario, company: Company) -> ZoneInfo:
    try:
        return ZoneInfo(company.directory.site(scenario.site).zone)
    except Unknown:
        raise ScenarioError(
            f"{scenario.file}, {scenario.name}: {company.book.name} has no site {scenario.site!r}; "
            "does the scenario belong to another rulebook?"
        ) from None


def story_of(outcome: Outcome, company: Company) -> str:
    """What happened, for people: 80 columns, in the local time of the scenario's site."""
    zone = ZoneInfo(company.directory.site(outcome.scenario.site).zone)
    return tell(Teller(zone, company.names()), outcome.log)


@dataclass(frozen=True)
class Played:
    """A company and how each of its scenarios went."""

    company: Company
    outcomes: Sequence[Outcome]


def simulate(
    plays: Mapping[Path, Sequence[Path]],
    *,
    as_json: bool = False,
    say: Callable[[str], None] = print,
) -> int:
    """Runs the scenarios of each rulebook, by its folder (none: all of its own), and says how they
    went.

    Returns 0 only if all pass, 1 if one fails, 2 if the files cannot be used.
    """
    try:
        played = [
            _play(folder, chosen or [folder / "scenarios"]) for folder, chosen in plays.items()
        ]
    except (DirectoryError, RulebookError, ScenarioError, Unknown, WrongSetting) as problem:
        say(json.dumps({"error": str(problem)}, ensure_ascii=False) if as_json else str(problem))
        return UNUSABLE
    report = report_of(played)
    if as_json:
        say(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _say_for_people(played, report, say)
    return FAILED if report["failed"] else PASSED


def _play(folder: Path, scenarios: Sequence[Path]) -> Played:
    company = read_company(folder)
    chosen = scenarios_for(company, scenarios)
    return Played(company, [perform(each, f"s{n}", company) for n, each in enumerate(chosen, 1)])


def report_of(played: Iterable[Played]) -> dict[str, Any]:
    """The outcome as data: what `--json` prints."""
    rules: dict[str, dict[str, int]] = {}
    failures: list[dict[str, Any]] = []
    for each in played:
        for outcome in each.outcomes:
            count = rules.setdefault(outcome.scenario.rule, {"passed": 0, "failed": 0})
            count["passed" if outcome.passed else "failed"] += 1
            if not outcome.passed:
                failures.append(_failure(outcome, each.company))
    return {
        "passed": sum(count["passed"] for count in rules.values()),
        "failed": len(failures),
        "rules": dict(sorted(rules.items())),
        "failures": failures,
    }


def _failure(outcome: Outcome, company: Company) -> dict[str, Any]:
    """The story is told whole: of which rulebook, what happened, and what was expected."""
    return {
        "rule": outcome.scenario.rule,
        "title": outcome.scenario.title,
        "step": outcome.failed_step,
        "story": f"{company.book.name}\n{story_of(outcome, company)}\n"
        f"\nStep {outcome.failed_step}: {outcome.why}.",
    }


def _say_for_people(
    played: Sequence[Played], report: dict[str, Any], say: Callable[[str], None]
) -> None:
    """Of one rulebook every scenario by its title, of several only how many hold."""
    for outcome in played[0].outcomes if len(played) == 1 else ():
        mark = "✓" if outcome.passed else "✗"
        say(f"{mark} {outcome.scenario.rule:<8} {outcome.scenario.title}")
    for failure in report["failures"]:
        say(f"\n{'─' * 80}\n✗ {failure['rule']} {failure['title']}\n")
        say(failure["story"])
    say("")
    for each in played:
        held = [outcome.scenario.rule for outcome in each.outcomes if outcome.passed]
        rules = {outcome.scenario.rule for outcome in each.outcomes}
        hold = noun(len(held) or len(each.outcomes), "holds", "hold")
        say(
            f"{len(held)} of {counted(len(each.outcomes), 'scenario')} {hold}, "
            f"for {counted(len(rules), 'rule')} of {each.company.book.name}."
        )
