"""`relance rulebook publish | list | diff | rollback`: a company's procedure, brought into force.

Published rulebooks are documents of the directory; intake checks them and every service switches
to the last one in its next transaction.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2

from relance.check.contradiction import contradictions
from relance.rulebook_diff import differences
from services.notifications.core.template import problems
from shared.contract.directory import PublishedRulebook
from shared.domain.rulebook import loader
from shared.domain.rulebook.loader import FILES, RulebookError
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime import rulebook_folder

_TIMEOUT_S = 30.0


class CannotPublish(Exception):
    """One sentence, or a line for each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Office:
    """Where intake answers, with its admin key."""

    url: str
    key: str

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The answer's JSON; raises `CannotPublish` with what intake said."""
        headers = {"authorization": f"Bearer {self.key}"}
        try:
            with httpx2.Client(base_url=self.url, timeout=_TIMEOUT_S, headers=headers) as client:
                answer = client.request(method, path, json=body)
                said: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise CannotPublish(
                f"intake does not answer at {self.url} ({type(error).__name__}): "
                "is it running, and is this its address?"
            ) from None
        if not answer.is_success:
            raise CannotPublish(str(said.get("detail", answer.status_code)))
        return said


def publish(folder: Path, office: Office, note: str | None = None) -> str:
    """Bring the folder's rulebook into force; what happened, in a sentence or two."""
    document, book = read(folder)
    before = in_force(office, book.tenant)
    if before is not None and before.id == document.id:
        return f"{book.name} {document.id} is in force already."
    document = document.model_copy(update={"note": note})
    _put(office, book.tenant, document)
    changes = differences(_load(before), book) if before else []
    told = "".join(f"\n  {change}" for change in changes)
    return f"{book.name} {document.id} is in force for {book.tenant}.{told}"


def rollback(tenant: str, office: Office, to: str | None = None) -> str:
    """Bring an earlier one into force again: the one before, or the version named."""
    known = _versions(office, tenant)
    current = next((each for each in known if each["in_force"]), None)
    earlier = [each for each in known if not each["in_force"]]
    if to is not None:
        earlier = [each for each in earlier if str(each["id"]).startswith(to)]
    if not earlier:
        raise CannotPublish(f"{tenant} has no other version{f' {to}' if to else ''} to go back to")
    document = _document(office, tenant, earlier[0]["id"])
    _put(office, tenant, document)
    was = f" instead of {current['id']}" if current else ""
    return f"{document.name} {document.id} is in force for {tenant} again{was}."


def listed(tenant: str, office: Office) -> str:
    """Every version that was published, the latest first."""
    lines = [
        f"{'→' if each['in_force'] else ' '} {each['id']}  {_when(each['published_at'])}  "
        f"{each['note'] or ''}".rstrip()
        for each in _versions(office, tenant)
    ]
    return "\n".join(lines) or f"Nothing is published for {tenant}; its folder counts."


def diff(folder: Path, office: Office) -> str:
    """What would change for people if the folder were published."""
    document, book = read(folder)
    before = in_force(office, book.tenant)
    if before is None:
        return f"Nothing is published for {book.tenant}; its folder counts."
    if before.id == document.id:
        return f"Nothing changes: {document.id} is in force."
    return "\n".join(differences(_load(before), book)) or "Nothing changes for people."


def read(folder: Path) -> tuple[PublishedRulebook, Rulebook]:
    """The folder as it would be published, checked as every service will check it.

    Raises `WrongSetting`, `RulebookError` and `CannotPublish`.
    """
    book = rulebook_folder.read(folder)
    wrong = problems(book.messages)
    wrong += [f"{found.where}: {found.says}" for found in contradictions(book)]
    if wrong:
        raise CannotPublish("\n".join(wrong))
    files = {name: text for name, text in rulebook_folder.texts(folder).items() if _counts(name)}
    attachments = {
        name.removeprefix(FILES): base64.b64encode((folder / name).read_bytes()).decode()
        for name in files
        if name.startswith(FILES)
    }
    document = PublishedRulebook(
        id=book.version, name=book.name, files=files, attachments=attachments
    )
    return document, book


def in_force(office: Office, tenant: str) -> PublishedRulebook | None:
    """The published rulebook of that company that counts; None while only its folder does."""
    found = next((each for each in _versions(office, tenant) if each["in_force"]), None)
    return _document(office, tenant, found["id"]) if found else None


def _counts(name: str) -> bool:
    named = (loader.RULEBOOK, loader.SOURCES, loader.MESSAGES)
    return name in named or name.startswith((loader.TEMPLATES, FILES))


def _load(document: PublishedRulebook) -> Rulebook:
    try:
        return loader.load(document.files)
    except RulebookError as error:
        raise CannotPublish(f"what is in force cannot be read by this release: {error}") from None


def _versions(office: Office, tenant: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = office.ask("GET", f"/directory?tenant={tenant}")["rulebook"]
    return sorted(found, key=lambda each: str(each["published_at"]), reverse=True)


def _document(office: Office, tenant: str, version: str) -> PublishedRulebook:
    said = office.ask("GET", f"/directory/rulebook/{version}?tenant={tenant}")
    return PublishedRulebook.model_validate(said)


def _put(office: Office, tenant: str, document: PublishedRulebook) -> None:
    body = document.model_dump(mode="json", exclude={"because", "published_at"})
    office.ask("PUT", f"/directory/rulebook/{document.id}?tenant={tenant}", body)


def _when(instant: str | None) -> str:
    return f"{datetime.fromisoformat(instant).astimezone():%Y-%m-%d %H:%M}" if instant else "?"
