"""The headers of a mail, as a person reads them, whatever bytes they are."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

_LONGEST = 4_000
_ID_LONGEST = 500
_MESSAGE_ID = re.compile(r"<[^<>\s]{1," + str(_ID_LONGEST) + r"}>")
_ADDRESS = re.compile(r"[^\s<>\"'(),:;\[\]]+@[^\s<>\"'(),:;\[\]]+")


def header(message: Message, name: str) -> str | None:
    """One header, decoded; absent when the mail has none of that name.

    The standard library's own reading raises IndexError, LookupError and others on broken
    headers; then its bytes are decoded piece by piece, and at worst shown as they are.
    """
    try:
        value = message.get(name)
        return None if value is None else printable(str(value)[:_LONGEST])
    except Exception:  # its failures are open-ended
        return _piece_by_piece(message, name)


def _piece_by_piece(message: Message, name: str) -> str | None:
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            text = str(value)[:_LONGEST]
            try:
                return printable(str(make_header(decode_header(text))))
            except (LookupError, ValueError, MessageError):
                return printable(text)
    return None


def printable(text: str) -> str:
    """The text without lone surrogates.

    8-bit bytes that no charset announced arrive as such: nearly always they are UTF-8.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()


def address_in(text: str | None) -> tuple[str | None, str | None]:
    """The name and the address of `Name <address>`; either may be absent."""
    if not text:
        return None, None
    try:
        pairs = getaddresses([text])
    except Exception:  # trips over the same broken quotes as the header parser
        pairs = []
    for name, address in pairs:
        if "@" in address:
            return name or None, address
    found = _ADDRESS.search(text)
    return None, found.group() if found else None


def ids_in(text: str | None) -> list[str]:
    """The message ids (`<…@…>`) of Message-ID, In-Reply-To or References."""
    return _MESSAGE_ID.findall(text or "")


def date_of(message: Message) -> datetime | None:
    """When the sender's clock says it was written, UTC."""
    try:
        date = parsedate_to_datetime(header(message, "Date") or "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
