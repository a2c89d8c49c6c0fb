"""How events change a contact, and how two of them become one, and two again."""

from __future__ import annotations

from datetime import datetime

from services.pipeline.core.contact import HOUSE, Contact, Merge, Point
from shared.contract.envelope import Envelope
from shared.contract.intake import ContactPoint
from shared.contract.pipeline import (
    ConsentGiven,
    ConsentRevoked,
    FieldsSet,
    LeadCreated,
    LeadLinked,
)


def joined(into: Contact, other: Contact, lead: str, at: datetime) -> tuple[Contact, Contact]:
    """Both after a lead of `other`, and with its first one all `other` is known by, is `into`'s."""
    if all(merge.contact.id != other.id for merge in into.merged):
        into = into.model_copy(
            update={
                "points": into.points + other.points,
                "name": into.name or other.name,
                "company": into.company or other.company,
                "language": into.language or other.language,
                "merged": (*into.merged, Merge(contact=other, at=at)),
                "revoked": other.revoked | into.revoked,
                "revision": max(other.revision, into.revision),
            }
        )
    return (
        into.model_copy(update={"leads": (*into.leads, lead)}),
        other.model_copy(
            update={"points": (), "leads": tuple(id_ for id_ in other.leads if id_ != lead)}
        ),
    )


def parted(whole: Contact, part: Contact | None, id_: str, lead: str) -> tuple[Contact, Contact]:
    """`whole` and the contact `id_` after the latter's `lead`, and with its first one all its
    points, are its own again; `part` is what it has already."""
    merge = next((m for m in whole.merged if m.contact.id == id_), None)
    if merge is not None:
        theirs = {(point.kind, point.value) for point in merge.contact.points}
        # What either of them did not want, nobody may do to either again.
        revoked = merge.contact.revoked | whole.revoked
        part = merge.contact.model_copy(
            update={"leads": (), "revoked": revoked, "revision": whole.revision}
        )
        whole = whole.model_copy(
            update={
                "points": tuple(p for p in whole.points if (p.kind, p.value) not in theirs),
                "merged": tuple(m for m in whole.merged if m is not merge),
            }
        )
    if part is None:
        raise LookupError(f"contact {id_} was never merged into {whole.id}")
    return (
        whole.model_copy(update={"leads": tuple(each for each in whole.leads if each != lead)}),
        part.model_copy(update={"leads": (*part.leads, lead)}),
    )


def contact_evolve(contact: Contact | None, envelope: Envelope) -> Contact | None:
    """The contact after one of their lead's events; unchanged when it says nothing of them."""
    data = envelope.data
    if isinstance(data, LeadCreated):
        known = contact or Contact(id=data.contact, tenant=envelope.tenant)
        return _learn(known, envelope, data.points).model_copy(
            update={
                "leads": (*known.leads, envelope.subject),
                "name": known.name or data.name,
                "company": known.company or data.company,
                "language": data.language or known.language,
            }
        )
    if isinstance(data, ConsentRevoked | ConsentGiven):
        known = contact or Contact(id=data.contact, tenant=envelope.tenant)
        return _consent(_learn(known, envelope, data.points), data)
    if contact is None:
        return None
    if isinstance(data, LeadLinked):
        learnt = _learn(contact, envelope, data.points)
        return learnt if learnt.name else learnt.model_copy(update={"name": data.name})
    if isinstance(data, FieldsSet):
        return _set_fields(contact, envelope, data.fields)
    return contact


def _consent(contact: Contact, data: ConsentRevoked | ConsentGiven) -> Contact:
    """What they do not want, after one more word on it."""
    if isinstance(data, ConsentGiven):
        revoked = {k: rule for k, rule in contact.revoked.items() if k not in data.channels}
    else:
        rule = data.because.rule if data.because else HOUSE
        revoked = {str(channel): rule for channel in data.channels} | contact.revoked
    update = {"revoked": revoked, "revoked_at": data.points, "revision": data.revision}
    return contact.model_copy(update=update)


def _set_fields(contact: Contact, envelope: Envelope, fields: dict[str, str]) -> Contact:
    points = tuple(
        ContactPoint(kind=kind, value=fields[kind])
        for kind in ("phone", "email")
        if fields.get(kind)
    )
    told: dict[str, str | None] = {key: fields[key] for key in ("name", "company") if key in fields}
    learnt = _learn(contact, envelope, points)
    return learnt.model_copy(update={**told}) if told else learnt


def _learn(contact: Contact, envelope: Envelope, points: tuple[ContactPoint, ...]) -> Contact:
    known = {(point.kind, point.value) for point in contact.points}
    new = tuple(
        Point.model_construct(kind=point.kind, value=point.value, since=envelope.time)
        for point in points
        if (point.kind, point.value) not in known
    )
    return contact.model_copy(update={"points": contact.points + new}) if new else contact
