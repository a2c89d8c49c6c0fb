"""Fields of a lead, and contact points typed by an agent: read, checked, set."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from services.pipeline.core.condition import known
from services.pipeline.core.merge import join_points
from services.pipeline.core.turn import Scene, Turn
from services.pipeline.core.value import number_of, plain, read_value
from shared.contract.intake import ContactPoint, PointKind
from shared.contract.pipeline import FieldsSet
from shared.domain.contact_point import Reading, read_email, read_phone
from shared.domain.rulebook.declaration import FieldDeclaration
from shared.domain.rulebook.reference import CONTACT_FIELDS

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
    """The values as they are kept: contact points and numbers in their one form, texts stripped.

    Of a field that keeps the largest, a smaller number changes nothing; parts of a number that
    changes (`percent_of`) change with it while nobody has filled them otherwise.
    """
    region = scene.directory.site(scene.lead.site).region
    kept = {name: _kept(scene, name, value.strip()) for name, value in fields.items()}
    points = typed_points(kept, region)
    kept |= {point.kind: point.value for point in points}
    return kept | _parts(scene, kept)


def _kept(scene: Scene, name: str, value: str) -> str:
    field = scene.book.fields.get(name)
    if field is None:
        return value
    value = read_value(field, value, scene.today) or ""
    known, new = number_of(scene.lead.fields.get(name)), number_of(value)
    if field.keep == "max" and known is not None and new is not None:
        return plain(max(known, new))
    return value


def _parts(scene: Scene, kept: Mapping[str, str]) -> dict[str, str]:
    """Fields that are a part of one that is set now (001-52), unless filled by hand."""
    parts: dict[str, str] = {}
    for field in scene.book.fields.values():
        whole = field.percent_of
        if whole is None or whole not in kept or field.id in kept:
            continue
        before = _part(field, scene.lead.fields.get(whole))
        if scene.lead.fields.get(field.id, "") in ("", before):
            parts[field.id] = _part(field, kept[whole])
    return parts


def _part(field: FieldDeclaration, whole: str | None) -> str:
    number = number_of(whole)
    if number is None or field.percent is None:
        return ""
    return plain((number * field.percent / 100).quantize(Decimal("0.01")))


def _of_the_contact(turn: Turn, lead: str, values: Mapping[str, str], by: str | None) -> None:
    """What is known of the person is known on every open lead of theirs (004-24)."""
    declared = turn.book.fields
    shared = {
        name: value
        for name, value in values.items()
        if name in CONTACT_FIELDS or (name in declared and declared[name].of == "contact")
    }
    if not shared:
        return
    for other in turn.scene(lead).others:
        if other.is_open:
            turn.open(other.id)
            _set(turn, other.id, shared, by)


def _set(turn: Turn, lead: str, values: Mapping[str, str], by: str | None) -> None:
    """Set them; what has that value already is said again, and starts no rule."""
    scene = turn.scene(lead)
    same = frozenset(name for name, value in values.items() if value == (known(scene, name) or ""))
    said = turn.emit(lead, FieldsSet(fields=dict(values), by=by))
    turn.same[said.id] = same


def set_fields(turn: Turn, lead: str, fields: Mapping[str, str], by: str | None = None) -> None:
    """Set them; whoever has a contact point among them is the same person (002-01)."""
    scene = turn.scene(lead)
    values = normal(scene, fields)
    _set(turn, lead, values, by)
    _of_the_contact(turn, lead, values, by)
    points = [ContactPoint(kind=k, value=values[k]) for k in READERS if values.get(k)]
    join_points(turn, lead, points, by)
