"""Calls as they go on and end: rules wait for them on the lead of whoever is on the line, and what
was recorded of them stays with it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from services.pipeline.core.lead import Lead
from services.pipeline.core.turn import Turn
from services.pipeline.core.value import is_link
from shared.contract.envelope import derived_id
from shared.contract.intake import CallEnded, CallFacts, CallStarted
from shared.contract.pipeline import DocumentAttached


def call_told(turn: Turn, data: CallStarted | CallEnded) -> None:
    """The lead of the person on the line may want something; a stranger's call becomes a lead
    only when somebody has taken or missed it. Raises `Unknown` for a site not there yet."""
    turn.directory.site(data.site)
    lead = _lead_of(turn, data)
    if lead is not None:
        turn.open(lead.id)
        turn.speak_of(lead.id)
        if isinstance(data, CallEnded):
            keep_recording(turn, lead.id, data, data.occurred_at, by=data.agent)


def keep_recording(
    turn: Turn, lead: str, call: CallFacts | CallEnded, at: datetime | None, *, by: str | None
) -> None:
    """A conversation that was recorded is a document of the lead, where the rulebook has a kind for
    it: its name is the local time of the call. Only a web address is one: people will follow it."""
    url = call.recording_url or ""
    kind = next((kind for kind in turn.book.documents.values() if kind.calls), None)
    if kind is None or call.outcome != "answered" or not is_link(url):
        return
    zone = ZoneInfo(turn.directory.site(turn.lead(lead).site).zone)
    with turn.under(kind.rule):
        turn.emit(
            lead,
            DocumentAttached(
                document=derived_id(turn.cause.id, "recording"),
                kind=kind.id,
                status="received",
                name=f"{(at or turn.cause.time).astimezone(zone):%d.%m.%Y %H:%M:%S}",
                url=url,
                by=turn.one_of_us(by),
            ),
        )


def _lead_of(turn: Turn, data: CallStarted | CallEnded) -> Lead | None:
    """The oldest open lead in the pipeline of the line, else the oldest open one."""
    source = turn.book.sources.by_id(data.source)
    first = next(iter(turn.book.pipelines))
    pipeline = (source.pipeline if source else None) or first
    found = [owner for point in data.points if (owner := turn.contact_at(point)) is not None]
    leads = [turn.lead(id_) for who in found for id_ in who.leads if turn.has_lead(id_)]
    open_ = [lead for lead in leads if lead.is_open]
    here = (lead for lead in open_ if lead.pipeline == pipeline)
    return next(here, open_[0] if open_ else None)
