"""Every numbered row has a scenario, or names the test that proves it, and that test exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from relance.check.finding import Finding
from relance.rows import required_rows, rules_in
from relance.stack.home import PROJECT
from shared.domain.rulebook.rulebook import Rulebook

NUMBERED = re.compile(r"\d{3}-L?\d{1,2}")


def unproved(book: Rulebook, scenarios: Iterable[str]) -> Iterator[Finding]:
    """What nothing proves: rows of the company's document, and numbers that the rulebook names.

    `scenarios` are the rule ids of all its scenarios.
    """
    shown = set(scenarios)
    for proof in book.proofs:
        if _exists(proof.test):
            shown.add(proof.rule)
        else:
            yield Finding("unproved", proof.rule, f"its proof {proof.test} does not exist")
    rows = required_rows().get(book.name, ())
    for rule in dict.fromkeys((*rows, *sorted(named_rules(book)))):
        if rule not in shown and not any(proof.rule == rule for proof in book.proofs):
            yield Finding("unproved", rule, "no scenario and no [[proof]] shows it")


def named_rules(book: Rulebook) -> set[str]:
    """Every numbered sentence that the rulebook names: of its rules and what it declares."""
    return {rule for rule in rules_in(book) if NUMBERED.fullmatch(rule)}


def _exists(test: str) -> bool:
    file, _, name = test.partition("::")
    path = PROJECT / file
    if not path.is_file():
        return False
    return re.search(rf"^\s*(async )?def {name}\(", path.read_text(), re.MULTILINE) is not None
