"""Values that a rulebook only refers to: `env:NAME` or `file:/path`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def value_of(reference: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """What stands behind the reference; None where nothing does, or nothing can be read."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        return environment.get(name)
    try:
        return Path(name).read_text(encoding="utf-8").strip()
    except OSError:
        return None
