"""Mistakes in a rulebook's files, each in one sentence that a person can act on."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.wrong_value import in_words, place_of

_OTHER_FILES = (("messages",), ("sources",))
"""Parts of a `Rulebook` whose mistakes are told under their own file's name."""

_PLURALS = {
    name: info.alias for name, info in Rulebook.model_fields.items() if info.alias is not None
}


def sentences(file: str, table: dict[str, Any], error: ValidationError) -> list[str]:
    """One sentence a mistake; what only follows from another one is left out."""
    found = [e for e in error.errors() if e["loc"][:1] not in _OTHER_FILES]
    missing = {e["loc"]: e for e in found if e["type"] == "missing"}
    said: list[str] = []
    for details in found:
        loc = details["loc"]
        if details["type"] == "extra_forbidden":
            wanted = [str(m[-1]) for m in missing if m[:-1] == loc[:-1]]
            close = get_close_matches(str(loc[-1]), wanted, n=1)
            if close:
                missing.pop((*loc[:-1], close[0]))
                what = f"nobody knows this key; did you mean {close[0]!r}?"
                said.append(place(file, table, loc, what))
                continue
        follows = details["type"] == "too_short" and any(
            other["loc"][: len(loc)] == loc != other["loc"] for other in found
        )
        if not follows and details["type"] != "missing":
            said.append(_sentence(file, table, details))
    said += [_sentence(file, table, details) for details in missing.values()]
    return list(dict.fromkeys(said))


def _sentence(file: str, table: dict[str, Any], details: ErrorDetails) -> str:
    """One mistake, for a person: the file, the place by its id, and what was expected."""
    own = details["type"] in ("not_a_table", "no_word", "several_words", "twice")
    what = details["msg"] if own else in_words(details)
    return place(file, table, place_of(details["loc"]), what)


def place(file: str, table: dict[str, Any], loc: tuple[str | int, ...], what: str) -> str:
    """`rulebook.toml: rule 001-03: do[0]: due: in: …`: a table with an id is named by it."""
    at: Any = table
    words: list[str] = []
    for step in loc:
        if isinstance(step, int):
            at = at[step] if isinstance(at, list) and step < len(at) else None
            if isinstance(at, dict) and "id" in at:
                words[-1:] = [f"{words[-1]} {at['id']}"] if words else [str(at["id"])]
            elif words:
                words[-1] = f"{words[-1]}[{step}]"
        elif isinstance(at, list):
            at = next((t for t in at if isinstance(t, dict) and t.get("id") == step), None)
            words[-1:] = [f"{words[-1]} {step}"] if words else [step]
        elif isinstance(at, dict) and step not in at and not words[1:] and step in _PLURALS:
            at, words = at.get(_PLURALS[step]), [*words, _PLURALS[step]]
        else:
            at = at.get(step) if isinstance(at, dict) else None
            words.append(step)
    return ": ".join([file, *words, what])
