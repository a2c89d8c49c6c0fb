"""Whom an input lets us answer: the contact points that hold, and what was typed in vain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.intake.core.arrival import Arrival, Refusal, Typed
from services.intake.core.text import LONG, block, line
from shared.contract.intake import ContactPoint
from shared.domain import contact_point
from shared.domain.rulebook.source import Source

Unusable = tuple[Typed, str]
"""What was typed as a contact point, and a sentence about what is wrong with it."""

POINTS_MOST = 10
"""Phones, and as many e-mails, that one input may bring; nobody has more."""

_NO_REGION = "ZZ"
"""phonenumbers' word for "unknown region": only a number with its + can be read then."""


def points_of(
    arrival: Arrival, region: str | None
) -> tuple[tuple[ContactPoint, ...], list[Unusable]]:
    """The usable contact points, phones first, each once; and the others with what is wrong."""
    readings = [
        (typed, contact_point.read_phone(line(typed.text) or "", region or _NO_REGION))
        for typed in arrival.phones[:POINTS_MOST]
    ] + [
        (typed, contact_point.read_email(line(typed.text) or ""))
        for typed in arrival.emails[:POINTS_MOST]
    ]
    points = dict.fromkeys(reading.point for _, reading in readings if reading.point)
    unusable = [
        (typed, reading.wrong or f"{typed.text!r} cannot be used")
        for typed, reading in readings
        if reading.point is None and typed.text.strip()
    ]
    return tuple(points), unusable


def may_be_good(unusable: Sequence[Unusable], region: str | None) -> bool:
    """A number that only a region could tell, and the site's is not in the directory yet."""
    return region is None and any(
        "@" not in typed.text and any(map(str.isdigit, typed.text)) for typed, _ in unusable
    )


def unreachable(source: Source, unusable: Sequence[Unusable]) -> Refusal:
    """The refusal of an input that leaves nobody to answer to; it names the field to correct."""
    if unusable:
        typed, wrong = unusable[0]
        return Refusal(f"{wrong}: give a phone or an e-mail that can be answered", typed.field)
    fields = source.reachable_by
    return Refusal(
        f"neither a phone nor an e-mail is given: fill {' or '.join(fields)}",
        fields[0] if fields else None,
    )


def missing_of(source: Source, arrival: Arrival, points: Iterable[ContactPoint]) -> tuple[str, ...]:
    """What the source asks for, or somebody tried to give, and that cannot be used."""
    kinds = {point.kind for point in points}
    given = {
        "phone": "phone" in kinds,
        "email": "email" in kinds,
        "name": bool(line(arrival.name)),
        "company": bool(line(arrival.company)),
        "text": bool(block(arrival.text)),
    }
    tried = {"phone": bool(arrival.phones), "email": bool(arrival.emails)}
    return tuple(
        word
        for word, is_given in given.items()
        if not is_given and (word in source.asks or tried.get(word, False))
    )


def text_with(text: str | None, unusable: Sequence[Unusable]) -> str | None:
    """The text, and below it what was typed as a contact point and is none: a person may see
    at a glance what a machine cannot."""
    typed = [f"{line(one.field, 60)}: {line(one.text)}" for one, _ in unusable]
    below = "\n".join(typed)
    parts = "\n\n".join(part for part in (block(text) or "", below) if part)
    return block(parts, LONG + 4_000)
