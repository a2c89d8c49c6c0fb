"""Every rulebook does what its documents say: every scenario, and one for every rule."""

from __future__ import annotations

from functools import cache

import pytest

from relance.check.proofs import named_rules
from relance.scenario import Scenario, load
from relance.simulate import perform, story_of
from relance.simulation.company import Company, read_company
from relance.stack.home import PROJECT
from shared.domain.rulebook.rulebook import Rulebook

RULEBOOKS = tuple(sorted(path.parent.name for path in PROJECT.glob("rulebooks/*/rulebook.toml")))


@cache
def company(name: str) -> Company:
    return read_company(PROJECT / "rulebooks" / name)


@cache
def scenarios(name: str) -> tuple[Scenario, ...]:
    return load([PROJECT / "rulebooks" / name / "scenarios"])


SCENARIOS = [(name, each) for name in RULEBOOKS for each in scenarios(name)]


def rules(name: str) -> set[str]:
    book = company(name).book
    return {each.id for each in book.rules} | {each.id for each in book.requires}


RULES = [(name, rule) for name in RULEBOOKS for rule in sorted(rules(name))]


@pytest.mark.parametrize(
    ("name", "scenario"), SCENARIOS, ids=[f"{name} {each.name}" for name, each in SCENARIOS]
)
def test_the_scenario_holds(name: str, scenario: Scenario) -> None:
    outcome = perform(scenario, f"s{scenarios(name).index(scenario)}", company(name))

    assert outcome.passed, (
        f"step {outcome.failed_step}: {outcome.why}\n\n{story_of(outcome, company(name))}"
    )


@pytest.mark.parametrize("name", RULEBOOKS)
def test_every_numbered_rule_of_the_rulebook_has_a_scenario(name: str) -> None:
    book = company(name).book
    proved = {scenario.rule for scenario in scenarios(name)} | {p.rule for p in book.proofs}

    assert named_rules(book) - proved == set()


@pytest.mark.parametrize("name", RULEBOOKS)
def test_a_proof_that_is_no_scenario_is_a_test_that_exists(name: str) -> None:
    for proof in company(name).book.proofs:
        file, _, test = proof.test.partition("::")

        assert f"def {test}(" in (PROJECT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "rule"), RULES)
def test_without_the_rule_one_of_its_scenarios_fails(name: str, rule: str) -> None:
    poorer = Company(_book_without(company(name).book, rule), company(name).directory)
    proofs = [scenario for scenario in scenarios(name) if scenario.rule == rule]

    assert not all(perform(each, "x", poorer).passed for each in proofs)


@pytest.mark.parametrize("name", RULEBOOKS)
def test_no_two_scenarios_have_the_same_name(name: str) -> None:
    names = [scenario.name for scenario in scenarios(name)]

    assert len(set(names)) == len(names)


def _book_without(book: Rulebook, rule: str) -> Rulebook:
    parts = {
        field.alias or name: getattr(book, name) for name, field in type(book).model_fields.items()
    }
    for name in ("rule", "require"):
        parts[name] = tuple(each for each in parts[name] if each.id != rule)
    return Rulebook.model_validate(parts)
