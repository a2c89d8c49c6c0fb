"""The numbered rows of the companies' documents that count: `rulebooks/requirements.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from relance.stack.home import PROJECT

REQUIREMENTS = PROJECT / "rulebooks" / "requirements.toml"


@cache
def required_rows(file: Path = REQUIREMENTS) -> dict[str, tuple[str, ...]]:
    """The rows that count, by the name of the rulebook that has to prove them."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {name: tuple(table["rows"]) for name, table in tables.items()}
