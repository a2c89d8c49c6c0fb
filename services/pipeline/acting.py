"""An agent's action, done synchronously: the same core, locks and transaction as events."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from pydantic import JsonValue

from services.pipeline import answers, erasure, history, leads, problem, queues, store
from services.pipeline.answers import Answer, OtherRequest
from services.pipeline.core.action import (
    Action,
    ActionRequested,
    Classify,
    CreateLead,
    EraseContact,
    Take,
)
from services.pipeline.core.export import exported
from services.pipeline.core.identity import lead_id
from services.pipeline.core.turn import SOURCE
from services.pipeline.core.world import UnknownLead, beside
from services.pipeline.decision import Decided, decide, named_by
from services.pipeline.keys import Caller
from services.pipeline.view import Done, event_view, summary
from services.pipeline.world_lock import locked_world
from shared.contract.envelope import Envelope, derived_id
from shared.contract.pipeline import ActionRefused, ContactErased, ContactExported
from shared.domain.directory import Directory, Unknown
from shared.domain.names import Names
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime import clock, inbox
from shared.runtime.postgres import Overtaken, Transaction


@dataclass(frozen=True, slots=True)
class Request:
    """What an agent asks for. `lead` is an id or a number, None for an action that makes one and
    for taking the first of a queue;
    `key` the Idempotency-Key, if any."""

    caller: Caller
    lead: str | None
    action: Action
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """Does what agents of one company ask for, by its rulebook and directory of the moment."""

    book: Rulebook
    directory: Directory
    hash_key: bytes

    async def act(self, tx: Transaction, request: Request) -> tuple[Answer, Sequence[Envelope]]:
        """The answer, and what to emit. Raises `Problem` when there is nothing to decide."""
        _check_texts(request.action.model_dump())
        found = None
        if request.lead is not None:
            found = await one_lead(tx, request.caller.tenant, request.lead)
            request = await _by_id(tx, request)
        if request.key is not None:
            repeated = await _earlier(tx, request, found.id if found else "")
            if repeated is not None:
                return repeated, ()
        if found is None and isinstance(request.action, Take):
            found = await self._first_of(tx, request.caller, request.action.queue)
        decided = await self._decide(tx, request, found)
        directory = self.directory
        document = await self._document(tx, decided)
        answer = _answer(decided, found.id if found else None, self.book, directory, document)
        if request.key is not None:
            await answers.keep(tx, request.caller, request.key, answer)
        return answer, decided.events

    async def _decide(
        self, tx: Transaction, request: Request, found: leads.Found | None
    ) -> Decided:
        directory = self.directory
        id_ = await _new_id(tx, request)
        try:
            if found is None:
                envelope, site = self._of_a_new_lead(request, id_, directory)
            else:
                envelope, site = _envelope(request, id_, found.id), found.site
            region = directory.site(site).region
            named = named_by([envelope], region)
            if isinstance(request.action, EraseContact):
                named = replace(named, points=await erasure.points_of(tx, envelope.subject))
            world = await locked_world(tx, envelope.tenant, named, self.hash_key)
            if self.book.asks_what_the_actor_owes(request.action.act):
                owed = await queues.owed_by(tx, envelope.tenant, request.caller.agent)
                world = beside(world, owed)
            decided = decide(world, envelope, self.book, directory)
            if request.lead is None and _is_no_longer_there(decided):
                raise Overtaken("somebody else has taken the first lead of the queue")
        except Unknown as unknown:
            raise problem.invalid(unknown.kind, str(unknown)) from unknown
        except UnknownLead as unknown:
            raise problem.not_found(request.lead or "") from unknown
        await store.save(tx, world, decided.world, decided.steps)
        for told in (event.data for event in decided.events):
            if isinstance(told, ContactErased):
                await erasure.forget(tx, self.hash_key, world, named.points, told)
        return decided

    async def _document(self, tx: Transaction, decided: Decided) -> dict[str, JsonValue] | None:
        """What an export hands out; None for anything else that was done."""
        told = next((e.data for e in decided.events if isinstance(e.data, ContactExported)), None)
        if told is None:
            return None
        world = decided.world
        histories = await history.of_leads(tx, told.leads)
        leads = [world.leads[id_] for id_ in told.leads]
        contact = world.contacts[told.contact]
        return exported(contact, leads, histories, self.book, self.directory)

    async def _first_of(self, tx: Transaction, caller: Caller, queue: str) -> leads.Found:
        """The next lead for the caller. Raises `Problem` (404) for an unknown or empty queue."""
        declared = self.book.queues.get(queue)
        if declared is None:
            raise problem.no_queue(queue)
        directory = self.directory
        asking = queues.Asking(caller.tenant, caller.agent, self.book, directory, clock.now())
        first = await queues.next_in(tx, declared, asking, 1)
        if not first:
            raise problem.nothing_to_take(declared.label)
        return leads.Found(first[0].id, first[0].site)

    def _of_a_new_lead(
        self, request: Request, id_: str, directory: Directory
    ) -> tuple[Envelope, str]:
        """The input under the id that its lead will have, and the site whose phones are read."""
        action = request.action
        assert isinstance(action, CreateLead)  # the only one without a lead
        asked = _envelope(request, id_, "")
        pipeline = action.pipeline or next(iter(self.book.pipelines))
        lead = lead_id(asked.tenant, asked.id, pipeline)
        site = action.site or directory.agent(request.caller.agent).site
        return asked.model_copy(update={"subject": lead}), site


def _is_no_longer_there(decided: Decided) -> bool:
    """Whether the lead that was first has gone to somebody else before it was locked."""
    refused = [event.data for event in decided.events if isinstance(event.data, ActionRefused)]
    return any("queue" in need.missing for refusal in refused for need in refusal.needs)


async def _by_id(tx: Transaction, request: Request) -> Request:
    """The request with the other lead that it names by its id; people name it by its number."""
    action = request.action
    if not isinstance(action, Classify) or action.duplicate_of is None:
        return request
    other = await one_lead(tx, request.caller.tenant, action.duplicate_of)
    return replace(request, action=action.model_copy(update={"duplicate_of": other.id}))


async def one_lead(tx: Transaction, tenant: str, reference: str) -> leads.Found:
    """The lead that is meant; raises `Problem` (404, or 422 for a number that several have)."""
    found = await leads.find(tx, tenant, reference)
    if not found:
        raise problem.not_found(reference)
    if len(found) > 1:
        ids = ", ".join(lead.id for lead in found)
        raise problem.invalid("lead", f"{len(found)} leads have this number; use an id: {ids}")
    return found[0]


def _check_texts(arguments: Mapping[str, object], of: str = "") -> None:
    """NUL passes every parser but PostgreSQL's and our readers' (`runtime.md` 5)."""
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            _check_texts(value, f"{of}{name}.")
        elif "\0" in f"{name}{value}":
            raise problem.invalid(f"{of}{name}", "it holds the character NUL: leave it out")


async def _new_id(tx: Transaction, request: Request) -> str:
    """The action's id: with a key derived from it, so that its sender can tell it.

    A key that is used again after its answer was forgotten is another action: with the ids of
    the first one, what it says would be dropped as told already.
    """
    caller = request.caller
    if request.key is not None:
        id_ = derived_id(caller.tenant, "action", caller.agent, request.key)
        if await inbox.claim(tx, id_):
            return id_
    return str(uuid4())


def _envelope(request: Request, id_: str, lead: str) -> Envelope:
    """The action as an input."""
    caller = request.caller
    return Envelope(
        id=id_,
        source=SOURCE,
        type=ActionRequested.type,
        subject=lead,
        time=clock.now(),
        tenant=caller.tenant,
        data=ActionRequested(by=caller.agent, action=request.action),
    )


async def _earlier(tx: Transaction, request: Request, lead: str) -> Answer | None:
    said = request.action.model_dump_json()
    sha256 = hashlib.sha256(f"{lead}\n{said}".encode()).digest()
    try:
        return await answers.claim(tx, request.caller, request.key or "", sha256)
    except OtherRequest as other:
        raise problem.invalid(
            "Idempotency-Key", "it was used for another request; take a new one for a new request"
        ) from other


def _answer(
    decided: Decided,
    lead: str | None,
    book: Rulebook,
    directory: Directory,
    document: dict[str, JsonValue] | None,
) -> Answer:
    """`lead` is None for an action that made one, or linked it to one that was there."""
    match [event.data for event in decided.events]:
        case [ActionRefused() as refused]:
            refusal = problem.refused(refused)
            asked = f"/api/leads/{lead}/actions" if lead else "/api/leads"
            return Answer(409, json.dumps(refusal.body(asked), ensure_ascii=False))
    lead = lead or decided.events[0].subject
    names = Names.of(book, directory)
    done = Done(
        lead=summary(decided.world.leads[lead], book, names),
        events=[event_view(event) for event in decided.events],
        document=document,
    )
    nothing = {"document"} if document is None else None
    return Answer(200, done.model_dump_json(exclude=nothing))
