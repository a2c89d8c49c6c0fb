"""Fields of a lead, and contact points typed by an agent: read, checked, set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from services.pipeline.core.phrase import Phrases
from services.pipeline.core.turn import Scene, Turn
from shared.contract.intake import ContactPoint, PointKind
from shared.contract.pipeline import FieldsSet, NoteAdded
from shared.domain.contact_point import Reading, read_email, read_phone

READERS: tuple[PointKind, ...] = ("phone", "email")
"""The contact points that an agent can type as fields."""


def read_point(kind: str, text: str, region: str) -> Reading:
    """A phone or an e-mail as an agent typed it."""
    return read_phone(text, region) if kind == "phone" else read_email(text)


def typed_points(fields: Mapping[str, str], region: str) -> tuple[ContactPoint, ...]:
    """The contact points among these values; what cannot be read is none."""
    readings = (read_point(kind, fields[kind], region) for kind in READERS if fields.get(kind))
    return tuple(reading.point for reading in readings if reading.point is not None)


def normal(scene: Scene, fields: Mapping[str, str]) -> dict[str, str]:
    """The values as they are kept: contact points in their one form, texts stripped."""
    region = scene.directory.site(scene.lead.site).region
    kept = {name: value.strip() for name, value in fields.items()}
    points = typed_points(kept, region)
    return kept | {point.kind: point.value for point in points}


def set_fields(turn: Turn, lead: str, fields: Mapping[str, str], by: str | None = None) -> None:
    """Set them; a contact point that is somebody else's is noted, not taken over."""
    scene = turn.scene(lead)
    values = normal(scene, fields)
    turn.emit(lead, FieldsSet(fields=values, by=by))
    points = [ContactPoint(kind=k, value=values[k]) for k in READERS if values.get(k)]
    note_foreign_points(turn, lead, points)


def note_foreign_points(turn: Turn, lead: str, points: Iterable[ContactPoint]) -> None:
    """A note for each point that belongs to another contact: a person decides, for now."""
    state = turn.lead(lead)
    for point in points:
        other = turn.contact_at(point)
        if other is None or other.id == state.contact:
            continue
        numbers = [turn.lead(id_).number for id_ in other.leads if turn.has_lead(id_)]
        text = Phrases(turn.book.language).foreign_point(point.value, numbers)
        turn.emit(lead, NoteAdded(text=text))
