"""The same words of the same person, sent again by somebody who gives no ids (`runtime.md` 10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.pipeline.core.lead import Lead
from services.pipeline.core.turn import Turn
from shared.contract.intake import LeadReceived
from shared.contract.pipeline import LeadLinked


def note_repeat(turn: Turn, data: LeadReceived, answered: tuple[str, ...]) -> str | None:
    """Keep an input that was there already on the lead that took it, where it starts nothing.

    The lead; None for an input that is new. It is looked for on every lead of whoever is known
    by these points, closed ones too, and of the thread (`answered`, mail ids): all of them are
    locked, so that of two that arrive at once one sees the other.
    """
    if data.dedupe_key is None:
        return None
    source = turn.book.sources.by_id(data.source)
    window = source.repeat_window if source else timedelta(0)
    for lead in _leads_of(turn, data, answered):
        heard = lead.heard.get(data.dedupe_key)
        # Either may be judged first: they came in by different partitions.
        if heard is not None and abs(turn.cause.time - heard) < window:
            _note(turn, lead, data, heard)
            return lead.id
    return None


def _leads_of(turn: Turn, data: LeadReceived, answered: tuple[str, ...]) -> Iterator[Lead]:
    thread = turn.lead_of_mail(answered)
    if thread is not None:
        yield thread
    found = (turn.contact_at(point) for point in data.points)
    contacts = {contact.id: contact for contact in found if contact is not None}
    for contact in contacts.values():
        yield from (turn.lead(id_) for id_ in contact.leads if turn.has_lead(id_))


def _note(turn: Turn, lead: Lead, data: LeadReceived, heard: datetime) -> None:
    turn.open(lead.id)
    turn.emit(
        lead.id,
        LeadLinked(
            channel=data.channel,
            source=data.source,
            points=data.points,
            name=data.name,
            subject=data.subject,
            text=data.text,
            dedupe_key=data.dedupe_key,
            repeats=heard,
        ),
    )
