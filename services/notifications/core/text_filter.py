"""The filters that templates have beside Liquid's own: times, names, phones, numbers, lengths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from liquid import RenderContext
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context


@with_context
def local_time(value: object, *, context: RenderContext) -> str:
    """`17:50` of an instant, on the recipient's clock; nothing for nothing."""
    return (
        ""
        if value is None
        else format_time(_local(value, context), "HH:mm", locale=_language(context))
    )


@with_context
def local_date(value: object, *, context: RenderContext) -> str:
    """`2 марта` of an instant or a date; nothing for nothing."""
    if value is None:
        return ""
    day = _day(value) or _local(value, context).date()
    return format_date(day, "d MMMM", locale=_language(context))


@with_context
def local_moment(value: object, *, context: RenderContext) -> str:
    """`пн, 2 марта, 17:50` of an instant; nothing for nothing."""
    return (
        ""
        if value is None
        else format_datetime(
            _local(value, context),
            _MOMENTS.get(_language(context), _MOMENT),
            locale=_language(context),
        )
    )


_MOMENT = "EEE, d MMMM, HH:mm"
_MOMENTS = {"fr": "EEE d MMMM, HH:mm"}


@with_context
def count(number: object, *forms: str, context: RenderContext) -> str:
    """`5 заявок`: the number with its word, forms in the order one, few, many (or one, other)."""
    if not isinstance(number, int) or not forms:
        raise FilterArgumentError("count needs a number and the forms of the word", token=None)
    locale = Locale.parse(_language(context))
    kinds = ("one", "few", "many") if len(forms) > 2 else ("one", "other")
    kind = locale.plural_form(number)
    return f"{number} {forms[kinds.index(kind) if kind in kinds else -1]}"


def who(lead: object) -> str:
    """What to call a lead: name, company, phone, e-mail or number, the first that is known."""
    if not isinstance(lead, Mapping):
        raise FilterArgumentError("who needs a lead", token=None)
    for key in ("name", "company"):
        if lead.get(key):
            return str(lead[key])
    if lead.get("phone"):
        return phone(lead["phone"])
    return str(lead.get("email") or f"№ {lead.get('number')}")


def phone(value: object) -> str:
    """`+375 29 123-45-67` of an E.164 number; anything else as it is, nothing for nothing."""
    if not value:
        return ""
    try:
        number = phonenumbers.parse(str(value), None)
    except phonenumbers.NumberParseException:
        return str(value)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def shorten(value: object, length: int) -> str:
    """At most `length` characters on one line, cut between words, with an ellipsis."""
    text = " ".join(str(value or "").split())
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    if not text[length - 1].isspace() and " " in cut:
        cut = cut.rsplit(" ", 1)[0]
    return cut.rstrip(" .,;:-–—") + "…"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "local_time": local_time,
    "local_date": local_date,
    "local_moment": local_moment,
    "count": count,
    "who": who,
    "phone": phone,
    "shorten": shorten,
}


def _language(context: RenderContext) -> str:
    return str(context.resolve("language"))


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _local(value: object, context: RenderContext) -> datetime:
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        raise FilterArgumentError(f"{value!r} is no instant", token=None) from None
    return instant.replace(tzinfo=instant.tzinfo or UTC).astimezone(
        ZoneInfo(str(context.resolve("zone")))
    )
