"""`/directory`: the company's sites, calendars, teams and agents, whole documents each."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Protocol
from uuid import uuid4

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from services.intake.core.arrival import Refusal
from services.intake.core.normal_form import INTAKE
from services.intake.doors import problem
from services.intake.doors.body import read_body
from services.intake.doors.problem import ProblemRoute
from services.intake.formats.json_body import read_object
from services.intake.reception import Doors
from shared.contract import topics
from shared.contract.directory import (
    KINDS,
    Document,
    Kind,
    PublishedRulebook,
    Site,
    key_of,
    kind_of,
)
from shared.contract.envelope import Envelope
from shared.domain import plausible
from shared.domain.rulebook.loader import RulebookError
from shared.runtime import clock, decoder
from shared.runtime.companies import Books, Companies
from shared.runtime.outbox import MAX_EVENT_BYTES

Tenant = Annotated[str | None, Query(max_length=63, description="A company, by its name.")]


class Memory(Protocol):
    """The copy that this replica has read (the runtime's `DirectoryMemory`)."""

    documents: dict[str, Document]

    @property
    def companies(self) -> Companies:
        """Every company's rulebook in force, and its directory."""

    async def has_read(self, offset: int, limit_s: float = 5.0) -> bool:
        """Wait for the record at `offset`; False past the limit."""


class DirectoryDoor:
    """Last writer wins; nothing is ever deleted, a document can be `withdrawn`."""

    def __init__(
        self,
        doors: Doors,
        memory: Memory,
        *,
        books: Books,
        admin_key: str | None,
    ) -> None:
        """`books` reads what is published. The company is the folder's unless `tenant` says."""
        self._doors, self._memory, self._books = doors, memory, books
        guard = [Depends(_guard(admin_key))]
        self.router = APIRouter(tags=["directory"], dependencies=guard, route_class=ProblemRoute)
        add = self.router.add_api_route
        add("/directory", self.everything, methods=["GET"], response_model=None)
        add("/directory/{kind}/{id_}", self.get, methods=["GET"], response_model=None)
        add("/directory/{kind}/{id_}", self.put, methods=["PUT"], response_model=None)

    async def everything(self, tenant: Tenant = None) -> Response:
        """All documents, by kind; rulebooks without their files."""
        prefix = f"{self._of(tenant)}/"
        answer: dict[str, list[object]] = {kind: [] for kind in KINDS}
        for key, document in sorted(self._memory.documents.items()):
            if key.startswith(prefix):
                answer[kind_of(document)].append(self._listed(self._of(tenant), document))
        return JSONResponse(answer)

    async def get(
        self, kind: Kind, id_: str, min_offset: int | None = None, tenant: Tenant = None
    ) -> Response:
        """One document; with `min_offset` not before this replica has read that far."""
        if min_offset is not None and not await self._memory.has_read(min_offset):
            raise problem.not_read_yet(min_offset)
        document = self._memory.documents.get(f"{self._of(tenant)}/{kind}/{id_}")
        if document is None:
            raise problem.unknown_document(kind, id_)
        return JSONResponse(_shown(document))

    async def put(self, kind: Kind, id_: str, request: Request, tenant: Tenant = None) -> Response:
        """Store a whole document; answered when this replica knows it. `offset` is its place."""
        company, now = self._of(tenant), clock.now()
        document = _checked(kind, id_, await read_body(request))
        if isinstance(document, Site):
            self._check_settings(company, document)
        if isinstance(document, PublishedRulebook):
            document = document.model_copy(update={"published_at": now})
            self._check_rulebook(company, document)
        envelope = Envelope(
            id=str(uuid4()),
            source=INTAKE,
            type=document.type,
            subject=key_of(company, document),
            time=now,
            tenant=company,
            data=document,
        )
        _refuse_unreadable(envelope)
        _, offset = await self._doors.send_event(topics.DIRECTORY, envelope, envelope.subject)
        if not await self._memory.has_read(offset):
            raise problem.not_read_yet(offset)
        return JSONResponse({"kind": kind, "id": id_, "offset": offset})

    def _of(self, tenant: str | None) -> str:
        home = self._books.home
        if tenant is None and home is None:
            raise problem.wrong_document("say which company: ?tenant=NAME", "tenant")
        return tenant or (home.tenant if home else "")

    def _listed(self, tenant: str, document: Document) -> object:
        if not isinstance(document, PublishedRulebook):
            return _shown(document)
        company = self._memory.companies.get(tenant)
        shown = document.model_dump(mode="json", exclude={"because", "files", "attachments"})
        return shown | {"in_force": company is not None and company.book.version == document.id}

    def _check_settings(self, tenant: str, site: Site) -> None:
        """What the rulebook has against a site's settings (003-04)."""
        company = self._memory.companies.get(tenant)
        wrong = company.book.setting_problems(site.settings) if company else ()
        if wrong:
            raise problem.wrong_document("; ".join(wrong), "settings")

    def _check_rulebook(self, tenant: str, document: PublishedRulebook) -> None:
        """A bad one is not published, nor one that would take another company's doors."""
        try:
            book = self._books.read(tenant, document)
        except RulebookError as error:
            raise problem.wrong_document("; ".join(error.problems), "files") from None
        taken = {
            name: company.tenant
            for company in self._memory.companies
            if company.tenant != tenant
            for source in company.book.sources.source
            for name in (source.mailbox, source.cloudevents_source)
            if name is not None
        }
        for source in book.sources.source:
            for name in (source.mailbox, source.cloudevents_source):
                if name in taken:
                    sentence = f"sources.toml: source {source.id!r}: {name!r} is another company's"
                    raise problem.wrong_document(sentence, "files")


def _checked(kind: Kind, id_: str, body: bytes) -> Document:
    """The document of a body. Raises 422 naming the field."""
    cls = KINDS[kind]
    try:
        given = read_object(body)
        _refuse_unknown(cls, given)
        document = cls.model_validate({**given, "id": given.get("id", id_)})
        _refuse_nonsense(document, id_)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise problem.wrong_document(f"{field}: {first['msg']}", field) from None
    except Refusal as refusal:
        raise problem.wrong_document(refusal.sentence, refusal.field) from None
    return document


def _refuse_unreadable(envelope: Envelope) -> None:
    """What is answered 200 must be taken up by every service."""
    value = envelope.to_bytes()
    wrong = decoder.refusal(value)
    if len(value) > MAX_EVENT_BYTES:
        wrong = f"it has more than {MAX_EVENT_BYTES // 1000} KB"
    if wrong is not None:
        raise problem.wrong_document(wrong, None)


def _refuse_unknown(cls: type[Document], given: Mapping[str, object]) -> None:
    """Readers ignore unknown fields; whoever writes a document has mistyped one."""
    known = cls.model_fields.keys() - {"because"}
    for name in given:
        if name not in known:
            raise Refusal(f"{name!r} is no field of it; known: {', '.join(sorted(known))}", name)


def _refuse_nonsense(document: Document, id_: str) -> None:
    """What a model cannot see: the address's own id, and what does not exist in the world."""
    if document.id != id_ or not id_.isprintable():
        raise Refusal(f"the address says {id_!r} and the document {document.id!r}", "id")
    if wrong := plausible.problem(document):
        field, sentence = wrong
        raise Refusal(sentence, field)


def _shown(document: Document) -> object:
    return document.model_dump(mode="json", exclude={"because"})


def _guard(admin_key: str | None) -> Callable[[Request], Awaitable[None]]:
    async def check(request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if admin_key is None:
            raise problem.stranger("the directory is closed: set RELANCE_ADMIN_KEY on intake")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            token.strip().encode("utf-8", "replace"), admin_key.encode()
        ):
            raise problem.stranger("send the admin key as Authorization: Bearer …")

    return check
