"""Calls as they go on and end: rules wait for them on the lead of whoever is on the line."""

from __future__ import annotations

from services.pipeline.core.lead import Lead
from services.pipeline.core.turn import Turn
from shared.contract.intake import CallEnded, CallStarted


def call_told(turn: Turn, data: CallStarted | CallEnded) -> None:
    """The lead of the person on the line may want something; a stranger's call becomes a lead
    only when somebody has taken or missed it. Raises `Unknown` for a site not there yet."""
    turn.directory.site(data.site)
    lead = _lead_of(turn, data)
    if lead is not None:
        turn.open(lead.id)
        turn.speak_of(lead.id)


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
