"""Values of fields as people type them, read into the one form in which they are kept."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

from shared.domain.rulebook.declaration import FieldDeclaration

_NUMBER = re.compile(r"[+-]?[0-9]{1,15}([.,][0-9]{1,6})?", re.ASCII)
_LOCAL_DATE = re.compile(r"([0-9]{1,2})[./]([0-9]{1,2})[./]([0-9]{4})", re.ASCII)
_URL = re.compile(r"https?://[^\s/]+\.[^\s]+")


def read_value(field: FieldDeclaration, text: str, today: dt.date) -> str | None:
    """The value as it is kept, or None where the field cannot have it.

    Dates become ISO, numbers plain decimals; an empty text empties any field.
    """
    text = text.strip()
    return text if not text else READERS[field.type](field, text, today)


def is_link(text: str) -> bool:
    """Whether it can be clicked."""
    return _URL.fullmatch(text.strip()) is not None


def number_of(text: str | None) -> Decimal | None:
    """The number that a kept value is, if it is one."""
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def plain(number: Decimal) -> str:
    """A number as it is kept: without an exponent, without idle zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(_: FieldDeclaration, text: str, __: dt.date) -> str | None:
    return text


def _list(field: FieldDeclaration, text: str, today: dt.date) -> str | None:
    return text if text in field.choices(today) else None


def _date(_: FieldDeclaration, text: str, __: dt.date) -> str | None:
    local = _LOCAL_DATE.fullmatch(text)
    if local:
        day, month, year = local.groups()
        text = f"{year}-{int(month):02d}-{int(day):02d}"
    try:
        return dt.date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _number(_: FieldDeclaration, text: str, __: dt.date) -> str | None:
    text = "".join(text.split())
    return plain(Decimal(text.replace(",", "."))) if _NUMBER.fullmatch(text) else None


def _url(_: FieldDeclaration, text: str, __: dt.date) -> str | None:
    return text if is_link(text) else None


READERS: Mapping[str, Callable[[FieldDeclaration, str, dt.date], str | None]] = {
    "text": _text,
    "list": _list,
    "date": _date,
    "number": _number,
    "url": _url,
}
