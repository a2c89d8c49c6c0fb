"""Leads that nobody's message makes: one by hand, one that another lead leads on to."""

from __future__ import annotations

from services.pipeline.core import action as acts
from services.pipeline.core.contact import Contact, Point
from services.pipeline.core.fields import typed_points
from services.pipeline.core.identity import LIVE, defaults_of, lead_id, take
from services.pipeline.core.lead import Lead
from services.pipeline.core.phrase import Phrases
from services.pipeline.core.refusal import needs, warnings
from services.pipeline.core.stage import assign, enter
from services.pipeline.core.turn import Scene, Turn
from shared.contract.envelope import Envelope
from shared.contract.intake import Channel, ContactPoint, LeadReceived
from shared.contract.pipeline import ActionRefused, ActionWarned, ContactMade, LeadCreated
from shared.domain.lead_number import number_of
from shared.domain.rulebook.declaration import Pipeline


def create_linked(turn: Turn, trigger: Envelope, pipeline: Pipeline) -> None:
    """One more lead of the same contact, once for each event that asks for it (001-60)."""
    state = turn.lead(trigger.subject)
    id_ = lead_id(state.tenant, trigger.id, pipeline.id)
    if turn.has_lead(id_):
        return
    turn.emit(
        id_,
        LeadCreated(
            number=number_of(id_),
            pipeline=pipeline.id,
            contact=state.contact,
            site=state.site,
            channel=state.channel,
            source=state.source,
            received_at=turn.now,
            points=state.points,
            name=state.name,
            company=state.company,
            subject=state.subject,
            text=state.text,
            language=state.language,
            fields=defaults_of(turn.book) | state.fields,
            tags=state.tags,
            linked=state.id,
        ),
    )
    first = pipeline.stage[0]
    with turn.under(first.rule or turn.rule):
        enter(turn, id_, pipeline.id, first.id)


def create_by_hand(turn: Turn, action: acts.CreateLead, by: str) -> None:
    """An agent's own lead: refused with everything that is missing, else taken like any other.

    Somebody whose lead is open in that pipeline keeps it: it is linked, not made twice.
    """
    subject = turn.cause.subject
    site = action.site or turn.directory.agent(by).site
    typed = {"phone": action.phone or "", "email": action.email or ""}
    points = typed_points(typed, turn.directory.site(site).region)
    pipelines = turn.book.pipelines
    pipeline = pipelines.get(action.pipeline or "", next(iter(pipelines.values())))
    received = LeadReceived(
        channel=_channel(action, points),
        source=action.source or Phrases(turn.book.language).say("by_hand"),
        site=site,
        points=points,
        name=action.name,
        company=action.company,
        subject=action.subject,
        text=action.text,
        fields=action.fields,
    )
    arguments = action.model_dump(mode="json") | {"pipeline": action.pipeline or pipeline.id}
    scene = _draft(turn, subject, received, pipeline, by=by, arguments=arguments)
    standing_against = needs(scene, action)
    if standing_against:
        turn.emit(subject, ActionRefused(action=action.act, by=by, needs=standing_against))
        return
    told = warnings(scene, action)
    lead = take(turn, received, pipeline, by=by)
    if action.channel in LIVE:
        turn.emit(lead, ContactMade(channel=action.channel, direction="inbound", by=by))
    if turn.lead(lead).owner is None:
        assign(turn, lead, action.owner or by, by)
    if told:
        turn.emit(lead, ActionWarned(action=action.act, by=by, needs=told))


def _channel(action: acts.CreateLead, points: tuple[ContactPoint, ...]) -> Channel:
    if action.channel is not None:
        return action.channel
    kinds = {point.kind for point in points}
    return "call" if "phone" in kinds else "email" if "email" in kinds else "social"


def _draft(
    turn: Turn,
    id_: str,
    received: LeadReceived,
    pipeline: Pipeline,
    *,
    by: str,
    arguments: dict[str, object],
) -> Scene:
    """What requirements are judged by: the lead as it would be."""
    tenant = turn.cause.tenant
    points = tuple(Point(kind=p.kind, value=p.value, since=turn.now) for p in received.points)
    lead = Lead(
        id=id_,
        number=number_of(id_),
        tenant=tenant,
        site=received.site,
        pipeline=pipeline.id,
        contact=id_,
        channel=received.channel,
        source=received.source,
        received_at=turn.now,
        time=turn.now,
        points=received.points,
        name=received.name,
        company=received.company,
        fields=defaults_of(turn.book) | received.fields,
    )
    contact = Contact(
        id=id_,
        tenant=tenant,
        points=points,
        name=received.name,
        company=received.company,
        leads=next((known.leads for p in received.points if (known := turn.contact_at(p))), ()),
    )
    return Scene(lead, contact, turn.book, turn.directory, turn.now, by, arguments)
