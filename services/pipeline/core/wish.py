"""What people say of being contacted themselves: STOP, START, a box that they tick."""

from __future__ import annotations

from collections.abc import Iterable

from services.pipeline.core.consent import Word, block, consent, revocation, unblock
from services.pipeline.core.contact import Contact, Point
from services.pipeline.core.order import place
from services.pipeline.core.turn import Turn
from shared.contract.envelope import derived_id
from shared.contract.intake import Channel, ContactPoint, OptInReceived, OptOutReceived


def opted_out(turn: Turn, data: OptOutReceived) -> None:
    """The person is not contacted by that channel any more, on any lead and point of theirs.

    It holds for somebody whom nobody knows, too: whoever brings them in later finds it.
    """
    channels = (data.channel,)
    for contact in _people(turn, data.points):
        lead = _lead_of(turn, contact)
        if lead is not None:
            turn.open(lead)
            block(turn, lead, channels, whole_person=True, word=Word(why=data.text))
        elif data.channel not in contact.revoked:
            turn.say_of(contact.id, revocation(turn, contact, channels, Word(why=data.text)))


def opted_in(turn: Turn, data: OptInReceived) -> None:
    """By these channels the person may be contacted again."""
    allow(turn, data.points, data.channels, data.text)


def allow(
    turn: Turn, points: Iterable[ContactPoint], channels: tuple[Channel, ...], why: str
) -> None:
    """What they had forbidden of this is allowed; what was never forbidden needs no word."""
    for contact in _people(turn, points):
        given = tuple(channel for channel in channels if channel in contact.revoked)
        lead = _lead_of(turn, contact)
        if lead is not None:
            turn.open(lead)
            unblock(turn, lead, given, whole_person=True, word=Word(why=why))
        elif given:
            turn.say_of(contact.id, consent(turn, contact, given, Word(why=why)))


def _people(turn: Turn, points: Iterable[ContactPoint]) -> list[Contact]:
    """Whose points these are, each once; those that nobody has are one person's."""
    found: dict[str, Contact] = {}
    unknown: list[ContactPoint] = []
    for point in points:
        contact = turn.contact_at(point)
        if contact is None:
            unknown.append(point)
        else:
            found[contact.id] = contact
    if unknown:
        known = tuple(Point(kind=p.kind, value=p.value, since=turn.now) for p in unknown)
        id_ = derived_id(turn.cause.id, "contact")
        found[id_] = Contact(id=id_, tenant=turn.cause.tenant, points=known)
    return list(found.values())


def _lead_of(turn: Turn, contact: Contact) -> str | None:
    """Where the person's word is told: their newest open lead, else the newest."""
    leads = [turn.lead(id_) for id_ in contact.leads if turn.has_lead(id_)]
    newest = max(leads, key=lambda lead: (lead.is_open, place(lead)), default=None)
    return newest.id if newest else None
