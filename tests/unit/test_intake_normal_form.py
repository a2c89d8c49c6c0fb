"""What arrives becomes one normal event; a lead is not refused for being incomplete."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.intake.core.arrival import Arrival, Refusal, Typed
from services.intake.core.normal_form import Acceptance, normalise, quarantined
from shared.contract.intake import (
    CallFacts,
    ContactPoint,
    InboundIgnored,
    InboundQuarantined,
    LeadReceived,
    MailFacts,
)
from shared.domain.rulebook.source import Source

SITE = Source.model_validate(
    {
        "id": "site",
        "label": "Форма",
        "format": "form",
        "doors": ["http"],
        "site": "minsk",
        "tags": ["amoCRM"],
        "origins": ["https://a.example"],
        "mapping": {"tel": "phone", "mail": "email", "who": "name"},
        "asks": ["name", "phone", "email"],
    }
)
PHONE = Source.model_validate(
    {
        "id": "phone",
        "label": "Звонок",
        "format": "call",
        "doors": ["http"],
        "site": "minsk",
        "secrets": ["env:SECRET"],
    }
)
MAIL = Source.model_validate(
    {
        "id": "mail",
        "label": "Почта",
        "format": "mail",
        "doors": ["smtp"],
        "site": "minsk",
        "mailbox": "Sales@A.example",
    }
)
AT = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)


def acceptance(chance: str = "c", region: str | None = "BY") -> Acceptance:
    return Acceptance(tenant="axelerator", at=AT, region=region, chance=chance, hash_key=b"key")


def form(
    phone: str = "", email: str = "", provider_id: str | None = "1", **more: object
) -> Arrival:
    return Arrival.model_validate(
        {
            "provider_id": provider_id,
            "phones": [Typed(field="tel", text=phone)] if phone else [],
            "emails": [Typed(field="mail", text=email)] if email else [],
            **more,
        }
    )


def received(source: Source, arrival: Arrival, **circumstances: str | None) -> LeadReceived:
    data = normalise(source, arrival, acceptance(**circumstances)).data  # type: ignore[arg-type]  # chance is given as str
    assert isinstance(data, LeadReceived)
    return data


def test_a_form_of_our_own_site_becomes_a_lead_with_the_tag_amocrm() -> None:
    lead = received(SITE, form("8 (029) 123-45-67", "IVAN@Example.com", name=" Иван\n "))
    assert lead.points == (
        ContactPoint(kind="phone", value="+375291234567"),
        ContactPoint(kind="email", value="ivan@example.com"),
    )
    assert (lead.channel, lead.source, lead.site) == ("form", "site", "minsk")
    assert (lead.name, lead.tags, lead.missing) == ("Иван", ("amoCRM",), ())


def test_a_form_without_an_e_mail_is_accepted_and_marked() -> None:
    assert received(SITE, form("+375291234567", name="Иван")).missing == ("email",)


def test_a_mistyped_phone_beside_a_good_e_mail_is_kept_for_a_person_to_read() -> None:
    lead = received(SITE, form("29-12", "i@example.com", text="Позвоните"))
    assert lead.missing == ("phone", "name")
    assert lead.text == "Позвоните\n\ntel: 29-12"


def test_a_form_that_nobody_can_answer_is_refused_by_the_name_of_its_field() -> None:
    with pytest.raises(Refusal) as nothing:
        normalise(SITE, form(), acceptance())
    assert (nothing.value.field, "tel or mail" in nothing.value.sentence) == ("tel", True)
    with pytest.raises(Refusal) as mistyped:
        normalise(SITE, form(email="ivan@"), acceptance())
    assert mistyped.value.field == "mail"


def test_while_the_site_is_unknown_a_full_number_is_read_and_another_is_kept_as_typed() -> None:
    assert received(SITE, form("+375 29 123-45-67"), region=None).points[0].value == "+375291234567"
    kept = received(SITE, form("8 029 123-45-67"), region=None)
    assert (kept.points, kept.text) == ((), "tel: 8 029 123-45-67")
    assert "phone" in kept.missing


def test_a_call_of_a_hidden_number_is_noted_and_makes_no_lead() -> None:
    arrival = Arrival(
        provider_id="c1",
        phones=(Typed(field="from", text="anonymous"),),
        call=CallFacts(outcome="missed"),
    )
    data = normalise(PHONE, arrival, acceptance()).data
    assert isinstance(data, InboundIgnored)
    assert "hides" in data.why


def test_a_mail_from_an_address_that_nobody_reads_is_still_a_lead() -> None:
    arrival = Arrival(
        provider_id="<1@x>",
        emails=(Typed(field="From", text="noreply@portal.example"),),
        text="Иван хочет сайт",
        mail=MailFacts(message_id="<1@x>", mailbox="sales@a.example"),
    )
    lead = received(MAIL, arrival)
    assert (lead.points, lead.missing) == ((), ("email",))
    assert lead.text == "Иван хочет сайт\n\nFrom: noreply@portal.example"


def test_the_same_input_makes_the_same_event_and_another_one_another() -> None:
    first = normalise(SITE, form("+375291234567"), acceptance("a"))
    assert normalise(SITE, form("+375291234567"), acceptance("b")).id == first.id
    other = form("+375291234567", provider_id="2")
    assert normalise(SITE, other, acceptance("a")).id != first.id


def test_without_any_id_of_the_sender_the_content_tells_repeats() -> None:
    one, two, other = (
        normalise(SITE, form("+375291234567", provider_id=None, text=text), acceptance(chance))
        for chance, text in (("a", "x"), ("b", "x"), ("c", "y"))
    )
    keys = [
        envelope.data.dedupe_key
        for envelope in (one, two, other)
        if isinstance(envelope.data, LeadReceived)
    ]
    assert (one.id, two.id) == ("a", "b")
    assert keys[0] == keys[1] != keys[2]


def test_inputs_of_one_person_share_a_key_that_shows_nobodys_number() -> None:
    form_key = normalise(SITE, form("+375291234567"), acceptance()).subject
    call = Arrival(
        provider_id="c1",
        phones=(Typed(field="from", text="80291234567"),),
        call=CallFacts(outcome="missed"),
    )
    assert normalise(PHONE, call, acceptance()).subject == form_key
    assert "291234567" not in form_key


def test_nul_and_control_characters_never_reach_a_database() -> None:
    arrival = form(
        "+375291234567",
        name="И\x00ван",
        text="a\x00b\ud800c\x1b[2J",
        fields={"niche": "\x00кафе"},
        mail=MailFacts(message_id="<1\x00@x>", references=("<\x002@x>",)),
    )
    envelope = normalise(SITE, arrival, acceptance())
    assert b"\\u0000" not in envelope.to_bytes()
    assert b"\\u001b" not in envelope.to_bytes()


def test_a_huge_text_still_fits_on_the_topic() -> None:
    arrival = form("+375291234567", text="\U0001f600" * 2_000_000, fields={"niche": "я" * 99_999})
    assert len(normalise(SITE, arrival, acceptance()).to_bytes()) < 900_000


def test_what_cannot_be_read_names_its_reason() -> None:
    data = quarantined("site", "the body is no JSON", acceptance()).data
    assert isinstance(data, InboundQuarantined)
    assert data.why == "the body is no JSON"


def test_a_persons_inputs_are_in_order_with_each_company_and_unlinked_between_companies() -> None:
    there = replace(acceptance("other"), tenant="elsewhere")
    typed = [form("+375 29 123-45-67", provider_id=each) for each in ("1", "2")]
    first, second = (normalise(SITE, each, acceptance()).subject for each in typed)

    assert first == second
    assert normalise(SITE, typed[0], there).subject != first
