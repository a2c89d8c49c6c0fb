"""The JSON API that agents use, behind their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Body, Header, Path, Query, Response, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from services.pipeline import editions, history, keys, leads, problem, queues, view
from services.pipeline.acting import Acting, Request, one_lead
from services.pipeline.answers import Answer
from services.pipeline.core.action import Action, CreateLead, LeadAction, Take
from services.pipeline.core.digest import owners_for
from services.pipeline.keys import Caller
from services.pipeline.problem import MEDIA_TYPE, ProblemRoute, ProblemView
from shared.contract.pipeline import Status
from shared.domain.directory import Directory, Unknown
from shared.domain.names import Names
from shared.runtime import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.contract.envelope import Envelope
    from shared.runtime.companies import Company
    from shared.runtime.postgres import Transaction
    from shared.runtime.service import Service

_BEARER = HTTPBearer(auto_error=False, description="`Authorization: Bearer rl_…`")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="`X-API-Key: rl_…`")


def _key(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
    header: Annotated[str | None, Security(_HEADER)],
) -> str:
    return bearer.credentials if bearer is not None else header or ""


KeyText = Annotated[str, Security(_key)]
Lead = Annotated[str, Path(max_length=60, description="The lead's id, or its number.")]
QueueId = Annotated[str, Path(max_length=63, description="The queue's id in the rulebook.")]
QUEUE_SHOWN = 50
"""As many leads of a queue are shown."""

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        description="A text of your own, new for each action. A repeat with the same one gets "
        "the first answer and has no second effect: so repeat whenever an answer did not come.",
    ),
]


class Asked(BaseModel):
    """Which leads to list; filters that are left out match everything."""

    model_config = ConfigDict(extra="forbid")
    owner: str | None = Field(default=None, description="Agent id; `me` is you.")
    status: Status | None = Field(default=None, description="open, won, lost, invalid.")
    stage: str | None = Field(default=None, description="Stage id.")
    q: str | None = Field(
        default=None,
        max_length=100,
        description="Part of number, name, company, phone or e-mail.",
    )
    manager: str | None = Field(
        default=None, description="Agent id: the leads of them and of their teams; `me` is you."
    )
    order: leads.Order = Field(
        default="newest",
        description="`urgency`: what is due, the earliest first; leads that nothing is due for are "
        "left out.",
    )
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, description="`next` of the page before.")


def _told(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {
            "model": ProblemView,
            "description": problem.TITLES[status],
            "content": {MEDIA_TYPE: {}},
        }
        for status in (401, 403, *statuses, 422, 503)
    }


def router_of(service: Service) -> APIRouter:
    """The routes under `/api/leads`."""
    router = APIRouter(prefix="/api/leads", tags=["leads"], route_class=ProblemRoute)
    api = _Api(service)

    @router.get("", summary="Leads, the newest first", responses=_told())
    async def listed(key: KeyText, asked: Annotated[Asked, Query()]) -> view.Page:
        return await api.listed(key, asked)

    @router.get("/{lead}", summary="One lead, with its history in words", responses=_told(404))
    async def shown(key: KeyText, lead: Lead) -> view.Detail:
        return await api.shown(key, lead)

    @router.post(
        "/{lead}/actions",
        summary="Do something with a lead",
        response_model=view.Done,
        responses=_told(404, 409, 411, 413),
    )
    async def acted(
        key: KeyText,
        lead: Lead,
        action: Annotated[LeadAction, Body(openapi_examples=EXAMPLES)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Decided at once, by the rulebook.

        200 tells the lead as it is now and what happened. 409 tells **every** missing need at
        once, with the number and the sentence of its rule; nothing has changed then.
        """
        answer = await api.acted(key, lead, action, idempotency_key)
        kind = MEDIA_TYPE if answer.status >= 400 else "application/json"
        return Response(answer.body, answer.status, media_type=kind)

    @router.post(
        "",
        summary="Enter a lead by hand",
        response_model=view.Done,
        responses=_told(409, 411, 413),
    )
    async def created(
        key: KeyText,
        lead: Annotated[CreateLead, Body(openapi_examples=NEW_LEADS)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Somebody got in touch by a way that no door sees.

        200 tells the new lead, or the open one that this contact has already. 409 tells every
        missing need at once.
        """
        answer = await api.acted(key, None, lead, idempotency_key)
        kind = MEDIA_TYPE if answer.status >= 400 else "application/json"
        return Response(answer.body, answer.status, media_type=kind)

    return router


def queue_router_of(service: Service) -> APIRouter:
    """The routes under `/api/queues`."""
    router = APIRouter(prefix="/api/queues", tags=["queues"], route_class=ProblemRoute)
    api = _Api(service)

    @router.get("/{queue}", summary="What is next for you, in order", responses=_told(404))
    async def shown(key: KeyText, queue: QueueId) -> view.Page:
        return await api.queue(key, queue)

    @router.post(
        "/{queue}/take",
        summary="Take the first lead of a queue",
        response_model=view.Done,
        responses=_told(404, 409, 411, 413),
    )
    async def taken(
        key: KeyText, queue: QueueId, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """200 tells the lead, which is yours now. 404: nothing is waiting. 409: the rulebook wants
        something of you first, for instance that you classify the last call."""
        answer = await api.acted(key, None, Take(queue=queue), idempotency_key)
        kind = MEDIA_TYPE if answer.status >= 400 else "application/json"
        return Response(answer.body, answer.status, media_type=kind)

    return router


class _Api:
    """What the routes do, in one transaction each."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def listed(self, key: str, asked: Asked) -> view.Page:
        async with self._service.postgres.transaction() as tx:
            caller, company = await self._caller(tx, key)
            wanted = _wanted(asked, caller, company.directory)
            found, place = await leads.page(tx, caller.tenant, wanted)
            names = Names.of(company.book, company.directory)
        return view.Page(
            leads=[view.summary(lead, company.book, names) for lead in found],
            next=place.cursor if place else None,
        )

    async def queue(self, key: str, queue: str) -> view.Page:
        """The first leads of a queue for whoever asks."""
        async with self._service.postgres.transaction() as tx:
            caller, company = await self._caller(tx, key)
            book, directory = company.book, company.directory
            declared = book.queues.get(queue)
            if declared is None:
                raise problem.no_queue(queue)
            asking = queues.Asking(caller.tenant, caller.agent, book, directory, clock.now())
            found = await queues.next_in(tx, declared, asking, QUEUE_SHOWN)
        names = Names.of(book, directory)
        return view.Page(leads=[view.summary(x, book, names) for x in found], next=None)

    async def shown(self, key: str, reference: str) -> view.Detail:
        async with self._service.postgres.transaction() as tx:
            caller, company = await self._caller(tx, key)
            found = await one_lead(tx, caller.tenant, reference)
            lead = await leads.one(tx, found.id)
            envelopes = await history.read(tx, found.id)
            told_by = await editions.read(tx, self._service.books, company.book, envelopes)
        names = told_by.names(company.directory)
        zone = ZoneInfo(company.directory.site(lead.site).zone)
        moments = history.moments(envelopes, told_by, names, zone)
        return view.detail(lead, moments, company.book, names)

    async def acted(
        self, key: str, reference: str | None, action: Action, idempotency_key: str | None
    ) -> Answer:
        async def act(tx: Transaction) -> tuple[Answer, Sequence[Envelope]]:
            caller, company = await self._caller(tx, key)
            acting = Acting(company.book, company.directory, self._service.settings.hashing)
            return await acting.act(tx, Request(caller, reference, action, idempotency_key))

        return await self._service.unit(act)

    async def _caller(self, tx: Transaction, key: str) -> tuple[Caller, Company]:
        """Who asks, and of which company; raises `Problem` (401, 403)."""
        caller = await keys.caller_of(tx, key)
        if caller is None:
            raise problem.unauthorized()
        company = (await self._service.companies(tx)).get(caller.tenant)
        if company is None:
            raise problem.forbidden("The company of this key has no rulebook here.")
        try:
            known = not company.directory.agent(caller.agent).withdrawn
        except Unknown:
            known = False
        if not known:
            raise problem.forbidden(f"Agent {caller.agent!r} is not in the directory (any more).")
        return caller, company


def _wanted(asked: Asked, caller: Caller, directory: Directory) -> leads.Wanted:
    try:
        after = leads.Place.read(asked.cursor) if asked.cursor is not None else None
    except leads.BadCursor as bad:
        raise problem.invalid("cursor", str(bad)) from bad
    owner = caller.agent if asked.owner == "me" else asked.owner
    manager = caller.agent if asked.manager == "me" else asked.manager
    return leads.Wanted(
        owner,
        asked.status,
        asked.stage,
        asked.q,
        after,
        asked.limit,
        asked.order,
        None if manager is None else owners_for(directory, manager),
    )


# Words in capitals stand for ids that each company's rulebook declares.
NEW_LEADS: dict[str, Any] = {
    "partner": {
        "summary": "A partner passed it on",
        "value": {"phone": "+33 6 12 34 56 78", "name": "Alex Martin", "source": "Partner"},
    },
}
EXAMPLES: dict[str, Any] = {
    "move": {"summary": "Into another stage", "value": {"act": "move", "to": "STAGE"}},
    "set_fields": {
        "summary": "Fields, or phone and e-mail of the contact",
        "value": {"act": "set_fields", "fields": {"FIELD": "…", "phone": "+33 6 12 34 56 78"}},
    },
    "log_attempt": {
        "summary": "Tried to call, nobody answered",
        "value": {"act": "log_attempt", "code": "CODE", "outcome": "OUTCOME"},
    },
    "complete_task": {
        "summary": "A task is done",
        "value": {"act": "complete_task", "task": "TASK", "note": "20 users, starts in May"},
    },
    "book": {
        "summary": "An appointment, in the local time of the site",
        "value": {"act": "book", "start": "2026-03-26T10:00", "lasts": "45m", "place": "Office"},
    },
    "close": {
        "summary": "The lead ends",
        "value": {"act": "close", "status": "lost", "reason": "REASON"},
    },
}
