"""Phones and e-mails in the one form in which they match; placeholders never do."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from phonenumbers import (
    Leniency,
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberMatcher,
    PhoneNumberType,
    ValidationResult,
    format_number,
    is_possible_number_with_reason,
    national_significant_number,
    number_type,
    parse,
)

from shared.contract.intake import ContactPoint

_WITHHELD = re.compile(
    r"anonym(ous|e)|unknown|inconnu|withheld|private|priv[eé]|restricted|unavailable|blocked"
    r"|hidden|masqu[eé]|none|null|nil|неизвест\w+|скрыт\w*|аноним\w*"
)
_VENDOR_PLACEHOLDERS = frozenset(
    # What telephony vendors put for a caller who hides: the letters of RESTRICTED, ANONYMOUS,
    # UNAVAILABLE, BLOCKED and UNKNOWN on a keypad.
    {"+7378742833", "+266696687", "+86282452253", "+2562533", "+8656696"}
)
_SEQUENCES = ("01234567890123456789", "98765432109876543210")
_SAME_DIGITS_AT_LEAST = 6
_LONGEST = 250

_NOBODY = re.compile(
    r"(no|do[-_.]?not|ne[-_.]?pas)[-_.]?(reply|repondre|respond)([-_.+].*)?|mailer[-_.]daemon"
)
_MADE_UP = re.compile(
    r"tests?|tester|ex[ae]mple|e?mail|nomail|user|nobody|na|non?|nan|abc|azerty|qwerty|asdf"
    r"|sample|demo|тест|почта"
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says: a contact point, or a sentence about what is `wrong` with it."""

    point: ContactPoint | None = None
    wrong: str | None = None


def read(text: str, region: str) -> Reading:
    """A phone or an e-mail, whichever `text` looks like; `region` as in `read_phone`."""
    return read_email(text) if "@" in text else read_phone(text, region)


def read_phone(text: str, region: str) -> Reading:
    """The phone in E.164; without `+` it is read as dialled in `region` (ISO 3166)."""
    shown = text.strip()
    if _is_withheld(shown):
        return Reading(wrong=f"{_quoted(shown)} stands for a number that the caller hides")
    number = _number(shown, region)
    if number is None:
        return Reading(wrong=f"{_quoted(shown)} is no complete phone number")
    value = format_number(number, PhoneNumberFormat.E164)
    if value in _VENDOR_PLACEHOLDERS or _is_made_up_number(number):
        return Reading(wrong=f"{_quoted(shown)} is a placeholder, not somebody's phone")
    return Reading(ContactPoint(kind="phone", value=value))


def is_mobile(point: ContactPoint) -> bool:
    """Whether it is a phone that can be carried about (where numbers tell: not in the US)."""
    if point.kind != "phone":
        return False
    kind = number_type(parse(point.value))
    return kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def read_email(text: str) -> Reading:
    """The e-mail in lower case, its domain in ASCII (IDNA), dots and `+tags` kept as they are.

    Lower-cased rather than folded: `ß` must not become `ss`, the address is also written to.
    """
    shown = text.strip().removeprefix("mailto:").strip("<>")
    try:
        checked = validate_email(
            shown, check_deliverability=False, globally_deliverable=False, allow_smtputf8=True
        )
    except EmailNotValidError:
        return Reading(wrong=f"{_quoted(shown)} is no e-mail address")
    local = unicodedata.normalize("NFC", checked.local_part.lower())
    domain = checked.ascii_domain.lower()
    if "." not in domain:
        return Reading(wrong=f"{_quoted(shown)} has no complete domain after the @")
    if _NOBODY.fullmatch(local):
        return Reading(wrong=f"{_quoted(shown)} is an address that nobody reads")
    if _is_made_up_address(local, domain):
        return Reading(wrong=f"{_quoted(shown)} is a placeholder, not somebody's address")
    return Reading(ContactPoint(kind="email", value=f"{local}@{domain}"))


def _number(text: str, region: str) -> PhoneNumber | None:
    """The text as a number, otherwise the first number in it (`06 12 34 56 78 (mornings)`)."""
    with suppress(NumberParseException):
        number = parse(text, region)
        if is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE:
            return number
    found = PhoneNumberMatcher(text[:_LONGEST], region, leniency=Leniency.POSSIBLE)
    return found.next().number if found.has_next() else None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _is_withheld(text: str) -> bool:
    """A word for hiding, and no number beside it."""
    if len(re.findall(r"\d", text)) >= _SAME_DIGITS_AT_LEAST:
        return False
    return any(map(_WITHHELD.fullmatch, re.findall(r"[^\W\d_]+", text.lower())))


def _is_made_up_number(number: PhoneNumber) -> bool:
    """All one digit, one digit among zeros (06 00 00 00 00), or the digits in order."""
    body = national_significant_number(number).strip("0")
    if len(set(body)) <= 1 and (len(body) >= _SAME_DIGITS_AT_LEAST or len(body) <= 1):
        return True
    return any(body in sequence for sequence in _SEQUENCES)


def _is_made_up_address(local: str, domain: str) -> bool:
    if domain.endswith(".invalid"):
        return True
    label = domain.partition(".")[0]
    if local != label:
        return False
    return len(set(local)) == 1 or bool(_MADE_UP.fullmatch(local) or _WITHHELD.fullmatch(local))
