"""What a directory document says must exist in the world: zones, countries, languages, holidays."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from phonenumbers import SUPPORTED_REGIONS

from shared.contract.directory import Calendar, Document, Site
from shared.domain import public_holidays


def problem(document: Document) -> tuple[str, str] | None:
    """The first field that says what does not exist, and why in a sentence; None if all does."""
    if isinstance(document, Calendar) and document.holidays is not None:
        wrong = public_holidays.problem(document.holidays)
        return ("holidays", wrong) if wrong is not None else None
    if not isinstance(document, Site):
        return None
    if not _is_zone(document.zone):
        return "zone", f"{document.zone!r} is no IANA zone such as Europe/Minsk"
    if document.region not in SUPPORTED_REGIONS:
        return "region", f"{document.region!r} is no ISO 3166 country such as BY"
    if not is_language(document.language):
        return "language", f"{document.language!r} is no language such as fr"
    return None


def is_language(code: str) -> bool:
    """Whether dates and numbers can be written in this language."""
    try:
        Locale.parse(code)
    except (UnknownLocaleError, ValueError, TypeError):
        return False
    return True


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
