"""Every numbered row has a scenario, or names the test that proves it, and that test exists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import BaseModel

from relance.check.finding import Finding
from relance.rows import required_rows
from relance.stack.home import PROJECT
from shared.domain.rulebook.message import Hold
from shared.domain.rulebook.rule import Requirement, Rule
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
    return {rule for rule in _rules_in(book) if NUMBERED.fullmatch(rule)}


def _exists(test: str) -> bool:
    file, _, name = test.partition("::")
    path = PROJECT / file
    if not path.is_file():
        return False
    return re.search(rf"^\s*(async )?def {name}\(", path.read_text(), re.MULTILINE) is not None


def _rules_in(part: object) -> Iterator[str]:
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            value = getattr(part, name)
            own = isinstance(part, Hold) or (name == "id" and isinstance(part, Rule | Requirement))
            if isinstance(value, str) and (name == "rule" or own):
                yield value
            else:
                yield from _rules_in(value)
    elif isinstance(part, dict):
        for value in part.values():
            yield from _rules_in(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _rules_in(value)
