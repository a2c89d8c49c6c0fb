"""Sending for real: each message once, or counted as unknown by name, whatever goes wrong."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from time import monotonic

import httpx2
import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook

from relance.stack.family import frozen
from relance.stack.home import Home
from relance.stack.kafka import Kafka
from relance.stack.mail import Mail
from relance.stack.postgres import Postgres
from services.notifications.providers.sandbox import Sandbox
from shared.contract.directory import Absence
from shared.contract.notifications import (
    NotificationDeferred,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    NotificationUnknown,
)
from shared.contract.pipeline import HandoffRequested, NotificationWithdrawn
from shared.runtime import postgres as database
from tests.component.notifications_stand import FACTORY_SECRET, Answer, Stand, metric
from tests.unit.message_house import DOCUMENTS, agent_is_told, at, contact_is_told, files

MONDAY = at("2026-03-02T10:00")
PHONE = ("phone", "+375291234567")
MAIL = ("email", "ivan@x.example")


@pytest.fixture(scope="module")
async def running(
    home: Home, own_kafka: Kafka, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stand]:
    name = f"notifications_{uuid.uuid4().hex[:8]}"
    postgres.copy_database(name)
    folder = tmp_path_factory.mktemp("notifications")
    (folder / "book" / "templates").mkdir(parents=True)
    for path, text in files().items():
        (folder / "book" / path).write_text(text, encoding="utf-8")
    mail = Mail(home)
    mail.start()
    stand = Stand(
        kafka_at=own_kafka.bootstrap,
        dsn=postgres.dsn("notifications", name),
        rulebook=folder / "book",
        folder=folder,
        mail=mail,
        start=MONDAY,
    )
    try:
        await stand.open(list(DOCUMENTS))
        yield stand
    finally:
        await stand.close()
        mail.stop()
        postgres.drop_database(name)


@pytest.fixture
def stand(running: Stand) -> Stand:
    """Everybody behaves, and it is noon of the coming Monday."""
    running.mail.behave()
    running.sms.next.clear()
    running.sms.on_taken = lambda: None
    week = (running.clock.now() - MONDAY) // timedelta(days=7) + 1
    running.clock.jump(MONDAY + timedelta(days=7 * week, hours=2))
    return running


def new_lead() -> str:
    return str(uuid.uuid4())


async def test_an_agent_is_told_by_sms_and_e_mail_once_each_in_that_order(stand: Stand) -> None:
    lead = new_lead()
    await stand.say(lead, agent_is_told(lead=lead, occasion=lead))
    await stand.say(lead, agent_is_told(lead=lead, occasion=lead))

    sms, mail = await stand.told(lead, NotificationSent, 2)
    await stand.settle()

    assert len(await stand.told(lead, NotificationSent, 2)) == 2
    assert await stand.kept_of(sms.notification, sms.text, sms.address) == 0
    assert await stand.kept_of(mail.notification, "перезвоните", mail.address) == 0
    assert (sms.channel, mail.channel) == ("sms", "email")
    assert stand.sms.taken[sms.notification] == 1
    assert stand.sms.texts[sms.notification] == sms.text == "АС: перезвоните"
    assert stand.sms.token == "Bearer a-token"
    assert sms.provider_id == f"p-{sms.notification[:8]}"
    (caught,) = stand.mails(mail.notification)
    assert (caught["to"], caught["subject"]) == (["anna@small.example"], "Срочно: перезвоните")
    assert caught["text"].strip() == "Анна Соколова, перезвоните"
    assert "<p>перезвоните</p>" in caught["html"]
    assert caught["headers"]["Auto-Submitted"] == "auto-generated"
    assert caught["headers"]["From"] == "Ромашка <crm@small.example>"


async def test_003_06_what_is_held_for_somebody_away_goes_when_they_are_back_earlier(
    stand: Stand,
) -> None:
    lead, noon = new_lead(), stand.clock.now()
    away = Absence(id="oleg", agent="mail-only", begins=noon, ends=noon + timedelta(days=2))
    await stand.know(away)
    await stand.settle()
    await stand.say(lead, agent_is_told("mail-only", lead=lead, occasion=lead))
    (held,) = await stand.told(lead, NotificationDeferred)
    assert (held.why, held.until) == ("absent", away.ends)

    back = noon + timedelta(hours=1)
    await stand.know(away.model_copy(update={"ends": back}))
    await stand.settle()
    early = await stand.told(lead, NotificationSent, 0)
    await stand.until(back)

    (sent,) = await stand.told(lead, NotificationSent)
    assert (early, sent.to) == ([], "mail-only")
    assert len(await stand.told(lead, NotificationDeferred)) == 1
    await stand.know(away.model_copy(update={"withdrawn": True}))


async def test_003_05_what_is_asked_at_night_is_held_and_goes_when_the_site_opens(
    stand: Stand,
) -> None:
    lead, night = new_lead(), stand.clock.now().replace(hour=18)
    stand.clock.jump(night)
    await stand.say(lead, agent_is_told("mail-only", lead=lead, occasion=lead))
    (held,) = await stand.told(lead, NotificationDeferred)
    due = await stand.settle()
    await stand.until(held.until - timedelta(seconds=1))
    early = await stand.told(lead, NotificationSent, 0)
    await stand.until(held.until)

    (sent,) = await stand.told(lead, NotificationSent)
    assert (held.why, held.until, due, early) == (
        "closed",
        night.replace(hour=6) + timedelta(days=1),
        held.until,
        [],
    )
    assert len(stand.mails(sent.notification)) == 1


async def test_what_is_held_and_withdrawn_never_goes(stand: Stand) -> None:
    lead, night = new_lead(), stand.clock.now().replace(hour=18)
    stand.clock.jump(night)
    await stand.say(lead, agent_is_told("mail-only", lead=lead, occasion=lead))
    (held,) = await stand.told(lead, NotificationDeferred)
    await stand.say(lead, NotificationWithdrawn(lead=lead, why="closed"))
    (suppressed,) = await stand.told(lead, NotificationSuppressed)
    await stand.until(night + timedelta(days=1))

    assert suppressed.why == "withdrawn"
    assert stand.mails(held.notification) == []


@pytest.mark.parametrize(
    ("misbehaviour", "asked"),
    [
        (["503", "503"], False),
        (["500 untaken"], True),
        (["500 taken"], True),
        (["cut taken"], True),
        (["slow taken"], True),
    ],
)
async def test_an_sms_provider_that_misbehaves_still_gets_each_sms_once_and_none_is_unknown(
    stand: Stand, misbehaviour: list[Answer], asked: bool
) -> None:
    lead, asked_before = new_lead(), stand.sms.asked
    stand.sms.next += misbehaviour
    await stand.say(lead, contact_is_told(PHONE, lead=lead, occasion=lead))

    (sent,) = await stand.told(lead, NotificationSent)

    assert stand.sms.taken[sent.notification] == 1
    assert (stand.sms.asked > asked_before) is asked
    assert await stand.told(lead, NotificationUnknown, 0) == []


async def test_a_refused_sms_has_failed_and_is_not_tried_again(stand: Stand) -> None:
    lead = new_lead()
    stand.sms.next.append("400")
    await stand.say(lead, contact_is_told(PHONE, lead=lead, occasion=lead))
    (failed,) = await stand.told(lead, NotificationFailed)
    await stand.settle()
    assert "400" in failed.why
    assert stand.sms.taken[failed.notification] == 0


async def test_an_sms_never_taken_has_failed_after_so_many_attempts(stand: Stand) -> None:
    lead = new_lead()
    stand.sms.next += ["503"] * 5
    await stand.say(lead, contact_is_told(PHONE, lead=lead, occasion=lead))
    (failed,) = await stand.told(lead, NotificationFailed)
    assert failed.why.startswith("not taken in 5 attempts: the provider answers 503")


@pytest.mark.parametrize("stage", ["recipient", "data"])
async def test_a_mail_server_that_says_later_gets_the_mail_once(stand: Stand, stage: str) -> None:
    lead = new_lead()
    stand.mail.behave(reply="451", stage=stage, times=2)
    await stand.say(lead, contact_is_told(MAIL, lead=lead, occasion=lead))
    (sent,) = await stand.told(lead, NotificationSent)
    assert len(stand.mails(sent.notification)) == 1
    assert await stand.told(lead, NotificationUnknown, 0) == []


async def test_a_mail_the_server_refuses_has_failed(stand: Stand) -> None:
    lead = new_lead()
    stand.mail.behave(reply="550 No such user", stage="recipient", times=1)
    await stand.say(lead, contact_is_told(MAIL, lead=lead, occasion=lead))
    (failed,) = await stand.told(lead, NotificationFailed)
    assert "550" in failed.why
    assert "No such user" in failed.why


@pytest.mark.parametrize(("keep", "arrived"), [(True, 1), (False, 0)])
async def test_a_mail_without_an_answer_is_not_repeated_to_a_contact_but_named(
    stand: Stand, keep: bool, arrived: int
) -> None:
    lead = new_lead()
    stand.mail.behave(drop_after_data=True, keep=keep, times=1)
    await stand.say(lead, contact_is_told(MAIL, lead=lead, occasion=lead))
    (unknown,) = await stand.told(lead, NotificationUnknown)
    await stand.settle()
    assert unknown.resolution == "assumed_sent"
    assert len(stand.mails(unknown.notification)) == arrived
    assert await stand.told(lead, NotificationSent, 0) == []


@pytest.mark.parametrize(("keep", "arrived"), [(True, 2), (False, 1)])
async def test_an_alert_without_an_answer_goes_again_under_the_same_message_id_and_is_named(
    stand: Stand, keep: bool, arrived: int
) -> None:
    lead = new_lead()
    stand.mail.behave(drop_after_data=True, keep=keep, times=1)
    await stand.say(lead, agent_is_told("mail-only", lead=lead, occasion=lead))
    (sent,) = await stand.told(lead, NotificationSent)
    (unknown,) = await stand.told(lead, NotificationUnknown)
    assert unknown.resolution == "sent_again"
    assert len(stand.mails(sent.notification)) == arrived


async def test_a_mail_server_slower_than_our_patience_leaves_a_named_unknown(stand: Stand) -> None:
    lead = new_lead()
    stand.mail.behave(delay_s=2, times=1)
    await stand.say(lead, agent_is_told("mail-only", lead=lead, occasion=lead))
    (unknown,) = await stand.told(lead, NotificationUnknown)
    (sent,) = await stand.told(lead, NotificationSent)
    assert (unknown.resolution, unknown.notification) == ("sent_again", sent.notification)


async def test_the_sandbox_takes_a_message_once_shows_it_and_can_be_asked(stand: Stand) -> None:
    sessions = database.Postgres(stand.settings.postgres.get_secret_value(), "notifications")
    await sessions.open(10)
    app = FastAPI()
    app.include_router(Sandbox(lambda: sessions).router)
    id_, text = str(uuid.uuid4()), "Звоните <сейчас>:\n+375291234567"
    body = {"id": id_, "to": "+375290000000", "text": text, "sender": "Ромашка"}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        unknown = await http.get(f"/sandbox/sms/{id_}")
        await http.put("/sandbox/behaviour", json={"fail": 1, "drop": 1})
        answers = [(await http.post("/sandbox/sms", json=body)).status_code for _ in range(3)]
        asked = await http.get(f"/sandbox/sms/{id_}")
        (shown,) = (await http.get("/sandbox/messages")).json()
        page = (await http.get("/sandbox")).text
        wrong = await http.post("/sandbox/sms", json={"id": "x"})
    await sessions.close()

    assert (unknown.status_code, answers, asked.status_code) == (404, [503, 500, 201], 200)
    assert (shown["id"], shown["to"], shown["text"], shown["parts"], shown["times"]) == (
        id_,
        "+375290000000",
        text,
        1,
        2,
    )
    assert 'Звоните &lt;сейчас&gt;:\n<a href="tel:+375291234567">+375291234567</a>' in page
    assert "handed over 2 times" in page
    assert wrong.status_code == 422


async def test_a_hand_off_is_signed_and_repeated_until_the_other_system_has_it(
    stand: Stand,
) -> None:
    lead = str(uuid.uuid4())
    stand.factory.told.clear()
    stand.factory.next = [503, 500]
    asked = HandoffRequested(
        target="factory", occasion="cause:1", site="minsk", values={"lead": {"number": "7KQ2T9"}}
    )
    for _ in range(2):
        await stand.say(lead, asked)
    (sent,) = await stand.told(lead, NotificationSent)

    ids = [headers["webhook-id"] for headers, _ in stand.factory.told]
    assert ids == [sent.notification] * 3
    for headers, body in stand.factory.told:
        wanted = Webhook(FACTORY_SECRET).sign(
            headers["webhook-id"],
            datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC),
            body.decode(),
        )
        assert headers["webhook-signature"] == wanted
        assert json.loads(body)["data"]["lead"] == {"number": "7KQ2T9"}


async def test_what_no_address_is_known_for_lies_in_the_sandbox(stand: Stand) -> None:
    lead = str(uuid.uuid4())
    await stand.say(lead, HandoffRequested(target="archive", occasion="1", site="minsk"))
    (sent,) = await stand.told(lead, NotificationSent)
    url = f"{stand.replicas[0].url}/sandbox/webhooks"
    async with httpx2.AsyncClient(trust_env=False) as http:
        handed = (await http.get(f"{url}/messages")).json()
        shown = await http.get(url)

    assert [one["target"] for one in handed if one["id"] == sent.notification] == ["archive"]
    assert "archive" in shown.text


async def test_a_replica_frozen_while_a_mail_is_handed_over_is_counted_as_one_unknown(
    stand: Stand,
) -> None:
    lead = new_lead()
    stand.mail.behave(delay_s=0.8, times=1)
    await stand.say(lead, agent_is_told("mail-only", lead=lead, occasion=lead))
    limit = monotonic() + 10
    while stand.mail.misbehaves or not (holder := stand.holder("email")):
        assert monotonic() < limit, "the mail server never got the whole mail"
    with frozen(holder.child.pid):
        (sent,) = await stand.told(lead, NotificationSent)
    await stand.settle()

    (unknown,) = await stand.told(lead, NotificationUnknown)
    assert unknown.resolution == "sent_again"
    assert await stand.told(lead, NotificationSent) == [sent]
    assert len(stand.mails(sent.notification)) == 2
    unknowns = 'relance_messages_unknown_total{channel="email",resolution="sent_again"}'
    assert [metric(r, unknowns) for r in stand.replicas if r is not holder] >= [1]


async def test_a_replica_killed_just_after_its_sms_was_taken_does_not_make_it_twice(
    stand: Stand,
) -> None:
    lead, asked_before = new_lead(), stand.sms.asked

    def kill_who_sent_it() -> None:
        holder = stand.holder("sms")
        assert holder is not None
        holder.kill()

    stand.sms.next.append("slow taken")
    stand.sms.on_taken = kill_who_sent_it
    await stand.say(lead, contact_is_told(PHONE, lead=lead, occasion=lead))

    (sent,) = await stand.told(lead, NotificationSent)

    assert [replica.child.poll() for replica in stand.replicas].count(None) == 1
    assert stand.sms.taken[sent.notification] == 1
    assert stand.sms.asked > asked_before
    assert await stand.told(lead, NotificationUnknown, 0) == []
