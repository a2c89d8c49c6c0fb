"""From the files of a rulebook to the `Rulebook`, or to sentences that say what is wrong."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.domain.rulebook.message import Messages, read_messages
from shared.domain.rulebook.reference import dangling
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.source import Sources

RULEBOOK, SOURCES, MESSAGES, TEMPLATES = (
    "rulebook.toml",
    "sources.toml",
    "messages.toml",
    "templates/",
)
VERSION_LENGTH = 12
_OTHER_FILES = (("messages",), ("sources",))
"""Parts of a `Rulebook` whose mistakes are told under their own file's name."""


class RulebookError(ValueError):
    """The files are no rulebook. `problems`: each names file, key and what was expected."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(self.problems))


def load(files: Mapping[str, str]) -> Rulebook:
    """The rulebook that these files (name in the folder → text) are.

    `rulebook.toml` is needed; `sources.toml`, `messages.toml` and `templates/…` may be absent,
    anything else in the folder is not part of it. Raises `RulebookError` with everything that is
    wrong, at once as far as one mistake does not hide the next.
    """
    problems: list[str] = []
    if RULEBOOK not in files:
        raise RulebookError([f"{RULEBOOK}: the file is missing; a rulebook starts with it"])
    tables = {
        name: _toml(name, files.get(name, ""), problems) for name in (RULEBOOK, SOURCES, MESSAGES)
    }
    if problems:
        raise RulebookError(problems)
    sources = _sources(tables[SOURCES], problems)
    said = tables[MESSAGES] or {"company": tables[RULEBOOK].get("tenant")}
    messages = _messages(said, files, problems)
    book = _rulebook(tables[RULEBOOK], files, sources, messages, problems)
    if book is None or problems:
        raise RulebookError(problems)
    problems += [_place(RULEBOOK, tables[RULEBOOK], path, what) for path, what in dangling(book)]
    problems += _source_problems(book)
    if problems:
        raise RulebookError(problems)
    return book


def version_of(files: Mapping[str, str]) -> str:
    """A short hash of everything that decides: not the scenarios, nor the example directory."""
    digest = hashlib.sha256()
    for name in sorted(files):
        if name in (RULEBOOK, SOURCES, MESSAGES) or name.startswith(TEMPLATES):
            digest.update(f"{name}\x1f{files[name]}\x1e".encode())
    return digest.hexdigest()[:VERSION_LENGTH]


def _toml(name: str, text: str, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{name}: this is not valid TOML: {error}")
        return {}


def _sources(table: dict[str, Any], problems: list[str]) -> Sources:
    try:
        return Sources.model_validate(table)
    except ValidationError as error:
        problems += _sentences(SOURCES, table, error)
        return Sources()


def _messages(
    table: dict[str, Any], files: Mapping[str, str], problems: list[str]
) -> Messages | None:
    folder = {name: text for name, text in files.items() if name.startswith(TEMPLATES)}
    try:
        return read_messages(table, folder)
    except ValidationError as error:
        problems += _sentences(MESSAGES, table, error)
    except ValueError as error:
        problems.append(str(error))
    return None


def _rulebook(
    table: dict[str, Any],
    files: Mapping[str, str],
    sources: Sources,
    messages: Messages | None,
    problems: list[str],
) -> Rulebook | None:
    reserved = {"version", "sources", "messages"} & table.keys()
    problems += [f"{RULEBOOK}: {key} is no key of this file" for key in sorted(reserved)]
    whole = {
        "name": table.get("tenant"),
        **table,
        "version": version_of(files),
        "sources": sources,
        "messages": messages,
    }
    try:
        return Rulebook.model_validate(whole)
    except ValidationError as error:
        problems += _sentences(RULEBOOK, table, error)
        return None


def _source_problems(book: Rulebook) -> Iterator[str]:
    for source in book.sources.source:
        for field in sorted(source.field_ids - book.fields.keys()):
            yield (
                f"{SOURCES}: source {source.id!r}: mapping: {field!r} is no field of this "
                f"rulebook; known: {', '.join(book.fields) or 'none'}"
            )


def _sentences(file: str, table: dict[str, Any], error: ValidationError) -> list[str]:
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
                said.append(_place(file, table, loc, what))
                continue
        follows = details["type"] == "too_short" and any(
            other["loc"][: len(loc)] == loc != other["loc"] for other in found
        )
        if not follows and details["type"] != "missing":
            said.append(_sentence(file, table, details))
    return said + [_sentence(file, table, details) for details in missing.values()]


def _sentence(file: str, table: dict[str, Any], details: ErrorDetails) -> str:
    """One mistake, for a person: the file, the place by its id, and what was expected."""
    kind, given = details["type"], details["input"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        what = "nobody knows this key; is it misspelt?"
    elif kind == "missing":
        what = "this key is missing"
    elif kind == "literal_error":
        what = f"{given!r} is not expected here; expected {context.get('expected')}"
    elif kind == "value_error":
        what = str(context.get("error", details["msg"]))
    elif kind in ("not_a_table", "no_word", "several_words", "twice"):
        what = details["msg"]
    else:
        what = f"{given!r}: {details['msg'][:1].lower()}{details['msg'][1:]}"
    return _place(file, table, details["loc"], what)


def _place(file: str, table: dict[str, Any], loc: tuple[str | int, ...], what: str) -> str:
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


_PLURALS = {
    name: info.alias for name, info in Rulebook.model_fields.items() if info.alias is not None
}
