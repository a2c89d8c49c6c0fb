"""Saving what a batch or an action changed, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.world import World
from services.pipeline.world_lock import LONGEST_MAIL_ID
from shared.contract.envelope import Envelope
from shared.runtime.postgres import Transaction

PLACE = "received_at, tie_break, id"
"""In which order leads stand: what `core.order.place` is in memory."""

_SAVE_CONTACTS = """
INSERT INTO contact (id, tenant, state)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::json[])
ON CONFLICT (id) DO UPDATE SET state = excluded.state
"""
# Points that change hands follow a merge or its undoing; they were not all named, so they are
# locked out of order: whoever finds one taken lets go of everything and begins again.
_LOCK_MOVED = """
SELECT 1
FROM unnest($2::text[], $3::text[]) AS n (kind, value)
CROSS JOIN LATERAL (
  SELECT 1
  FROM contact_point
  WHERE tenant = $1 AND kind = n.kind AND value = n.value
  FOR UPDATE NOWAIT
) AS p
"""
_SAVE_POINTS = """
UPDATE contact_point AS p
SET contact = n.contact
FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS n (tenant, kind, value, contact)
WHERE p.tenant = n.tenant AND p.kind = n.kind AND p.value = n.value
"""
_SAVE_LEADS = """
INSERT INTO lead
  (id, tenant, number, contact, pipeline, status, stage, owner, site, received_at, words, state,
   lent, next_due_at, tie_break)
SELECT id, tenant, number, contact, pipeline, status, stage, owner, site, received_at, words,
  state, string_to_array(lent, ' '), next_due_at,
  tie_break
FROM unnest(
  $1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
  $9::text[], $10::timestamptz[], $11::text[], $12::json[], $13::text[],
  $14::timestamptz[], $15::bigint[]
) AS n (id, tenant, number, contact, pipeline, status, stage, owner, site, received_at, words,
        state, lent, next_due_at, tie_break)
ON CONFLICT (id) DO UPDATE SET
  contact = excluded.contact,
  pipeline = excluded.pipeline,
  status = excluded.status,
  stage = excluded.stage,
  owner = excluded.owner,
  words = excluded.words,
  state = excluded.state,
  lent = excluded.lent,
  next_due_at = excluded.next_due_at,
  tie_break = excluded.tie_break
"""
_SAVE_MAILS = """
INSERT INTO lead_mail (tenant, message_id, lead)
SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[])
ON CONFLICT DO NOTHING
"""
_OPEN_LEADS = """
SELECT state::text
FROM lead
WHERE tenant = $1 AND status = 'open' AND owner = ANY($2::text[])
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a lead: what came in, and what followed for this lead."""

    lead: str
    cause: Envelope
    events: tuple[Envelope, ...]


async def save(tx: Transaction, before: World, after: World, steps: Sequence[Step]) -> None:
    """Store what `after` has otherwise than `before`, and the history."""
    contacts = [
        contact
        for id_, contact in after.contacts.items()
        if contact is not before.contacts.get(id_)
    ]
    leads = [lead for id_, lead in after.leads.items() if lead is not before.leads.get(id_)]
    await _save_contacts(tx, contacts)
    await _save_points(tx, before, contacts)
    await save_leads(tx, leads)
    await _save_mails(tx, before, leads)
    await _save_history(tx, steps)


async def open_leads_of(tx: Transaction, tenant: str, owners: Collection[str]) -> list[Lead]:
    """The open leads of these agents, as they are now, in no order; not locked."""
    if not owners:
        return []
    rows = await tx.fetch(_OPEN_LEADS, tenant, list(owners))
    return [Lead.model_validate_json(row["state"]) for row in rows]


async def _save_contacts(tx: Transaction, contacts: Sequence[Contact]) -> None:
    if contacts:
        await tx.execute(
            _SAVE_CONTACTS,
            [contact.id for contact in contacts],
            [contact.tenant for contact in contacts],
            [_json(contact) for contact in contacts],
        )


async def _save_points(tx: Transaction, before: World, contacts: Iterable[Contact]) -> None:
    """Say whose the new points are. Their rows are there: they were locked (`world_lock`)."""
    news = [
        (contact.tenant, point.kind, point.value, contact.id)
        for contact in contacts
        for point in contact.points
        if before.points.get((point.kind, point.value)) != contact.id
    ]
    if not news:
        return
    moved = [row for row in news if (row[1], row[2]) in before.points]
    if moved:
        tenant, kinds, values = moved[0][0], [row[1] for row in moved], [row[2] for row in moved]
        await tx.fetch(_LOCK_MOVED, tenant, kinds, values)
    status: str = await tx.execute(_SAVE_POINTS, *map(list, zip(*news, strict=True)))
    if status != f"UPDATE {len(news)}":
        raise LookupError("a contact point was taken without being locked first")


async def save_leads(tx: Transaction, leads: Sequence[Lead]) -> None:
    """Store these."""
    if leads:
        await tx.execute(_SAVE_LEADS, *map(list, zip(*map(_row, leads), strict=True)))


async def _save_mails(tx: Transaction, before: World, leads: Iterable[Lead]) -> None:
    news = sorted(
        {
            (lead.tenant, mail[:LONGEST_MAIL_ID], lead.id)
            for lead in leads
            for mail in lead.mail_ids
            if before.threads.get(mail) != lead.id
        }
    )
    if news:
        await tx.execute(_SAVE_MAILS, *map(list, zip(*news, strict=True)))


async def _save_history(tx: Transaction, steps: Sequence[Step]) -> None:
    """In this order: by COPY, which writes pages instead of rows."""
    if steps:
        await tx.copy_records_to_table(
            "lead_history",
            columns=("lead", "cause", "events"),
            records=[(step.lead, step.cause.to_bytes(), array(step.events)) for step in steps],
        )


def _row(lead: Lead) -> tuple[object, ...]:
    return (
        lead.id,
        lead.tenant,
        lead.number,
        lead.contact,
        lead.pipeline,
        lead.status,
        lead.stage,
        lead.owner,
        lead.site,
        lead.received_at,
        _words(lead),
        _json(lead),
        _lent(lead),
        lead.next_due_at,
        lead.tie_break,
    )


def _lent(lead: Lead) -> str:
    """The agents, with blanks between them, who owe an open task on it and are not found by
    looking at the open leads that they own."""
    owing = {task.to for task in lead.open_tasks() if task.to is not None}
    found = {lead.owner} if lead.is_open else set()
    return " ".join(sorted(owing - found))


def _words(lead: Lead) -> str:
    """What people may remember of it, in lower case, for the search."""
    told = (lead.number, lead.name, lead.company, *(point.value for point in lead.points))
    return " ".join(word for word in told if word).lower()


def _json(state: Contact | Lead) -> bytes:
    return _WRITERS[type(state)](state, by_alias=True, exclude_defaults=True)


def array(envelopes: Iterable[Envelope]) -> bytes:
    """Events as they are kept."""
    return b"[%b]" % b",".join([envelope.to_bytes() for envelope in envelopes])


# The serializers themselves give bytes; a model's own method makes text of them.
_WRITERS = {kind: TypeAdapter(kind).serializer.to_json for kind in (Contact, Lead)}
