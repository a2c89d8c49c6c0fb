"""In which order leads, and people, stand: by what came in, never by the chance of an id.

Ids may be random (`runtime.md` 10), and two inputs may come in at the same instant. Then what they
said decides, so that the same inputs under other ids end the same way. The id decides only between
two of which nothing else differs. `store.PLACE` says the same in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b

from pydantic import TypeAdapter

from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from shared.contract.pipeline import LeadCreated

_BY_CHANCE = {"number", "contact", "linked", "because"}
_to_json = TypeAdapter(LeadCreated).serializer.to_json
_NEVER = datetime.max.replace(tzinfo=UTC)

Place = tuple[datetime, int, str]


def tie_break(data: LeadCreated) -> int:
    """What a new lead says of itself as a number of 63 bits, the same under any id."""
    said = _to_json(data, exclude=_BY_CHANCE, exclude_defaults=True)
    return int.from_bytes(blake2b(said, digest_size=8).digest()) >> 1


def place(lead: Lead) -> Place:
    """Where a lead stands among others: who was received first."""
    return (lead.received_at, lead.tie_break, lead.id)


def oldest_first(leads: Iterable[Lead]) -> list[Lead]:
    """The leads, whoever was received first before the others."""
    return sorted(leads, key=place)


def by_urgency(leads: Iterable[Lead]) -> list[Lead]:
    """The leads that something is due for, the most urgent first (004-23)."""
    due = [(at, place(lead), lead) for lead in leads if (at := lead.next_due_at) is not None]
    return [lead for _, _, lead in sorted(due, key=lambda each: each[:2])]


def longest_known_first(contacts: Iterable[Contact]) -> list[Contact]:
    """The contacts, each once; of two known since the same instant the one with the smaller point,
    which nobody else has."""
    each = {contact.id: contact for contact in contacts}.values()
    return sorted(each, key=_known) if len(each) > 1 else list(each)


def _known(contact: Contact) -> tuple[datetime, tuple[str, str], str]:
    smallest = min(((point.kind, point.value) for point in contact.points), default=("", ""))
    return (contact.since or _NEVER, smallest, contact.id)
