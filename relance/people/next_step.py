"""The promise that an open lead always has a next step."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from relance.people.stand import Stand
from services.pipeline.core.condition import all_hold
from services.pipeline.core.lead import Lead


def forgotten(stand: Stand) -> Iterator[Lead]:
    """The open leads without a next step that may not rest where they are."""
    for lead in stand.leads:
        if lead.is_open and not has_next_step(stand, lead) and not _may_rest(stand, lead):
            yield lead


def waits_for_return(stand: Stand, lead: Lead) -> bool:
    """Whether nobody is told of it before its owner, who is away, is back: no manager either."""
    away = stand.world.directory.away(lead.owner, stand.now) if lead.owner else None
    return (
        away is not None
        and lead.is_open
        and not _is_planned(lead)
        and not _is_in_a_digest(stand, lead, stand.now)
    )


def has_next_step(stand: Stand, lead: Lead) -> bool:
    """A task that somebody owes, a deadline whose instant is planned, or a line in a digest: of
    now or, where its owner is away, of the day on which they are back."""
    if _is_planned(lead) or _is_in_a_digest(stand, lead, stand.now):
        return True
    away = stand.world.directory.away(lead.owner, stand.now) if lead.owner else None
    return away is not None and _is_in_a_digest(stand, lead, away.until)


def _is_planned(lead: Lead) -> bool:
    if any(task.to or lead.owner for task in lead.open_tasks()):
        return True
    return any(deadline.due_at is not None for deadline in lead.deadlines.values())


def _is_in_a_digest(stand: Stand, lead: Lead, at: datetime) -> bool:
    return any(lead.number in str(asked.data) for _, asked in stand.digests(at))


def _may_rest(stand: Stand, lead: Lead) -> bool:
    places = (lead.stage, f"{lead.pipeline}.{lead.stage}")
    return any(
        any(place in rest.stage for place in places) and all_hold(rest.if_, stand.scene(lead.id))
        for rest in stand.book.rests
    )
