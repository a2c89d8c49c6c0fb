"""Believable values: what a person would type into a field, and what a door would bring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number
from pydantic import ValidationError

from relance.simulation.input import FORMATS, Input, received
from relance.simulation.step import Receive
from services.intake.core.arrival import Refusal
from services.pipeline.core.turn import Scene
from shared.domain.rulebook.declaration import FieldDeclaration
from shared.domain.rulebook.source import Source

EMAIL, NAME, COMPANY, TEXT = "person@example.com", "Alex Martin", "Example", "…"
LINK = "https://example.com/paper"


def phone_in(region: str) -> str:
    """A mobile number of that region."""
    example = example_number_for_type(region, PhoneNumberType.MOBILE)
    return "" if example is None else format_number(example, PhoneNumberFormat.E164)


def value_of(field: FieldDeclaration, today: date) -> str:
    """Something that this field can be; a date is next week."""
    match field.type:
        case "list":
            return next(iter(field.choices(today)), "")
        case "date":
            return (today + timedelta(days=7)).isoformat()
        case "number":
            return "100"
        case "url":
            return LINK
        case _:
            return TEXT


def known_value(scene: Scene, name: str) -> str | None:
    """A value for a field or for something known of the contact; None where that is no field."""
    field = scene.book.fields.get(name)
    if field is not None:
        return value_of(field, scene.today) or None
    region = scene.directory.site(scene.lead.site).region
    named = {"phone": phone_in(region), "email": EMAIL, "name": NAME, "company": COMPANY}
    return named.get(name) or None


def ways_in(source: Source, region: str, answered_by: str | None) -> Iterator[Receive]:
    """What this source can bring: the contact points that it may or may not have."""
    phone, channel = phone_in(region), _channel(source)
    phones: list[dict[str, object]] = [{"phone": phone}]
    if channel == "call":
        answered: dict[str, object] = {
            "phone": phone,
            "outcome": "answered",
            "answered_by": answered_by,
        }
        phones = [{"phone": phone, "outcome": "missed"}, *([answered] if answered_by else [])]
    both: list[dict[str, object]] = [{"phone": phone, "email": EMAIL}, {"email": EMAIL}]
    for given in (*both, *phones):
        try:
            yield Receive.model_validate({"receive": channel, "source": source.id, **given})
        except ValidationError:
            continue


def sent_by(step: Receive, source: Source, id_: str, at: datetime) -> Input | None:
    """The step's bytes at the door; None where intake's format refuses them."""
    try:
        sent = received(step.model_copy(update={"id": id_}), source, id_, at)
        _ = sent.rows() if sent.file is not None else sent.arrival()
    except (Refusal, ValueError):
        return None
    return sent


def _channel(source: Source) -> str:
    """The word of a scenario for what this source takes."""
    known = {format_: channel for channel, format_ in FORMATS.items()}
    return known.get(source.format, "file")
