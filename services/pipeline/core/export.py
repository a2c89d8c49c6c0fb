"""What is kept of a person, for the person: the right to see it (004-11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from services.pipeline.core.action import ActionRequested
from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.turn import Scene, Turn
from shared.contract.envelope import Envelope
from shared.contract.pipeline import ContactExported
from shared.domain.directory import Directory
from shared.domain.names import Names
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.wording import words_for

_OURS = frozenset({"tenant", "contact", "time", "deadlines", "fired", "earlier_owners", "mail_ids"})
"""What is about our own work, not about the person."""

Histories = Mapping[str, Sequence[Envelope]]
"""Lead → everything that came in and followed, in the order it happened."""


def export_contact(turn: Turn, lead: str, by: str) -> None:
    """Say that everything kept of the lead's contact is handed out; the document itself is not
    put on a topic, where it would lie for months."""
    scene = turn.scene(lead, by)
    leads = tuple(each.id for each in _leads(scene))
    turn.tell(
        scene.contact.id,
        ContactExported(contact=scene.contact.id, lead=lead, leads=leads, by=by),
    )


def exported(
    contact: Contact,
    leads: Iterable[Lead],
    histories: Histories,
    book: Rulebook,
    directory: Directory,
) -> dict[str, JsonValue]:
    """The person, and each of their leads, oldest first, with its history."""
    return {
        "name": contact.name,
        "company": contact.company,
        "language": contact.language,
        "points": [point.model_dump(mode="json") for point in contact.points],
        "not_by": dict(contact.revoked),
        "leads": [
            _lead(book, lead)
            | {"history": [*_moments(histories.get(lead.id, ()), lead, book, directory)]}
            for lead in leads
        ],
    }


def _leads(scene: Scene) -> list[Lead]:
    return [scene.leads[id_] for id_ in scene.contact.leads if id_ in scene.leads]


def _lead(book: Rulebook, lead: Lead) -> dict[str, JsonValue]:
    """A lead as it is kept, its fields by their labels."""
    kept = lead.model_dump(mode="json", by_alias=True, exclude=set(_OURS), exclude_defaults=True)
    labels = {id_: field.label for id_, field in book.fields.items()}
    return {**kept, "fields": {labels.get(k, k): value for k, value in lead.fields.items()}}


def _moments(
    envelopes: Iterable[Envelope], lead: Lead, book: Rulebook, directory: Directory
) -> Iterator[JsonValue]:
    """Each event with its date, in words and whole. An action that was asked for is not told:
    what came of it is."""
    names, zone = Names.of(book, directory), ZoneInfo(directory.site(lead.site).zone)
    for envelope in envelopes:
        data = envelope.data
        if isinstance(data, ActionRequested):
            continue
        whole = data.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"because"})
        yield {
            "at": envelope.time.astimezone(zone).isoformat(),
            "what": type(data).__name__,
            "text": words_for(data, names, zone),
            "data": whole,
        }
