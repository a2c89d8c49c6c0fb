"""Locking and loading what a batch or an action is about, in the one order of `runtime.md` 14."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.world import PointKey, World
from shared.domain.point_hash import point_hash
from shared.runtime.postgres import Overtaken, Transaction

# Inserted before it is locked: of two arrivals of one new person the second waits here.
_NAME_POINTS = """
INSERT INTO contact_point (tenant, kind, value)
SELECT $1, kind, value
FROM unnest($2::text[], $3::text[]) AS n (kind, value)
ON CONFLICT DO NOTHING
"""
# Each point by itself, in the order given: joined, all the tenant's points would be read for each
# batch wherever PostgreSQL does not know yet how many they are (it looks a minute after they came).
# With what was forbidden by whoever had the point and was erased; no join, which could lose the
# order.
_LOCK_POINTS = """
SELECT n.kind, n.value, p.contact::text,
  (SELECT forbidden::text FROM objection WHERE tenant = $1 AND point = n.hash) AS forbidden
FROM unnest($2::text[], $3::text[], $4::bytea[]) AS n (kind, value, hash)
CROSS JOIN LATERAL (
  SELECT contact
  FROM contact_point
  WHERE tenant = $1 AND kind = n.kind AND value = n.value
  FOR UPDATE
) AS p
"""
_LEADS_OF_MAILS = """
SELECT message_id, lead::text
FROM lead_mail
WHERE tenant = $1 AND message_id = ANY($2::text[])
"""
# By the id alone: an index that begins with the tenant would do as well, all of it.
_CONTACTS_OF_LEADS = """
SELECT l.id::text, l.contact::text
FROM unnest($2::uuid[]) AS n (id)
CROSS JOIN LATERAL (SELECT id, contact, tenant FROM lead WHERE id = n.id LIMIT 1) AS l
WHERE l.tenant = $1
"""
_LOCK_CONTACTS = """
SELECT state::text
FROM contact
WHERE id = ANY($1::uuid[])
ORDER BY id
FOR UPDATE
"""
_LOCK_LEADS = """
SELECT id::text, state::text
FROM lead
WHERE contact = ANY($1::uuid[])
ORDER BY id
FOR UPDATE
"""

LONGEST_MAIL_ID = 500
"""A Message-ID is compared by its beginning: an index row has its limit, an attacker has none."""


@dataclass(frozen=True, slots=True)
class Named:
    """What the inputs in hand name: whatever they can touch follows from it."""

    points: Collection[PointKey] = ()
    leads: Collection[str] = ()
    mails: Collection[str] = ()


async def locked_world(tx: Transaction, tenant: str, named: Named, hash_key: bytes) -> World:
    """The world of everything in `named`, locked until `tx` ends.

    Points, then contacts, then leads, each sorted: two of these never wait in a circle. A lead
    that does not exist is not in the world. Raises `Overtaken` when a lead changed hands between
    the look and the lock: the transaction is repeated, and then sees its new contact.
    """
    named_leads = set(named.leads) | await _leads_of_mails(tx, tenant, named.mails)
    contact_of = await _contacts_of_leads(tx, tenant, named_leads)
    owners, objections = await _lock_points(tx, tenant, named.points, hash_key)
    contacts = set(contact_of.values()) | owners
    people = await _lock_contacts(tx, contacts)
    leads = await _lock_leads(tx, contacts)
    known = {lead.id for lead in leads}
    if not known.issuperset(contact_of):
        raise Overtaken("a lead changed hands before it was locked")
    return World.of(people, leads, objections)


async def _leads_of_mails(tx: Transaction, tenant: str, mails: Collection[str]) -> set[str]:
    if not mails:
        return set()
    cut = sorted({mail[:LONGEST_MAIL_ID] for mail in mails})
    return {row["lead"] for row in await tx.fetch(_LEADS_OF_MAILS, tenant, cut)}


async def _contacts_of_leads(
    tx: Transaction, tenant: str, leads: Collection[str]
) -> dict[str, str]:
    if not leads:
        return {}
    rows = await tx.fetch(_CONTACTS_OF_LEADS, tenant, list(leads))
    return {row["id"]: row["contact"] for row in rows}


async def _lock_points(
    tx: Transaction, tenant: str, points: Iterable[PointKey], hash_key: bytes
) -> tuple[set[str], dict[PointKey, dict[str, str]]]:
    """Lock the points, known or new; the contacts that have them, and what erased ones forbade."""
    ordered = sorted(set(points))
    if not ordered:
        return set(), {}
    kinds, values = [kind for kind, _ in ordered], [value for _, value in ordered]
    await tx.execute(_NAME_POINTS, tenant, kinds, values)
    hashes = [point_hash(hash_key, tenant, *point) for point in ordered]
    rows = await tx.fetch(_LOCK_POINTS, tenant, kinds, values, hashes)
    if len(rows) != len(ordered):
        raise Overtaken("a contact point was erased before it was locked")
    objections = {
        (row["kind"], row["value"]): json.loads(row["forbidden"])
        for row in rows
        if row["forbidden"] is not None
    }
    return {row["contact"] for row in rows if row["contact"] is not None}, objections


async def _lock_contacts(tx: Transaction, contacts: Collection[str]) -> list[Contact]:
    if not contacts:
        return []
    rows = await tx.fetch(_LOCK_CONTACTS, sorted(contacts))
    return [Contact.model_validate_json(row["state"]) for row in rows]


async def _lock_leads(tx: Transaction, contacts: Collection[str]) -> list[Lead]:
    if not contacts:
        return []
    rows = await tx.fetch(_LOCK_LEADS, sorted(contacts))
    return [Lead.model_validate_json(row["state"]) for row in rows]
