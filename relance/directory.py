"""`relance directory apply FILE`: a company's sites, calendars, teams and agents, as written.

The file is TOML with [[calendar]], [[site]], [[team]] and [[agent]]; it is checked as a whole,
then what differs goes to intake, one whole document each.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx2
from pydantic import ValidationError

from shared.contract.directory import (
    KINDS,
    Absence,
    Agent,
    Availability,
    Document,
    Kind,
    Site,
    Team,
    kind_of,
)
from shared.domain import plausible
from shared.domain.wrong_value import in_words, not_text, place_of

ORDER: tuple[Kind, ...] = ("calendar", "site", "team", "agent", "absence", "availability")
"""What is named by others comes first."""

_TIMEOUT_S = 20.0
Changed = Literal["new", "changed", "unchanged"]
Say = Callable[[str], None]


class DirectoryError(Exception):
    """One sentence, or a line for each thing that is wrong; nothing more was written."""


@dataclass(frozen=True, slots=True)
class Change:
    """What applying does to one document; `fields` are those that differ."""

    kind: Kind
    id: str
    what: Changed
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """`site minsk: changed (calendar, name)`."""
        fields = f" ({', '.join(self.fields)})" if self.fields else ""
        return f"{self.kind} {self.id}: {self.what}{fields}"


def apply(
    file: Path,
    url: str,
    key: str,
    say: Say = lambda _line: None,
    tenant: str | None = None,
) -> list[Change]:
    """Bring the directory behind intake at `url` to what `file` says; documents that the file
    does not name stay as they are. `tenant`: of another company than the stack's own rulebook.
    Raises `DirectoryError`."""
    documents = read(file)
    of = f"?tenant={tenant}" if tenant else ""
    with httpx2.Client(
        base_url=url, timeout=_TIMEOUT_S, headers={"authorization": f"Bearer {key}"}
    ) as client:
        present = _present(asked(client, "GET", f"/directory{of}"))
        problems = [f"{file.name}: {problem}" for problem in dangling(documents, present)]
        if problems:
            raise DirectoryError("\n".join(problems))
        changes = []
        for document in documents:
            change = _change(document, present)
            if change.what != "unchanged":
                body = document.model_dump(mode="json", exclude={"because"})
                asked(client, "PUT", f"/directory/{change.kind}/{change.id}{of}", body)
            say(str(change))
            changes.append(change)
    return changes


def read(file: Path) -> list[Document]:
    """The file's documents, those that others name first. Raises `DirectoryError`."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DirectoryError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise DirectoryError(f"{file.name}: {not_text(error)}.") from None
    except tomllib.TOMLDecodeError as error:
        raise DirectoryError(f"{file.name} is not valid TOML: {error}.") from None
    problems = [
        f"{file.name}: {name!r} is no part of a directory; expected [[{']], [['.join(ORDER)}]]"
        for name in tables
        if name not in ORDER
    ]
    documents: list[Document] = []
    for kind in ORDER:
        for table in tables.get(kind, []):
            try:
                documents.append(_document(kind, table))
            except ValueError as error:
                problems.append(f"{file.name}: {error}")
    problems += [f"{file.name}: {problem}" for problem in _twice(documents)]
    problems += [f"{file.name}: {problem}" for problem in _not_in_the_world(documents)]
    if problems:
        raise DirectoryError("\n".join(problems))
    return documents


def dangling(
    documents: Iterable[Document], present: Mapping[tuple[str, str], object]
) -> Iterator[str]:
    """A sentence for each name that neither the file nor the directory knows."""
    documents = list(documents)
    known = {(kind_of(document), document.id) for document in documents} | present.keys()
    for document in documents:
        for field, kind, id_ in _references(document):
            if id_ is not None and (kind, id_) not in known:
                yield (
                    f"{kind_of(document)} {document.id!r} names {field} {id_!r}, "
                    f"and there is no [[{kind}]] of that id"
                )


def _references(document: Document) -> Iterator[tuple[str, Kind, str | None]]:
    match document:
        case Site():
            yield "calendar", "calendar", document.calendar
        case Team():
            yield "site", "site", document.site
            yield "manager", "agent", document.manager
        case Agent():
            yield "site", "site", document.site
            yield "team", "team", document.team
        case Absence():
            yield "agent", "agent", document.agent
        case Availability():
            yield "id", "agent", document.id


def _document(kind: Kind, table: object) -> Document:
    """Raises `ValueError` with a sentence."""
    cls = KINDS[kind]
    if not isinstance(table, Mapping):
        raise ValueError(f"{kind}: write it as [[{kind}]], one table each")
    named = f"{kind} {table.get('id', '?')!r}"
    unknown = [key for key in table if key not in cls.model_fields.keys() - {"because"}]
    if unknown:
        known = ", ".join(sorted(cls.model_fields.keys() - {"because"}))
        raise ValueError(f"{named}: {unknown[0]!r} is no field of it; known: {known}")
    try:
        return cls.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in place_of(first["loc"]))
        where = f"{named}: {field}" if field else named
        raise ValueError(f"{where}: {in_words(first)}") from None


def _not_in_the_world(documents: Iterable[Document]) -> Iterator[str]:
    for document in documents:
        if wrong := plausible.problem(document):
            field, sentence = wrong
            yield f"{kind_of(document)} {document.id!r}: {field}: {sentence}"


def _twice(documents: Iterable[Document]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for document in documents:
        name = (kind_of(document), document.id)
        if name in seen:
            yield f"{name[0]} {name[1]!r} is there twice"
        seen.add(name)


def _present(answer: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (kind, document["id"]): document
        for kind, documents in answer.items()
        for document in documents
    }


def _change(document: Document, present: Mapping[tuple[str, str], dict[str, Any]]) -> Change:
    kind, wanted = kind_of(document), document.model_dump(mode="json", exclude={"because"})
    before = present.get((kind, document.id))
    if before is None:
        return Change(kind, document.id, "new")
    fields = tuple(sorted(name for name in wanted if wanted[name] != before.get(name)))
    return Change(kind, document.id, "changed" if fields else "unchanged", fields)


def asked(client: httpx2.Client, method: str, path: str, body: object = None) -> dict[str, Any]:
    """The answer's JSON. Raises `DirectoryError` with what intake said."""
    try:
        answer = client.request(method, path, json=body)
        said: dict[str, Any] = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise DirectoryError(
            f"intake does not answer at {client.base_url} ({type(error).__name__}): "
            "is it running, and is this its address?"
        ) from None
    if not answer.is_success:
        raise DirectoryError(f"{method} {path}: {said.get('detail', answer.status_code)}")
    return said
