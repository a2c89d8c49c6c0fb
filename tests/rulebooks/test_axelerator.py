"""Axelerator's rulebook does what its documents say: every scenario, and one for every rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import pytest
from pydantic import BaseModel

from relance.scenario import Scenario, load
from relance.simulate import perform, story_of
from relance.simulation.company import Company, read_company
from relance.stack.home import PROJECT
from shared.domain.rulebook.rulebook import Rulebook

FOLDER = PROJECT / "rulebooks" / "axelerator"
SCENARIOS = load([FOLDER / "scenarios"])
NUMBERED = re.compile(r"\d{3}-L?\d{1,2}")


@cache
def company() -> Company:
    return read_company(FOLDER)


RULES = sorted(
    {each.id for each in company().book.rules} | {each.id for each in company().book.requires}
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_the_scenario_holds(scenario: Scenario) -> None:
    outcome = perform(scenario, f"s{SCENARIOS.index(scenario)}", company())

    assert outcome.passed, (
        f"step {outcome.failed_step}: {outcome.why}\n\n{story_of(outcome, company())}"
    )


def test_every_numbered_rule_of_the_rulebook_has_a_scenario() -> None:
    declared = {rule for rule in _rules_in(company().book) if NUMBERED.fullmatch(rule)}

    assert declared - {scenario.rule for scenario in SCENARIOS} == set()


@pytest.mark.parametrize("rule", RULES)
def test_without_the_rule_one_of_its_scenarios_fails(rule: str) -> None:
    poorer = Company(_book_without(rule), company().directory)
    proofs = [scenario for scenario in SCENARIOS if scenario.rule == rule]

    assert not all(perform(each, "x", poorer).passed for each in proofs)


def test_no_two_scenarios_have_the_same_name() -> None:
    names = [scenario.name for scenario in SCENARIOS]

    assert len(set(names)) == len(names)


def _book_without(rule: str) -> Rulebook:
    book = company().book
    parts = {
        field.alias or name: getattr(book, name) for name, field in type(book).model_fields.items()
    }
    for name in ("rule", "require"):
        parts[name] = tuple(each for each in parts[name] if each.id != rule)
    return Rulebook.model_validate(parts)


def _rules_in(part: object) -> Iterator[str]:
    """Every rule id in a rulebook: of its rules and requirements, and of what it declares."""
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if isinstance(value, str) and (name == "rule" or _names_a_rule(part, name)):
                yield value
            else:
                yield from _rules_in(value)
    elif isinstance(part, dict):
        for value in part.values():
            yield from _rules_in(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _rules_in(value)


def _names_a_rule(part: BaseModel, name: str) -> bool:
    """A rule's or requirement's own id; and the reasons of `hold` in messages.toml."""
    kind = type(part).__name__
    return (kind in ("Rule", "Requirement") and name == "id") or kind == "Hold"
