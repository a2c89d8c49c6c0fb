"""The doors of intake on real Kafka: accepted means one raw record and one event."""

import asyncio
import base64
import json
import re
import smtplib
import uuid
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from time import monotonic

import aiosmtplib
import pytest

from relance import dead_letters, directory
from relance.dead_letters import NoLetter
from relance.redrive import Wish, redrive
from relance.stack.family import frozen
from relance.stack.kafka import Kafka
from services.intake.app import create
from services.intake.settings import IntakeSettings
from shared.contract import topics
from shared.contract.intake import (
    CallStarted,
    InboundIgnored,
    InboundQuarantined,
    LeadReceived,
    RawReceived,
)
from tests.component.intake_stand import ADMIN, BEARER, HTML, SECRET, SITE_PAGE, Stand, rulebook_in


@pytest.fixture(scope="module")
async def stand(own_kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    tenant = f"doors_{uuid.uuid4().hex[:8]}"
    patch = pytest.MonkeyPatch()
    patch.setenv("RELANCE_SECRET_PHONE", SECRET)
    settings = IntakeSettings.model_validate(
        {
            "kafka": own_kafka.bootstrap,
            "rulebook": rulebook_in(tmp_path_factory.mktemp("doors"), tenant),
            "admin_key": ADMIN,
        }
    )
    intake = create(settings)
    await intake.start()
    stand = Stand(intake, settings, tenant)
    yield stand
    await stand.close()
    patch.undo()


async def test_a_missed_call_is_accepted_as_one_raw_record_and_one_event(stand: Stand) -> None:
    answer = await stand.call()
    assert answer.status_code == 202
    lead = await stand.said(answer.json()["id"])
    assert isinstance(lead, LeadReceived)
    assert lead.call is not None
    assert (lead.source, lead.call.outcome) == ("phone", "missed")
    raws = await stand.raw_of(answer.json()["id"])
    assert [raw.id for raw in raws] == [lead.raw_id]
    assert isinstance(raws[0].data, RawReceived)
    assert json.loads(base64.b64decode(raws[0].data.body_base64))["status"] == "missed"
    assert SECRET not in raws[0].to_bytes().decode()


async def test_a_call_sent_twice_keeps_its_id(stand: Stand) -> None:
    first, second = [await stand.call(call_id="the-same") for _ in range(2)]
    assert first.json() == second.json()


async def test_an_unproven_sender_is_turned_away_and_nothing_is_written(stand: Stand) -> None:
    before = len(await stand.events(topics.INTAKE_RAW))
    for headers in ({}, {"authorization": "Bearer wrong"}, {"x-relance-secret": "wrong"}):
        answer = await stand.http.post("/in/phone", json={}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    assert len(await stand.events(topics.INTAKE_RAW)) == before


async def test_an_unknown_source_and_a_source_of_another_door_are_not_found(stand: Stand) -> None:
    for source in ("nowhere", "telephony", "mail"):
        assert (await stand.http.post(f"/in/{source}", headers=BEARER)).status_code == 404


async def test_what_is_too_large_is_refused_whether_announced_or_not(stand: Stand) -> None:
    large = b"x" * (5 * 1024 * 1024 + 1)

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 1 << 18):
            yield large[start : start + (1 << 18)]

    for content in (large, in_pieces()):
        answer = await stand.http.post("/in/phone", content=content, headers=BEARER)
        assert answer.status_code == 413


async def test_broken_json_is_answered_422_and_kept_with_its_bytes(stand: Stand) -> None:
    answer = await stand.http.post("/in/phone", content=b'{"call_id":', headers=BEARER)
    assert answer.status_code == 422
    quarantined = await stand.said(answer.json()["id"])
    assert isinstance(quarantined, InboundQuarantined)
    assert "no JSON" in quarantined.why
    assert len(await stand.raw_of(answer.json()["id"])) == 1
    letters = await stand.records(topics.DEAD_LETTERS["intake"])
    mine = [one for one in letters if one.key == answer.json()["id"].encode()]
    assert [one.value for one in mine] == [b'{"call_id":']
    assert b"no JSON" in dict(mine[0].headers)["relance-why"]


async def test_a_wrong_field_is_named(stand: Stand) -> None:
    answer = await stand.call(status="vanished")
    assert (answer.status_code, answer.json()["field"]) == (422, "status")


async def test_a_ringing_call_is_told_and_is_no_lead(stand: Stand) -> None:
    answer = await stand.call(status="ringing")
    assert answer.status_code == 202
    assert isinstance(await stand.said(answer.json()["id"]), CallStarted)


async def test_a_browsers_form_lands_on_the_thank_you_page(stand: Stand) -> None:
    answer = await stand.http.post(
        "/in/site",
        data={"name": "Иван", "phone": "+375 29 765-43-21", "email": "ivan@example.com"},
        headers={"origin": SITE_PAGE, **HTML},
    )
    assert answer.status_code == 303
    page = await stand.http.get(answer.headers["location"])
    assert "Спасибо" in page.text
    lead = await stand.said(answer.headers["relance-id"])
    assert isinstance(lead, LeadReceived)
    assert (lead.tags, lead.points[0].value) == (("amoCRM",), "+375297654321")


async def test_a_browser_is_told_in_its_language_what_to_correct(stand: Stand) -> None:
    answer = await stand.http.post(
        "/in/site", data={"name": "Иван"}, headers={"origin": SITE_PAGE, **HTML}
    )
    assert answer.status_code == 422
    assert "укажите телефон" in answer.text


async def test_a_form_of_a_foreign_page_is_turned_away(stand: Stand) -> None:
    answer = await stand.http.post(
        "/in/site", data={"phone": "+375297654321"}, headers={"origin": "https://evil.example"}
    )
    assert answer.status_code == 401


async def test_the_form_page_of_a_source_works_by_itself(stand: Stand) -> None:
    page = await stand.http.get("/in/site/form")
    assert 'name="phone"' in page.text
    answer = await stand.http.post(
        "/in/site", data={"phone": "+375297654321"}, headers={"origin": stand.intake.url, **HTML}
    )
    assert answer.status_code == 303
    assert (await stand.http.get("/in/phone/form")).status_code == 404


async def test_a_script_on_our_page_may_send_json(stand: Stand) -> None:
    asked = await stand.http.options("/in/site", headers={"origin": SITE_PAGE})
    assert asked.headers["access-control-allow-origin"] == SITE_PAGE
    answer = await stand.http.post(
        "/in/site",
        json={"phone": "+375297654321"},
        headers={"origin": SITE_PAGE, "idempotency-key": "click-1"},
    )
    assert answer.status_code == 202
    assert answer.headers["access-control-allow-origin"] == SITE_PAGE


async def test_openapi_documents_the_call(stand: Stand) -> None:
    document = (await stand.http.get("/openapi.json")).json()
    body = document["paths"]["/in/{source}"]["post"]["requestBody"]
    call = body["content"]["application/json"]["schema"]["anyOf"][0]
    assert set(call["required"]) == {"call_id", "status"}


async def mailed(stand: Stand, message: EmailMessage, to: str = "sales@axelerator.example") -> str:
    """The SMTP server's answer."""
    door = stand.intake.smtp
    _, answer = await aiosmtplib.send(
        message, sender="ivan@example.com", recipients=[to], hostname=door.host, port=door.port
    )
    return answer


def a_mail(charset: str = "utf-8", transfer: str = "base64") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Иван <ivan@example.com>"
    message["To"] = "sales@axelerator.example"
    message["Subject"] = "Нужен сайт"
    message["Message-ID"] = f"<{uuid.uuid4().hex}@example.com>"
    message.set_content("Здравствуйте!", charset=charset, cte=transfer)
    return message


@pytest.mark.parametrize(
    ("charset", "transfer"), [("utf-8", "8bit"), ("koi8-r", "8bit"), ("utf-8", "base64")]
)
async def test_a_mail_by_smtp_becomes_one_event(stand: Stand, charset: str, transfer: str) -> None:
    answer = await mailed(stand, a_mail(charset, transfer))
    lead = await stand.said(answer.split()[-1])
    assert isinstance(lead, LeadReceived)
    assert (lead.name, lead.subject, lead.text) == ("Иван", "Нужен сайт", "Здравствуйте!")
    assert len(await stand.raw_of(answer.split()[-1])) == 1


async def test_a_mail_of_html_alone_becomes_text(stand: Stand) -> None:
    message = a_mail()
    message.set_content("<p>Добрый&nbsp;день<br>Иван</p>", subtype="html")
    lead = await stand.said((await mailed(stand, message)).split()[-1])
    assert isinstance(lead, LeadReceived)
    assert lead.text == "Добрый день\nИван"


async def test_a_mail_sent_again_keeps_its_id_and_an_auto_reply_is_no_lead(stand: Stand) -> None:
    message = a_mail()
    assert await mailed(stand, message) == await mailed(stand, message)
    reply = a_mail()
    reply["Auto-Submitted"] = "auto-replied"
    assert isinstance(await stand.said((await mailed(stand, reply)).split()[-1]), InboundIgnored)


async def test_a_mailbox_that_nobody_has_is_refused_at_the_door(stand: Stand) -> None:
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await mailed(stand, a_mail(), "nobody@axelerator.example")
    assert refused.value.recipients[0].code == 550


async def test_an_upstream_system_publishes_calls_and_poison_stops_nobody(stand: Stand) -> None:
    call = {"call_id": f"up-{stand.tenant}", "from": "80291112233", "status": "missed"}
    source = "//telephony.axelerator.example"
    binary = [
        ("ce_specversion", b"1.0"), ("ce_id", b"b1"), ("ce_source", source.encode()),
        ("ce_type", b"call"), ("content-type", b"application/json"), ("broken", b"\xff\xfe"),
    ]  # fmt: skip
    structured = {"specversion": "1.0", "id": "s1", "source": source, "type": "call",
                  "data": {**call, "call_id": call["call_id"] + "-2"}}  # fmt: skip
    await stand.publish(topics.INBOUND_CALLS, b"\x00 poison of " + stand.tenant.encode())
    await stand.publish(topics.INBOUND_CALLS, json.dumps(call).encode(), binary)
    await stand.publish(topics.INBOUND_CALLS, json.dumps(call).encode(), binary)
    await stand.publish(topics.INBOUND_CALLS, json.dumps(structured).encode())

    def published(envelope: object) -> bool:
        return getattr(getattr(envelope, "data", None), "source", None) == "telephony"

    async with asyncio.timeout(20):
        while len(leads := await stand.wait_for(published)) < 3:
            continue
    assert len({lead.id for lead in leads}) == 2
    letters = await stand.records(topics.DEAD_LETTERS["intake"])
    mine = [one for one in letters if stand.tenant.encode() in (one.value or b"")]
    assert [dict(one.headers)["relance-topic"] for one in mine] == [b"inbound.calls.v1"]


async def test_the_site_of_the_directory_tells_how_numbers_are_dialled(stand: Stand) -> None:
    key = {"authorization": f"Bearer {ADMIN}"}
    site = {"name": "Минск", "zone": "Europe/Minsk", "region": "BY", "calendar": "minsk"}
    assert (await stand.http.put("/directory/site/minsk", json=site)).status_code == 401
    before = await stand.call(**{"from": "8 029 123-45-67"})
    stored = await stand.http.put("/directory/site/minsk", json=site, headers=key)
    assert stored.status_code == 200
    after = await stand.call(**{"from": "8 029 123-45-67"})
    unknown = await stand.said(before.json()["id"])
    assert isinstance(unknown, LeadReceived)
    assert (unknown.points, unknown.text) == ((), "from: 8 029 123-45-67")
    known = await stand.said(after.json()["id"])
    assert isinstance(known, LeadReceived)
    assert known.points[0].value == "+375291234567"
    offset = stored.json()["offset"]
    got = await stand.http.get(f"/directory/site/minsk?min_offset={offset}", headers=key)
    assert got.json()["zone"] == "Europe/Minsk"
    assert (await stand.http.get("/directory", headers=key)).json()["site"] == [got.json()]


async def test_a_directory_file_is_applied_once_and_says_what_it_changed(
    stand: Stand, tmp_path: Path
) -> None:
    def applied(file: Path) -> list[str]:
        return [str(change) for change in directory.apply(file, stand.intake.url, ADMIN)]

    def with_another_mobile() -> Path:
        text = example.read_text(encoding="utf-8").replace("+375291000001", "+375291000009")
        (tmp_path / "directory.toml").write_text(text, encoding="utf-8")
        return tmp_path / "directory.toml"

    example = Path("rulebooks/axelerator/directory.toml")
    first = await asyncio.to_thread(applied, example)
    assert "agent anna: new" in first
    assert {line.rpartition(" ")[2] for line in await asyncio.to_thread(applied, example)} == {
        "unchanged"
    }
    again = await asyncio.to_thread(applied, with_another_mobile())
    assert "agent anna: changed (mobile)" in again
    with pytest.raises(directory.DirectoryError, match="admin key"):
        await asyncio.to_thread(directory.apply, example, stand.intake.url, "wrong")


@pytest.mark.parametrize(
    ("change", "field"),
    [({"zone": "Mars"}, "zone"), ({"region": "XX"}, "region"), ({"colour": "red"}, "colour"),
     ({"calendar": None}, "calendar"), ({"settings": {"first_response": "2h"}}, "settings"),
     ({"id": "paris"}, "id")],
)  # fmt: skip
async def test_a_wrong_directory_document_is_refused_by_its_field(
    stand: Stand, change: dict[str, object], field: str
) -> None:
    site = {"name": "M", "zone": "Europe/Minsk", "region": "BY", "calendar": "minsk", **change}
    answer = await stand.http.put(
        "/directory/site/lida", json=site, headers={"authorization": f"Bearer {ADMIN}"}
    )
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(("name", "why"), [("A\0B", "NUL"), ("A" * 950_000, "900 KB")])
async def test_a_document_that_no_service_would_take_up_is_not_promised(
    stand: Stand, name: str, why: str
) -> None:
    key = {"authorization": f"Bearer {ADMIN}"}
    agent = {"name": name, "initials": "A", "site": "minsk"}
    answer = await stand.http.put("/directory/agent/nobody", json=agent, headers=key)
    assert answer.status_code == 422
    assert why in answer.json()["detail"]
    assert (await stand.http.get("/directory/agent/nobody", headers=key)).status_code == 404


async def test_what_came_in_wrongly_is_listed_with_its_reason_and_shown_with_its_bytes(
    stand: Stand,
) -> None:
    assert (await stand.call(status="vanished", call_id="c-lost")).status_code == 422
    kafka = stand.settings.kafka
    listed = await dead_letters.listed(kafka, services=())
    last = re.findall(r"^intake/\d+", listed, re.MULTILINE)[-1]
    assert "from phone by http\n    field 'status': Input should be" in listed
    assert '"call_id": "c-lost"' in await dead_letters.shown(last, kafka)
    with pytest.raises(NoLetter, match="its sender mends it"):
        await redrive(Wish([last]), for_real=True)


async def test_while_kafka_is_away_nothing_is_promised_and_a_retry_counts_once(
    stand: Stand, own_kafka: Kafka
) -> None:
    pid = own_kafka.pid
    assert pid is not None
    with frozen(pid):
        start = monotonic()
        answer, mail = await asyncio.gather(
            stand.call(call_id="during-the-outage"), mailed(stand, a_mail()), return_exceptions=True
        )
        waited_s = monotonic() - start
    assert not isinstance(answer, BaseException)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert waited_s < 7
    assert isinstance(mail, aiosmtplib.SMTPDataError)
    assert mail.code == 451
    async with asyncio.timeout(20):
        while (again := await stand.call(call_id="during-the-outage")).status_code != 202:
            continue
    ids = {event.id for event in await stand.events() if event.id == again.json()["id"]}
    assert ids == {again.json()["id"]}


async def test_a_source_that_floods_is_told_to_come_back(stand: Stand) -> None:
    buckets = stand.intake.buckets
    buckets.rate_per_s, buckets.burst = 0.5, 1.0
    try:
        answers = [await stand.call() for _ in range(2)]
    finally:
        buckets.rate_per_s, buckets.burst = 100.0, 1000.0
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"] == "2"


async def test_a_bad_smtp_command_ends_in_no_traceback(stand: Stand) -> None:
    door = stand.intake.smtp

    def talk() -> int:
        with smtplib.SMTP(door.host, door.port, timeout=5) as client:
            client.ehlo("x")
            return client.docmd("DATA")[0]

    assert await asyncio.to_thread(talk) == 503
