"""Where a contact's clock stands, as far as their phone number tells."""

from __future__ import annotations

from collections.abc import Iterable

from babel.core import get_global
from phonenumbers import parse, region_code_for_number

from shared.contract.intake import ContactPoint


def zone_of(points: Iterable[ContactPoint], otherwise: str) -> str:
    """The IANA zone of the country of the first phone, where that country has only one; else
    `otherwise`, the zone of the site that deals with them."""
    phone = next((point.value for point in points if point.kind == "phone"), None)
    if phone is None:
        return otherwise
    region = region_code_for_number(parse(phone))
    zones = get_global("territory_zones").get(region or "", [])
    return str(zones[0]) if len(zones) == 1 else otherwise
