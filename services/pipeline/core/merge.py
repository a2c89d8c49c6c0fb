"""Contacts that turn out to be one person, and what becomes of their leads; and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.pipeline.core.contact import Contact, Merge
from services.pipeline.core.lead import Lead
from services.pipeline.core.order import Place, longest_known_first, place
from services.pipeline.core.stage import close, reopen
from services.pipeline.core.turn import Turn
from shared.contract.intake import ContactPoint
from shared.contract.pipeline import (
    ContactMerged,
    LeadInvalidated,
    LeadLinked,
    LeadUnlinked,
)
from shared.domain.rulebook.declaration import Identity, Pipeline
from shared.domain.rulebook.effect import PREVIOUS


def one_contact(turn: Turn, contacts: Iterable[Contact], rule: str | None) -> Contact | None:
    """The one contact that all these are: the one known longest takes the others in."""
    known = longest_known_first(contacts)
    if not known:
        return None
    elder, *others = known
    with turn.under(rule):
        for other in others:
            _take_in(turn, elder.id, other)
    return turn.contact(elder.id)


def join_points(turn: Turn, lead: str, points: Iterable[ContactPoint], by: str | None) -> None:
    """Points of this lead were learnt: whoever had them is the same person (002-01)."""
    mine = turn.contact(turn.lead(lead).contact)
    found = [owner for point in points if (owner := turn.contact_at(point)) is not None]
    if all(other.id == mine.id for other in found):
        return
    identity = turn.book.pipelines[turn.lead(lead).pipeline].identity
    contact = one_contact(turn, [mine, *found], identity.rule)
    assert contact is not None
    one_lead_each(turn, contact.id, by)


def one_lead_each(turn: Turn, contact: str, by: str | None = None) -> None:
    """Of several open leads of a contact one a pipeline is kept; the others are invalid.

    Kept is whose owner is locked, then the channel that the pipeline prefers, then the older.
    Pipelines that say nothing of identity may hold several.
    """
    if len(turn.contact(contact).leads) < 2:
        return
    for pipeline in turn.book.pipelines.values():
        if "identity" not in pipeline.model_fields_set:
            continue
        for leads in _alike(turn, contact, pipeline):
            kept, *others = sorted(leads, key=lambda lead: _rank(lead, pipeline.identity))
            for other in others:
                with turn.under(pipeline.identity.rule):
                    invalidate(turn, other.id, kept.id, by=by)


def invalidate(
    turn: Turn, lead: str, kept: str, *, by: str | None = None, reason: str | None = None
) -> None:
    """The lead is the same request as `kept`, where work goes on."""
    state = turn.open(lead)
    turn.open(kept)
    turn.emit(lead, LeadInvalidated(kept=kept, by=by))
    close(turn, lead, "invalid", by=by, reason=reason)
    turn.emit(
        kept,
        LeadLinked(
            channel=state.channel,
            source=state.source,
            points=state.points,
            name=state.name,
            subject=state.subject,
            text=state.text,
            other=lead,
            by=by,
        ),
    )


def merge_to_undo(contact: Contact, lead: str) -> Merge | None:
    """The merge by which this lead came to the contact, else the latest; None without any."""
    merges = contact.merged
    came = (merge for merge in reversed(merges) if lead in merge.contact.leads)
    return next(came, merges[-1] if merges else None)


def unlink(turn: Turn, lead: str, by: str | None) -> None:
    """They are two people after all: each has their points and leads again, and what was
    invalid because of the other is open again."""
    whole = turn.contact(turn.lead(lead).contact)
    merge = merge_to_undo(whole, lead)
    if merge is None:
        return
    points = tuple(point.plain for point in merge.contact.points)
    for id_ in merge.contact.leads:
        turn.open(id_)
        turn.emit(
            id_, LeadUnlinked(contact=merge.contact.id, previous=whole.id, points=points, by=by)
        )
    for id_ in list(_torn(turn, (*merge.contact.leads, *turn.contact(whole.id).leads))):
        turn.open(id_)
        reopen(turn, id_, PREVIOUS, by)


def _take_in(turn: Turn, into: str, other: Contact) -> None:
    points = tuple(point.plain for point in other.points)
    for lead in other.leads:
        turn.open(lead)
        turn.emit(lead, ContactMerged(contact=into, previous=other.id, points=points))


def _torn(turn: Turn, leads: Iterable[str]) -> Iterator[str]:
    """Those that are invalid because of a lead that is somebody else's now."""
    for id_ in leads:
        lead = turn.lead(id_)
        if lead.kept is not None and turn.lead(lead.kept).contact != lead.contact:
            yield id_


def _alike(turn: Turn, contact: str, pipeline: Pipeline) -> list[list[Lead]]:
    """The open leads that are one request: all in the pipeline, or those of one key."""
    groups: dict[tuple[str | None, ...], list[Lead]] = {}
    for id_ in turn.contact(contact).leads:
        lead = turn.lead(id_) if turn.has_lead(id_) else None
        if lead is not None and lead.is_open and lead.pipeline == pipeline.id:
            key = tuple(lead.fields.get(name) for name in pipeline.identity.key)
            groups.setdefault(key, []).append(lead)
    return list(groups.values())


def _rank(lead: Lead, identity: Identity) -> tuple[bool, int, Place]:
    """Whoever called about a lead has called, also where that lead began with a letter."""
    keep = identity.keep
    last = max(len(keep) - 1, 0)
    channels = (lead.channel, *lead.also_by)
    rank = min(keep.index(channel) if channel in keep else last for channel in channels)
    return (not lead.owner_locked, rank, place(lead))
