"""`directory.toml`: an example company's sites, calendars, teams and agents, as documents."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from shared.contract.directory import KINDS, Agent, Document, Site, Team
from shared.domain.directory import Directory

ORDER = ("calendar", "site", "team", "agent")
"""Whatever a document names comes before it."""


class DirectoryFileError(ValueError):
    """The file is no directory; the sentence names file, entry, key and what was expected."""


def parse(text: str, file: str) -> tuple[Document, ...]:
    """The documents of a directory file, checked against each other.

    Raises `DirectoryFileError`.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DirectoryFileError(f"{file}: is not TOML: {error}") from None
    if unknown := sorted(tables.keys() - set(ORDER)):
        raise DirectoryFileError(
            f"{file}: {unknown[0]} is no kind of document; expected [[{']], [['.join(ORDER)}]]"
        )
    documents: list[Document] = []
    for kind in ORDER:
        for table in tables.get(kind, []):
            documents.append(_document(kind, table, file))
    _check(documents, file)
    return tuple(documents)


def read(path: Path) -> tuple[Document, ...]:
    """The documents of the file at `path`. Raises `DirectoryFileError`."""
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except OSError as error:
        raise DirectoryFileError(f"{path}: cannot be read: {error.strerror}") from None


def _document(kind: str, table: dict[str, object], file: str) -> Document:
    where = f"{file}: {kind} {table.get('id', 'without id')!r}"
    cls = next(cls for name, cls in KINDS.items() if name == kind)
    if unknown := sorted(table.keys() - set(cls.model_fields) | table.keys() & {"because"}):
        known = ", ".join(name for name in cls.model_fields if name != "because")
        raise DirectoryFileError(f"{where} has an unknown key {unknown[0]}; it can have {known}")
    try:
        return cls.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DirectoryFileError(f"{where}: {key}: {first['msg']}") from None


def _check(documents: list[Document], file: str) -> None:
    """Every site has its calendar and zone, every team and agent their site and each other."""
    directory = Directory.of(documents)
    for document in documents:
        try:
            if isinstance(document, Site):
                directory.opening(document.id)
            elif isinstance(document, Team):
                directory.site(document.site)
                _ = document.manager and directory.agent(document.manager)
            elif isinstance(document, Agent):
                directory.site(document.site)
                _ = document.team and directory.team(document.team)
        except LookupError as error:
            raise DirectoryFileError(f"{file}: {document.id}: {error}") from None
