"""A reply that is nothing but STOP is one, in each language; a sentence with the word is not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from services.intake.core.arrival import Refusal
from services.intake.core.normal_form import Acceptance, normalise
from services.intake.core.wish import Wish, wish_of, wish_of_mail
from services.intake.formats import form, mail, sms
from services.intake.formats.payload import Payload
from shared.contract.envelope import Event
from shared.contract.intake import ContactPoint, LeadReceived, OptInReceived, OptOutReceived
from shared.domain.rulebook.source import Source

LEA = ContactPoint(kind="phone", value="+33612345678")
SMS = Source(id="sms", label="SMS", format="sms", doors=("http",), site="paris", secrets=("env:S",))


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("STOP", "stop"),
        ("stop", "stop"),
        ("  Stop. ", "stop"),
        ("«STOP»", "stop"),
        ("STOP!!!", "stop"),
        ("STOP SMS", "stop"),
        ("stop   all", "stop"),
        ("ＳＴＯＰ", "stop"),
        ("ARRET", "stop"),
        ("Arrêt", "stop"),
        ("Désabonnement", "stop"),
        ("unsubscribe", "stop"),
        ("СТОП", "stop"),
        ("стоп!", "stop"),
        ("Отписаться", "stop"),
        ("START", "start"),
        ("старт", "start"),
        ("", None),
        (None, None),
        ("stop it", None),
        ("Please don't stop", None),
        ("Je passe à l'arrêt de bus", None),
        ("Arrêt cardiaque ?", None),
        ("стоп-кран", None),
        ("Не стоп", None),
        ("STOP STOP by the office at 5", None),
        ("nonstop", None),
        ("stopp", None),
        ("yes", None),
        ("cancel", None),
        ("END", None),
        ("STOP " + "x" * 5000, None),
    ],
)
def test_a_reply_is_a_stop_only_when_it_says_nothing_else(
    text: str | None, wish: Wish | None
) -> None:
    assert wish_of(text) == wish


QUOTED = "> Bonjour Léa,\n> répondez STOP pour ne plus recevoir de messages.\n"


@pytest.mark.parametrize(
    ("subject", "text", "wish"),
    [
        ("Re: Votre demande", f"STOP\n\nLe lun. 2 mars 2026, Conseil a écrit :\n{QUOTED}", "stop"),
        (
            "Re: x",
            f"STOP\n\nOn Mon, 2 Mar 2026 at 10:00, Conseil\n<c@example.com> wrote:\n{QUOTED}",
            "stop",
        ),
        ("Re: x", "Стоп\n\n-- \nИван Петров\n+375 29 123-45-67", "stop"),
        ("Re: x", "STOP\n\n-----Message d'origine-----\nDe : Conseil\nBonjour", "stop"),
        ("Re: x", "Arrêt\n\nDe : Conseil <c@example.com>\nEnvoyé : lundi\nBonjour", "stop"),
        ("unsubscribe", "", "stop"),
        ("Unsubscribe", "unsubscribe\n", "stop"),
        ("Re: x", "start", "start"),
        ("Re: x", f"Merci, à demain\n\nLe lun. 2 mars 2026 :\n{QUOTED}", None),
        ("Re: x", QUOTED, None),
        ("STOP", "Pourquoi ce message ? Rappelez-moi.", None),
        ("Re: STOP", "", None),
        ("Re: x", "STOP\n\nMais rappelez-moi demain.", None),
        (None, None, None),
    ],
)
def test_of_a_mail_only_the_persons_own_words_count(
    subject: str | None, text: str | None, wish: Wish | None
) -> None:
    assert wish_of_mail(subject, text) == wish


def _said(source: Source, arrival: Any) -> Event:
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    acceptance = Acceptance(tenant="t", at=at, region="FR", chance="c", hash_key=b"key")
    return normalise(source, arrival, acceptance).data


def _sms(text: str, **more: object) -> Payload:
    said = {"message_id": "s-1", "from": "06 12 34 56 78", "text": text, **more}
    return Payload("http", "application/json", json.dumps(said).encode())


def test_an_sms_with_stop_is_an_opt_out_of_sms_and_any_other_is_somebody_who_got_in_touch() -> None:
    stop = _said(SMS, sms.read(_sms("Stop")))
    assert isinstance(stop, OptOutReceived)
    assert (stop.channel, stop.points, stop.text) == ("sms", (LEA,), "Stop")

    other = _said(SMS, sms.read(_sms("Rappelez-moi, ne vous arrêtez pas")))
    assert isinstance(other, LeadReceived)
    assert (other.channel, other.points) == ("sms", (LEA,))


def test_the_same_sms_sent_again_is_the_same_opt_out() -> None:
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    ids = {
        normalise(SMS, sms.read(_sms("STOP")), Acceptance("t", at, "FR", chance, b"key")).id
        for chance in ("a", "b")
    }
    assert len(ids) == 1


def test_start_counts_only_where_the_source_may_take_a_consent() -> None:
    assert isinstance(_said(SMS, sms.read(_sms("START"))), LeadReceived)

    allowed = SMS.model_copy(update={"consent": ("sms",)})
    start = _said(allowed, sms.read(_sms("START")))
    assert isinstance(start, OptInReceived)
    assert (start.channels, start.points) == (("sms",), (LEA,))


def test_an_sms_without_a_sender_or_an_id_is_refused_by_the_name_of_the_field() -> None:
    with pytest.raises(Refusal, match="'from'"):
        sms.read(Payload("http", "application/json", b'{"message_id": "s-1", "text": "STOP"}'))
    with pytest.raises(Refusal, match="'message_id'"):
        sms.read(Payload("http", "application/json", b'{"from": "+33612345678", "text": "STOP"}'))


@pytest.mark.parametrize(("portal", "kind"), [(False, OptOutReceived), (True, LeadReceived)])
def test_a_mail_with_stop_is_an_opt_out_of_mail_but_never_a_portals(
    portal: bool, kind: type[Event]
) -> None:
    mailbox = Source(
        id="mail",
        label="Mail",
        format="mail",
        doors=("smtp",),
        site="paris",
        mailbox="conseil@example.com",
        portal=portal,
    )
    message = EmailMessage()
    message["From"] = "Léa <lea@example.com>"
    message["Subject"] = "Re: votre demande"
    message["Message-ID"] = "<m-1@example.com>"
    message.set_content("Stop")

    assert isinstance(_said(mailbox, mail.read(Payload("smtp", "", bytes(message)))), kind)


@pytest.mark.parametrize(
    ("value", "consents"), [("yes", ("call",)), ("on", ("call",)), ("no", ()), ("0", ())]
)
def test_a_box_that_is_ticked_is_a_consent_to_what_the_source_may_take(
    value: str, consents: tuple[str, ...]
) -> None:
    site = Source(
        id="site",
        label="Site",
        format="form",
        doors=("http",),
        site="paris",
        secrets=("env:S",),
        mapping={"tel": "phone", "again": "consent"},
        consent=("call",),
    )
    body = f"tel=0612345678&again={value}".encode()
    read = form.read(site, Payload("http", "application/x-www-form-urlencoded", body))
    said = _said(site, read)

    assert isinstance(said, LeadReceived)
    assert said.consents == consents


def test_a_box_without_channels_is_a_mistake_in_the_rulebook() -> None:
    with pytest.raises(ValueError, match="the channels that it allows"):
        Source(
            id="site",
            label="Site",
            format="form",
            doors=("http",),
            site="paris",
            secrets=("env:S",),
            mapping={"tel": "phone", "again": "consent"},
        )
