"""Contact points: one form for the same phone or address, none for a placeholder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, example_number_for_type, format_number
from phonenumbers.phonenumberutil import PhoneNumberType

from shared.domain.contact_point import read, read_email, read_phone


@pytest.mark.parametrize(
    ("text", "region", "value"),
    [
        ("8 (029) 123-45-67", "BY", "+375291234567"),
        ("+375 29 123-45-67", "FR", "+375291234567"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("0033 6 12 34 56 78", "FR", "+33612345678"),
        ("tel:+33612345678", "BY", "+33612345678"),
        ("+33 6 12 34 56 78 (private)", "FR", "+33612345678"),
        ("(514) 555-0142", "CA", "+15145550142"),
        ("٠٦١٢٣٤٥٦٧٨", "FR", "+33612345678"),
    ],
)
def test_the_same_phone_has_one_form_however_it_is_written(
    text: str, region: str, value: str
) -> None:
    point = read_phone(text, region).point

    assert point is not None
    assert (point.kind, point.value) == ("phone", value)


@pytest.mark.parametrize(
    "text",
    [
        "0000000000",
        "+33000000000",
        "01 11 11 11 11",
        "06 00 00 00 00",
        "0123456789",
        "9876543210",
        "anonymous",
        "Unknown",
        "numéro masqué",
        "скрытый номер",
        "withheld",
        "+266696687",
        "",
        "12345",
        "call me",
        "9" * 300,
        "+999 99 99 99 99",
    ],
)
def test_a_placeholder_or_a_hidden_number_never_matches_anybody(text: str) -> None:
    reading = read_phone(text, "FR")

    assert reading.point is None
    assert reading.wrong is not None
    assert len(reading.wrong) < 140


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" JO@Example.com ", "jo@example.com"),
        ("ivan@Пример.рф", "ivan@xn--e1afmkfd.xn--p1ai"),
        ("mailto:Lea.Petit+shop@example.fr", "lea.petit+shop@example.fr"),
        ("<jo@example.com>", "jo@example.com"),
        ("karcher@karcher.example", "karcher@karcher.example"),
        ("notreply@example.com", "notreply@example.com"),
    ],
)
def test_the_same_address_has_one_form_however_it_is_written(text: str, value: str) -> None:
    point = read_email(text).point

    assert point is not None
    assert (point.kind, point.value) == ("email", value)


@pytest.mark.parametrize(
    "text",
    [
        "noreply@example.com",
        "no-reply-42@example.com",
        "ne-pas-repondre@example.fr",
        "donotreply@example.com",
        "MAILER-DAEMON@example.com",
        "test@test.com",
        "aaa@aaa.fr",
        "anonymous@anonymous.invalid",
        "anonymous@anonymous.com",
        "jo@localhost",
        "jo@exa mple.com",
        "jo@@example.com",
        "jo",
        "@",
        "",
    ],
)
def test_an_address_nobody_reads_never_matches_anybody(text: str) -> None:
    reading = read_email(text)

    assert reading.point is None
    assert reading.wrong is not None


def test_a_text_with_an_at_is_read_as_an_address_any_other_as_a_phone() -> None:
    address, phone = read("jo@example.com", "FR").point, read("0612345678", "FR").point

    assert address is not None
    assert address.kind == "email"
    assert phone is not None
    assert phone.kind == "phone"


@pytest.mark.parametrize("region", ["FR", "CA", "BY", "RU", "DE", "GB", "US", "BR", "NP", "AU"])
def test_a_real_mobile_is_read_the_same_in_national_and_in_international_form(region: str) -> None:
    number = example_number_for_type(region, PhoneNumberType.MOBILE)
    assert number is not None
    number.national_number = (number.national_number or 0) // 10_000 * 10_000 + 4_271

    national = read_phone(format_number(number, PhoneNumberFormat.NATIONAL), region).point
    international = read_phone(format_number(number, PhoneNumberFormat.INTERNATIONAL), "FR").point

    assert national is not None
    assert national == international


@given(st.text(max_size=80))
def test_any_text_is_either_a_contact_point_or_a_sentence_and_reads_the_same_again(
    text: str,
) -> None:
    reading = read(text, "FR")

    assert (reading.point is None) != (reading.wrong is None)
    if reading.point is not None:
        assert read(reading.point.value, "BY").point == reading.point
