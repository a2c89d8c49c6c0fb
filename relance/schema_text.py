"""Patterns for the texts of a rulebook's files that the loader reads further: durations, names,
dates and times. An editor underlines what the loader would refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.domain.rulebook.reference import PARTIES, PARTY_PREFIXES
from shared.domain.rulebook.word import KIND_NAMES

NAME = r"[a-zA-Z][a-zA-Z0-9_]{0,62}"
LENGTH = r"[0-9]{1,5}(mo|m|h|d|w)"
DAY = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"

NAMED = (
    *("pipeline", "field", "filled", "task", "outcome", "attempt", "attempt or outcome", "reason"),
    *("template", "target", "words", "document", "date field", "moment", "attribute", "queue"),
)
DURATION = f"^{LENGTH}$"
KINDS: Mapping[str, str] = {
    "duration": f"^({LENGTH}|{NAME})$",
    "stage": rf"^{NAME}(\.{NAME})?$",
    "party": f"^(any|contact|{'|'.join(PARTIES)}|({'|'.join(PARTY_PREFIXES)}).+)$",
    **dict.fromkeys(NAMED, f"^{NAME}$"),
}
"""By the kind of name that a text is."""

FORMATS: Mapping[str, str] = {
    "date": f"^{DAY}$",
    "time": f"^{CLOCK}$",
    "date-time": f"^{DAY}[T ]{CLOCK}(Z|[+-][0-9]{{2}}:[0-9]{{2}})$",
    "duration": DURATION,
}
LOCAL = f"^{DAY}([T ]{CLOCK})?$"
"""A date and time of the site: without an offset."""

OWN: Mapping[tuple[str, str], str] = {
    ("Setting", "min"): DURATION,
    ("Setting", "max"): DURATION,
    ("Setting", "default"): DURATION,
    ("Source", "repeat_within"): DURATION,
    ("Site", "settings"): f"^{LENGTH}( elapsed)?$",
    ("Book", "lasts"): DURATION,
    ("MoveAppointment", "lasts"): DURATION,
}
"""Texts whose model checks them by itself."""

_BY_DESCRIPTION = {KIND_NAMES.get(kind, kind): text for kind, text in KINDS.items()}  # type: ignore[call-overload]  # kinds are texts


def patterned(value: Any, local: bool = False) -> Any:
    """The schema with a pattern at each text that has one; `local`: without an offset."""
    if isinstance(value, list):
        return [patterned(each, local) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: patterned(each, local) for key, each in value.items()}
    title, properties = found.get("title"), found.get("properties")
    if isinstance(title, str) and isinstance(properties, dict):
        for name in [name for owner, name in OWN if owner == title and name in properties]:
            properties[name] = _with(properties[name], OWN[title, name])
    pattern = _pattern(found, local)
    if pattern is None:
        return found
    return {key: each for key, each in found.items() if key != "format"} | {"pattern": pattern}


def _pattern(schema: Mapping[str, Any], local: bool) -> str | None:
    if schema.get("type") != "string" or schema.keys() & {"pattern", "enum", "const"}:
        return None
    if (pattern := FORMATS.get(str(schema.get("format")))) is not None:
        return LOCAL if local and schema.get("format") == "date-time" else pattern
    return _BY_DESCRIPTION.get(str(schema.get("description", "")).partition(", or `")[0])


def _with(schema: Any, pattern: str) -> Any:
    """The pattern at the texts in there."""
    if isinstance(schema, list):
        return [_with(each, pattern) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "string":
        return {**schema, "pattern": pattern}
    inside = {k: _with(v, pattern) for k, v in schema.items() if isinstance(v, list | dict)}
    return {**schema, **inside}
