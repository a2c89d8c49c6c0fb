"""Erasing a person from pipeline's tables, in the transaction that decides it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from services.pipeline import history, store
from services.pipeline.core.contact import Contact
from services.pipeline.core.evolve import create, evolve
from services.pipeline.core.lead import Lead
from services.pipeline.core.scrub import scrubbed
from services.pipeline.core.world import PointKey, World
from services.pipeline.store import Step
from shared.contract.envelope import Envelope
from shared.contract.pipeline import ContactErased, LeadCreated
from shared.domain.point_hash import point_hash
from shared.runtime.postgres import Overtaken, Transaction

_CONTACT_OF = """
SELECT c.state::text
FROM contact AS c JOIN lead AS l ON l.contact = c.id
WHERE l.id = $1
"""
_DELETE_POINTS = """
DELETE FROM contact_point
WHERE tenant = $1 AND (kind, value) IN (SELECT * FROM unnest($2::text[], $3::text[]))
"""
_DELETE_MAILS = "DELETE FROM lead_mail WHERE lead = $1 AND NOT message_id = ANY($2::text[])"
# What keys were answered speaks of leads: with names, phones and, of an export, everything.
_DELETE_ANSWERS = "DELETE FROM answer WHERE tenant = $1 AND body LIKE ANY($2::text[])"
_FORGET_OBJECTIONS = "DELETE FROM objection WHERE tenant = $1 AND point = ANY($2::bytea[])"
_OBJECT = """
INSERT INTO objection (tenant, point, forbidden)
SELECT $1, point, $3::json FROM unnest($2::bytea[]) AS n (point)
"""
_SCRUB_HISTORY = """
UPDATE lead_history AS h
SET cause = n.cause, events = n.events
FROM unnest($2::bigint[], $3::json[], $4::json[]) AS n (position, cause, events)
WHERE h.lead = $1 AND h.position = n.position
"""


async def points_of(tx: Transaction, lead: str) -> list[PointKey]:
    """The points of the lead's contact, to be locked before they go."""
    state = await tx.fetchval(_CONTACT_OF, lead)
    contact = Contact.model_validate_json(state) if state else None
    return [(point.kind, point.value) for point in contact.points] if contact else []


async def forget(
    tx: Transaction, key: bytes, before: World, locked: Collection[PointKey], told: ContactErased
) -> None:
    """After the contact and their leads were saved: all that the rest of the tables has of them.

    Raises `Overtaken` when another point was learnt before they were locked: it is all repeated.
    """
    contact = before.contacts[told.contact]
    tenant, points = contact.tenant, [(point.kind, point.value) for point in contact.points]
    if not set(points) <= set(locked):
        raise Overtaken("a contact point was learnt before it was locked")
    await tx.execute(_DELETE_POINTS, tenant, [k for k, _ in points], [v for _, v in points])
    hashes = [point_hash(key, tenant, *point) for point in points]
    await tx.execute(_FORGET_OBJECTIONS, tenant, hashes)
    if contact.revoked:
        await tx.execute(_OBJECT, tenant, hashes, json.dumps(contact.revoked))
    await tx.execute(_DELETE_ANSWERS, tenant, [f"%{lead}%" for lead in told.leads])
    leads = [await _scrub_history(tx, lead) for lead in told.leads]
    await store.save_leads(tx, [lead for lead in leads if lead is not None])
    for lead in leads:
        if lead is not None:
            await tx.execute(_DELETE_MAILS, lead.id, list(lead.mail_ids))


async def _scrub_history(tx: Transaction, lead: str) -> Lead | None:
    """The lead that its history makes once it names nobody: what is kept can be rebuilt from it,
    and what is rebuilt knows nobody."""
    rows = await history.rows_of(tx, lead)
    steps = [scrubbed_step(step) for _, step in rows]
    await tx.execute(
        _SCRUB_HISTORY,
        lead,
        [position for position, _ in rows],
        [step.cause.to_bytes() for step in steps],
        [store.array(step.events) for step in steps],
    )
    return _folded(steps)


def scrubbed_step(step: Step) -> Step:
    """One thing that happened, without the person."""
    return Step(step.lead, scrubbed(step.cause), tuple(map(scrubbed, step.events)))


def _folded(steps: Sequence[Step]) -> Lead | None:
    lead: Lead | None = None
    for envelope in _told(steps):
        if isinstance(envelope.data, LeadCreated):
            lead = create(envelope, envelope.data)
        elif lead is not None:
            lead = evolve(lead, envelope)
    return lead


def _told(steps: Iterable[Step]) -> Iterable[Envelope]:
    for step in steps:
        yield step.cause
        yield from step.events
