"""A rulebook checked: its files, its logic, its proofs, and where exploring it leads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

from relance.check.contradiction import contradictions
from relance.check.exploration import STATES_AT_MOST, Exploration, explore, refusals
from relance.check.finding import Finding
from relance.check.people import nobody
from relance.check.proofs import unproved
from relance.check.watched import watched
from relance.directory import DirectoryError
from relance.mutants.trial import justified
from relance.rows import required_rows
from relance.scenario import Scenario, ScenarioError
from relance.simulate import perform, scenarios_for
from relance.simulation.company import Company, read_company
from services.notifications.core.template import problems
from shared.contract.pipeline import StageEntered
from shared.domain.count import counted
from shared.domain.directory import Unknown
from shared.domain.rulebook.loader import RulebookError
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime.settings import WrongSetting


@dataclass(frozen=True)
class Report:
    """What was looked at, and what is wrong; `exploration` is absent for a file that cannot be
    read."""

    name: str
    findings: tuple[Finding, ...]
    rules: int = 0
    rows: int = 0
    scenarios: int = 0
    exploration: Exploration | None = None

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.findings


def check(folder: Path, states_at_most: int = STATES_AT_MOST) -> Report:
    """Everything that can be said of this rulebook without anybody working by it."""
    folder = folder.resolve()
    name = folder.name
    try:
        company = read_company(folder)
    except (DirectoryError, RulebookError, Unknown, WrongSetting) as problem:
        said = str(problem).splitlines()
        return Report(name, tuple(Finding("file", name, line) for line in said))
    findings = [
        Finding("template", company.book.name, why) for why in problems(company.book.messages)
    ]
    findings += _survivors(folder)
    findings += nobody(company)
    findings += contradictions(company.book)
    scenarios = _scenarios(folder, company, findings)
    book, ran = watched(company.book)
    company = Company(book, company.directory)
    exploration = explore(company, states_at_most)
    refused = exploration.refused | _played(scenarios, company, exploration, findings)
    if scenarios:  # without them much is unproved, and says nothing
        findings += unproved(book, (each.rule for each in scenarios))
        findings += _never(book, ran, refused)
        findings += _unreached(book, exploration)
    findings += _explored(exploration)
    return Report(
        book.name if name == book.name else f"{book.name} ({name})",
        tuple(findings),
        rules=len(book.rules) + len(book.requires),
        rows=len(required_rows().get(book.name, ())),
        scenarios=len(scenarios),
        exploration=exploration,
    )


def _survivors(folder: Path) -> Iterator[Finding]:
    """Whether `relance mutants` can read its reasons."""
    try:
        justified(folder)
    except RulebookError as problem:
        yield from (Finding("file", folder.name, each) for each in problem.problems)


def _scenarios(folder: Path, company: Company, findings: list[Finding]) -> tuple[Scenario, ...]:
    try:
        return scenarios_for(company, [folder / "scenarios"])
    except ScenarioError as problem:
        findings.append(Finding("scenario", folder.name, str(problem)))
        return ()


def _played(
    scenarios: Iterable[Scenario], company: Company, seen: Exploration, findings: list[Finding]
) -> set[str]:
    """Plays them; returns the rules that refused something, and adds the stages they reach, and
    that some do not hold: they prove nothing."""
    refused: set[str] = set()
    failed: list[str] = []
    for number, scenario in enumerate(scenarios, 1):
        outcome = perform(scenario, f"s{number}", company)
        refused |= refusals(outcome.log)
        entered = [each.data for each in outcome.log if isinstance(each.data, StageEntered)]
        seen.stages.update((each.pipeline, each.stage) for each in entered)
        if not outcome.passed:
            failed.append(scenario.name)
    if failed:
        many = counted(len(failed), "scenario does not hold", "scenarios do not hold")
        says = f"{many}, and prove nothing; the first is {failed[0]}: see relance simulate"
        findings.append(Finding("scenario", company.book.name, says))
    return refused


def _never(book: Rulebook, ran: set[int], refused: set[str]) -> Iterator[Finding]:
    for number, rule in enumerate(book.rules):
        if number not in ran:
            when = f"{rule.when.word} {', '.join(rule.when.values)}"
            says = f"no scenario and no explored path makes it run (when {when}): {rule.says}"
            yield Finding("never", rule.id, says)
    for id_ in dict.fromkeys(requirement.id for requirement in book.requires):
        if id_ not in refused:
            yield Finding("never", id_, "no scenario and no explored path makes it refuse anything")


def _unreached(book: Rulebook, exploration: Exploration) -> Iterator[Finding]:
    for pipeline, stage in book.stages:
        if (pipeline, stage) not in exploration.stages:
            says = "no lead gets there: no scenario and no explored path enters it"
            yield Finding("stage", f"{pipeline}.{stage}", says)


def _explored(exploration: Exploration) -> Iterator[Finding]:
    for each in exploration.forgotten:
        says = (
            "an open lead has no next step there: no open task, no armed deadline, no line in a "
            "digest; give it one, or write a [[rest]] with its reason"
        )
        yield Finding("forgotten", f"{each.pipeline}.{each.stage}", says, each.path)
    for broken in exploration.broken:
        yield Finding("broken", "the rulebook", broken.why, broken.path)


def as_data(reports: Iterable[Report]) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "ok": all(report.ok for report in reports),
        "rulebooks": {report.name: _data(report) for report in reports},
    }


def _data(report: Report) -> dict[str, Any]:
    explored = report.exploration
    return {
        "ok": report.ok,
        "rules": report.rules,
        "rows": report.rows,
        "scenarios": report.scenarios,
        "explored": {
            "states": explored.states,
            "depth": explored.depth,
            "whole": explored.whole,
        }
        if explored
        else None,
        "findings": [
            {"kind": f.kind, "where": f.where, "says": f.says, "path": list(f.path)}
            for f in report.findings
        ],
    }


def as_text(report: Report) -> Iterator[str]:
    """For people: one heading, then one paragraph a finding with the path to it."""
    mark = "✓" if report.ok else "✗"
    yield from wrap(f"{mark} {report.name}: {_looked_at(report)}", 80, subsequent_indent="  ")
    bare = [finding.where for finding in report.findings if finding.kind == "unproved"]
    if len(bare) > 1:
        told = f"✗ {len(bare)} numbered rows without a scenario or a [[proof]]: {', '.join(bare)}"
        yield from wrap(told, 80, initial_indent="  ", subsequent_indent="    ")
    for finding in report.findings:
        if finding.kind == "unproved" and len(bare) > 1:
            continue
        told = f"✗ {finding.where} ({finding.kind}): {finding.says}"
        yield from wrap(told, 80, initial_indent="  ", subsequent_indent="    ")
        for number, step in enumerate(finding.path, 1):
            yield from wrap(
                f"{number}. {step}", 80, initial_indent=" " * 6, subsequent_indent=" " * 9
            )


def _looked_at(report: Report) -> str:
    explored = report.exploration
    if explored is None:
        return "it cannot be read"
    how = "all there are" if explored.whole else "up to the bound: there are more"
    return (
        f"{counted(report.rules, 'rule')}, {counted(report.rows, 'row')}, "
        f"{counted(report.scenarios, 'scenario')}; "
        f"{counted(explored.states, 'state')} explored ({how}), "
        f"up to {counted(explored.depth, 'step')} deep"
    )
