"""The numbered rows of the companies' documents that count (`rulebooks/requirements.toml`), and the
numbers that a rulebook names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from relance.stack.home import PROJECT
from shared.domain.rulebook.message import Hold
from shared.domain.rulebook.rule import Requirement, Rule

REQUIREMENTS = PROJECT / "rulebooks" / "requirements.toml"


@cache
def required_rows(file: Path = REQUIREMENTS) -> dict[str, tuple[str, ...]]:
    """The rows that count, by the name of the rulebook that has to prove them."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: tuple(table["rows"]) for name, table in tables.items()}


def rules_in(part: object) -> Iterator[str]:
    """Every number below this part of a rulebook: of its rules and of what it declares."""
    if isinstance(part, BaseModel):
        for name in type(part).model_fields:
            value = getattr(part, name)
            own = isinstance(part, Hold) or (name == "id" and isinstance(part, Rule | Requirement))
            if isinstance(value, str) and (name == "rule" or own):
                yield value
            else:
                yield from rules_in(value)
    elif isinstance(part, dict):
        for value in part.values():
            yield from rules_in(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from rules_in(value)
