"""Values as TOML writes them in one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def inline(value: Any) -> str:
    """`{ create_task = "qualify", due = { in = "30m" } }`."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            return f'"{escaped}"'
        case Mapping():
            inside = ", ".join(f"{key(k)} = {inline(v)}" for k, v in value.items())
            return f"{{ {inside} }}"
        case list() | tuple():
            return f"[{', '.join(inline(item) for item in value)}]"
        case _:
            return str(value)


def key(name: str) -> str:
    """Quoted where it must be."""
    return name if _BARE.fullmatch(name) else inline(name)


def document(tables: Mapping[str, Any]) -> str:
    """A whole file, a line a top-level key."""
    return "".join(f"{key(name)} = {inline(value)}\n" for name, value in tables.items())
