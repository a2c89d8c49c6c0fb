"""From the files of a rulebook to the `Rulebook`, or to sentences that say what is wrong."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from shared.domain.plausible import is_language
from shared.domain.rulebook.message import Messages, read_messages
from shared.domain.rulebook.mistake import place, sentences
from shared.domain.rulebook.reference import dangling
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.source import Sources

RULEBOOK, SOURCES, MESSAGES, TEMPLATES, FILES = (
    "rulebook.toml",
    "sources.toml",
    "messages.toml",
    "templates/",
    "files/",
)
VERSION_LENGTH = 12


class RulebookError(ValueError):
    """The files are no rulebook. `problems`: each names file, key and what was expected."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))
        super().__init__("\n".join(self.problems))


def load(files: Mapping[str, str]) -> Rulebook:
    """The rulebook that these files (name in the folder → text) are.

    `rulebook.toml` is needed; `sources.toml`, `messages.toml`, `templates/…` and `files/…` (by
    their hash) may be absent,
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
    problems += [_placed(tables, path, what) for path, what in dangling(book)]
    if not is_language(book.language):
        problems.append(f"{RULEBOOK}: language: {book.language!r} is no language such as fr")
    for template in book.messages.template:
        if template.language is not None and not is_language(template.language):
            why = f"{template.language!r} is no language such as fr"
            problems.append(f"{MESSAGES}: template {template.id}: language: {why}")
    problems += _source_problems(book)
    problems += _file_problems(book, files)
    if problems:
        raise RulebookError(problems)
    return book


def version_of(files: Mapping[str, str]) -> str:
    """A short hash of everything that decides: not the scenarios, nor the example directory."""
    digest = hashlib.sha256()
    for name in sorted(files):
        if name in (RULEBOOK, SOURCES, MESSAGES) or name.startswith((TEMPLATES, FILES)):
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
        problems += sentences(SOURCES, table, error)
        return Sources()


def _messages(
    table: dict[str, Any], files: Mapping[str, str], problems: list[str]
) -> Messages | None:
    folder = {name: text for name, text in files.items() if name.startswith(TEMPLATES)}
    try:
        return read_messages(table, folder)
    except ValidationError as error:
        problems += sentences(MESSAGES, table, error)
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
        problems += sentences(RULEBOOK, table, error)
        return None


def _file_problems(book: Rulebook, files: Mapping[str, str]) -> Iterator[str]:
    for template in book.messages.template:
        chosen = template.attach_by.files if template.attach_by else {}
        for name in (*template.attach, *(name for names in chosen.values() for name in names)):
            if f"{FILES}{name}" not in files:
                yield (
                    f"{MESSAGES}: template {template.id!r} attaches {name!r}, "
                    f"but there is no {FILES}{name}"
                )


def _placed(tables: Mapping[str, dict[str, Any]], path: tuple[str | int, ...], what: str) -> str:
    """The place in the file that says it: what a template names stands in `messages.toml`."""
    if path[:1] == ("messages",):
        return place(MESSAGES, tables[MESSAGES], path[1:], what)
    return place(RULEBOOK, tables[RULEBOOK], path, what)


def _source_problems(book: Rulebook) -> Iterator[str]:
    for source in book.sources.source:
        if source.pipeline is not None and source.pipeline not in book.pipelines:
            yield (
                f"{SOURCES}: source {source.id!r}: pipeline: {source.pipeline!r} is no pipeline "
                f"of this rulebook; known: {', '.join(book.pipelines)}"
            )
        for field in sorted(source.field_ids - book.fields.keys()):
            yield (
                f"{SOURCES}: source {source.id!r}: mapping: {field!r} is no field of this "
                f"rulebook; known: {', '.join(book.fields) or 'none'}"
            )
