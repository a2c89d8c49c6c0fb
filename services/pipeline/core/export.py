"""What is kept of a person, for the person: the right to see it (004-11)."""

from __future__ import annotations

from pydantic import JsonValue

from services.pipeline.core.lead import Lead
from services.pipeline.core.turn import Scene, Turn
from shared.contract.pipeline import ContactExported
from shared.domain.rulebook.rulebook import Rulebook

_OURS = frozenset({"tenant", "contact", "time", "deadlines", "fired", "earlier_owners", "mail_ids"})
"""What is about our own work, not about the person."""


def export_contact(turn: Turn, lead: str, by: str) -> None:
    """Hand out everything that is kept of the lead's contact."""
    scene = turn.scene(lead, by)
    data = ContactExported(contact=scene.contact.id, lead=lead, data=exported(scene), by=by)
    turn.tell(scene.contact.id, data)


def exported(scene: Scene) -> dict[str, JsonValue]:
    """The person, and each of their leads, oldest first."""
    contact = scene.contact
    leads = [scene.leads[id_] for id_ in contact.leads if id_ in scene.leads]
    return {
        "name": contact.name,
        "company": contact.company,
        "language": contact.language,
        "points": [point.model_dump(mode="json") for point in contact.points],
        "not_by": [*contact.revoked],
        "leads": [_lead(scene.book, each) for each in leads],
    }


def _lead(book: Rulebook, lead: Lead) -> JsonValue:
    """A lead as it is kept, its fields by their labels."""
    kept = lead.model_dump(mode="json", exclude=set(_OURS), exclude_defaults=True)
    labels = {id_: field.label for id_, field in book.fields.items()}
    return {**kept, "fields": {labels.get(k, k): value for k, value in lead.fields.items()}}
