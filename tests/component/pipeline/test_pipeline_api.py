import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.contract import topics
from shared.contract.intake import InvitationAnswered
from shared.contract.pipeline import (
    ActionRefused,
    DeadlineSet,
    LeadCreated,
    LeadLinked,
    NoteAdded,
    StageEntered,
    TaskCreated,
)
from shared.contract.reminders import DeadlinePlanned
from tests.component.pipeline.stand import (
    Stand,
    envelope_of,
    is_dense,
    lead_made_by,
    new_phone,
    received,
    types,
)


async def test_a_refused_move_names_every_missing_field_and_changes_nothing(stand: Stand) -> None:
    lead = await _new_lead(stand)
    before = await stand.shown(lead)
    answer = await stand.act(lead, "move", to="in_work")
    problem = answer.json()
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    [need] = problem["needs"]
    assert (need["rule"], need["condition"], need["missing"]) == ("001-20", "filled", ["platform"])
    assert "«Площадка»" in need["says"]
    assert need["satisfied_by"]
    events = await stand.events(lead, until=ActionRefused)
    assert types(events).count("StageEntered") == 1
    after = await stand.shown(lead)
    assert after["history"].pop()["text"].startswith("REFUSED to Анна Соколова: move")
    assert after == before


async def test_the_move_is_done_once_the_field_is_filled(stand: Stand) -> None:
    lead = await _new_lead(stand)
    assert (await stand.act(lead, "set_fields", fields={"platform": "amocrm"})).status_code == 200
    answer = await stand.act(lead, "move", to="in_work")
    assert answer.status_code == 200
    done = answer.json()
    assert (done["lead"]["stage"], done["lead"]["stage_label"]) == ("in_work", "Взята в работу")
    assert done["events"][0]["data"]["by"] == "anna"
    because = [event["because"] for event in done["events"] if "task.created" in event["type"]]
    assert [each["rule"] for each in because] == ["001-23"]
    events = await stand.events(lead, until=StageEntered, times=2)
    assert is_dense(events)


async def test_a_repeated_action_gets_the_same_answer_and_has_one_effect(stand: Stand) -> None:
    lead, key = await _new_lead(stand), uuid.uuid4().hex
    answers = await asyncio.gather(*(stand.act(lead, "note", key, text="once") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    await stand.act(lead, "note", text="end")
    events = await stand.events(lead, until=NoteAdded, times=2)
    assert [e.data.text for e in events if isinstance(e.data, NoteAdded)] == ["once", "end"]


async def test_a_key_used_again_after_its_answer_was_forgotten_is_a_new_action(
    stand: Stand,
) -> None:
    lead, key = await _new_lead(stand), uuid.uuid4().hex
    assert (await stand.act(lead, "note", key, text="in March")).status_code == 200
    await stand.fetch("delete from answer where key = $1", key)
    assert (await stand.act(lead, "note", key, text="in May")).status_code == 200
    events = await stand.events(lead, until=NoteAdded, times=2)
    notes = [e for e in events if isinstance(e.data, NoteAdded)]
    assert [e.data.text for e in notes if isinstance(e.data, NoteAdded)] == ["in March", "in May"]
    assert notes[0].id != notes[1].id
    assert is_dense(events)


async def test_a_repeated_refusal_is_the_same_refusal(stand: Stand) -> None:
    lead, key = await _new_lead(stand), uuid.uuid4().hex
    first = await stand.act(lead, "move", key, to="in_work")
    await stand.act(lead, "set_fields", fields={"platform": "amocrm"})
    second = await stand.act(lead, "move", key, to="in_work")
    assert (first.status_code, first.text) == (409, second.text)
    assert (await stand.act(lead, "move", to="in_work")).status_code == 200


async def test_an_idempotency_key_is_not_taken_for_another_request(stand: Stand) -> None:
    lead, key = await _new_lead(stand), uuid.uuid4().hex
    assert (await stand.act(lead, "note", key, text="one")).status_code == 200
    answer = await stand.act(lead, "note", key, text="two")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_actions_and_events_on_one_lead_at_once_stay_in_order(stand: Stand) -> None:
    """Events on the lead's contact points, firings and actions of two agents cross each other."""
    people = [(new_phone(), f"{uuid.uuid4().hex}@example.com") for _ in range(5)]
    forms = [received(phone=phone, email=email) for phone, email in people]
    await stand.receive(*forms)
    leads = [lead_made_by(form) for form in forms]
    for lead in leads:
        await stand.events(lead, until=LeadCreated)

    async def write_again(number: int) -> None:
        for phone, email in people[number:] + people[:number]:
            again = [received(phone=phone), received(email=email), received(email=email)]
            await stand.receive(*again, partition=number)

    theirs = list(zip(leads, people, strict=True))

    async def act(number: int) -> list[int]:
        answers = [
            await stand.act(lead, "set_fields", fields={"email": email, "niche": str(number)})
            for lead, (_, email) in (theirs[::-1] if number % 2 else theirs)
        ]
        return [answer.status_code for answer in answers]

    async def plan(lead: str) -> None:
        for _ in range(10):
            planned = DeadlinePlanned(
                name="x", deadline_set=str(uuid.uuid4()), due_at=datetime.now(UTC)
            )
            await stand.sibling(topics.REMINDERS, lead, planned)

    deadlocks = await stand.fetch(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )
    statuses = await asyncio.gather(
        *(act(number) for number in range(8)),
        *(write_again(number) for number in range(5)),
        *(plan(lead) for lead in leads),
    )
    await stand.quiet()
    assert {status for each in statuses if each for status in each} == {200}
    for lead in leads:
        events = await stand.events(lead, until=LeadLinked, times=15)
        assert is_dense(events)
        times = [event.time for event in events]
        assert times == sorted(times)
    assert deadlocks == await stand.fetch(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )


async def test_a_phone_that_somebody_else_has_makes_one_person_of_both(stand: Stand) -> None:
    phone = new_phone()
    theirs, lead = await _new_lead(stand, phone=phone), await _new_lead(stand)
    answer = await stand.act(lead, "set_fields", fields={"phone": phone})
    assert answer.status_code == 200
    assert (await stand.shown(lead))["status"] == "invalid"
    kept = await stand.shown(theirs)
    assert kept["status"] == "open"
    await stand.events(theirs, until=LeadLinked)


async def test_a_phone_typed_by_an_agent_finds_the_lead_next_time(stand: Stand) -> None:
    lead, phone = await _new_lead(stand), new_phone()
    local = f"8 0{phone[4:6]} {phone[6:9]}-{phone[9:]}"
    assert (await stand.act(lead, "set_fields", fields={"phone": local})).status_code == 200
    await stand.receive(received(phone=phone, channel="call", source="phone"))
    await stand.events(lead, until=LeadLinked)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"act": "move"}, "to"),
        ({"act": "dance"}, "act"),
        ({"act": "note", "text": "x", "colour": "red"}, "colour"),
        ({"act": "set_fields", "fields": {}}, "fields"),
        ({"act": "set_fields", "fields": {"company": "Ж" * 2_001}}, "fields.company"),
        ({"act": "complete_task", "task": "call_back", "note": "x" * 10_001}, "note"),
        ({}, "act"),
        ({"act": "note", "text": "a\u0000b"}, "text"),
    ],
)
async def test_a_wrong_action_is_answered_with_the_field_that_is_wrong(
    stand: Stand, body: dict[str, Any], field: str
) -> None:
    lead = await _new_lead(stand)
    answer = await stand.http.post(f"/api/leads/{lead}/actions", json=body)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (422, 422)
    assert field in problem["errors"][0]["field"] + problem["errors"][0]["message"]
    assert problem["instance"] == f"/api/leads/{lead}/actions"


@pytest.mark.parametrize("key", ["", "rl_nonsense", f"rl_{'0' * 10}_{'f' * 64}"])
async def test_without_a_valid_key_nothing_is_told(stand: Stand, key: str) -> None:
    headers = {"authorization": f"Bearer {key}" if key else ""}
    answer = await stand.http.get("/api/leads", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_revoked_key_opens_nothing_any_more(stand: Stand) -> None:
    key = await stand.key("boris")
    headers = {"authorization": "", "x-api-key": key}
    assert (await stand.http.get("/api/leads", headers=headers)).status_code == 200
    await stand.revoke(key)
    assert (await stand.http.get("/api/leads", headers=headers)).status_code == 401


async def test_a_key_of_nobody_or_of_another_company_is_refused(stand: Stand) -> None:
    for key in (await stand.key("ghost"), await stand.key("anna", tenant="elsewhere")):
        answer = await stand.http.get("/api/leads", headers={"authorization": f"Bearer {key}"})
        assert answer.status_code == 403


async def test_the_secret_of_a_key_is_not_in_the_database(stand: Stand) -> None:
    secret = (await stand.key("anna")).rsplit("_", 1)[1]
    rows = await stand.fetch("select string_agg(k::text, ' ') from api_key k")
    assert secret not in rows


async def test_an_unknown_lead_is_not_found(stand: Stand) -> None:
    for lead in (str(uuid.uuid4()), "ZZZZZZ"):
        assert (await stand.http.get(f"/api/leads/{lead}")).status_code == 404
        assert (await stand.act(lead, "note", text="x")).status_code == 404


async def test_a_lead_is_found_by_its_number_and_tells_its_story(stand: Stand) -> None:
    lead = await _new_lead(stand, text="Нужен сайт")
    number = (await stand.shown(lead))["number"]
    shown = await stand.shown(number.lower())
    assert shown["id"] == lead
    assert [task["task"] for task in shown["tasks"]] == ["call_back"]
    told = [(moment["rule"], moment["text"]) for moment in shown["history"]]
    assert told[0][1].startswith("web form from Иван")
    assert ("001-18", "stage «Новая заявка»") in told
    owner = next(text for rule, text in told if rule == "house-01")
    assert owner in ("owner is Анна Соколова", "owner is Борис Левин")
    says = {moment["rule"]: moment["says"] for moment in shown["history"]}
    assert says["001-08"].startswith("Если была оставлена заявка с сайта")
    assert shown["history"][0]["at"].endswith("+03:00")


async def test_leads_are_listed_newest_first_page_by_page(stand: Stand) -> None:
    name = f"Пётр-{uuid.uuid4().hex[:8]}"
    leads = [await _new_lead(stand, name=name) for _ in range(5)]
    found: list[str] = []
    cursor: str | None = None
    while True:
        asked = {"q": name.upper(), "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await stand.http.get("/api/leads", params=asked)).json()
        found += [lead["id"] for lead in page["leads"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == leads[::-1]


async def test_lists_can_be_narrowed_to_owner_status_and_stage(stand: Stand) -> None:
    name = f"Зоя-{uuid.uuid4().hex[:8]}"
    mine, closed = await _new_lead(stand, name=name), await _new_lead(stand, name=name)
    await stand.act(mine, "assign", to="anna")
    await stand.act(closed, "assign", to="boris")
    await stand.act(closed, "attach", kind="letter", status="received")
    await stand.act(closed, "close", status="lost", reason="refused", evidence="letter")

    async def listed(**asked: str) -> list[str]:
        answer = await stand.http.get("/api/leads", params={"q": name, **asked})
        assert answer.status_code == 200, answer.text
        return [lead["id"] for lead in answer.json()["leads"]]

    assert await listed(owner="me") == [mine]
    assert await listed(status="lost", stage="refused") == [closed]
    assert await listed(owner="boris", status="open") == []
    assert await listed(q="%") == []


async def test_what_is_due_is_listed_by_urgency_page_by_page_and_per_manager(stand: Stand) -> None:
    name = f"Ума-{uuid.uuid4().hex[:8]}"
    leads = [await _new_lead(stand, name=name) for _ in range(4)]
    now = datetime.now(UTC)
    for lead, hours in zip(leads[:3], (3, 1, 2), strict=True):
        [deadline, *_] = [
            event
            for event in await stand.events(lead, until=DeadlineSet)
            if isinstance(event.data, DeadlineSet)
        ]
        assert isinstance(deadline.data, DeadlineSet)
        planned = DeadlinePlanned(
            name=deadline.data.name,
            deadline_set=deadline.id,
            due_at=now + timedelta(hours=hours),
        )
        await stand.sibling(topics.REMINDERS, lead, planned)
    await stand.quiet()

    async def page(**asked: str) -> dict[str, Any]:
        params = {"q": name, "order": "urgency", **asked}
        found: dict[str, Any] = (await stand.http.get("/api/leads", params=params)).json()
        return found

    first = await page(limit="2")
    second = await page(limit="2", cursor=first["next"])
    listed = [lead["id"] for lead in first["leads"] + second["leads"]]
    assert listed == [leads[1], leads[2], leads[0]]
    assert second["next"] is None
    assert len((await page(manager="boss"))["leads"]) == 3
    assert (await page(manager="boris", owner="anna"))["leads"] == []


async def test_an_appointment_is_booked_moved_and_its_invitation_answered(stand: Stand) -> None:
    lead = await _new_lead(stand)
    booked = await stand.act(lead, "book", start="2099-03-26T10:00", lasts="45m")
    assert booked.status_code == 200, booked.text
    again = await stand.act(lead, "book", start="2099-03-27T10:00")
    assert (again.status_code, again.json()["needs"][0]["missing"]) == (409, ["appointment"])
    await stand.act(lead, "move_appointment", start="2099-03-27T10:00")
    [appointment] = (await stand.shown(lead))["appointments"]
    assert appointment["starts_at"] == "2099-03-27T07:00:00Z"
    assert appointment["ends_at"] == "2099-03-27T07:45:00Z"
    for revision, answer in ((0, "declined"), (1, "accepted")):
        data = InvitationAnswered.model_validate(
            {
                "source": "mail",
                "appointment": appointment["id"],
                "answer": answer,
                "revision": revision,
            }
        )
        await stand.receive(envelope_of(data, subject=appointment["id"], source="/intake"))
    await stand.quiet()

    shown = await stand.shown(lead)
    assert shown["appointments"][0]["answer"] == "accepted"
    told = [moment["text"] for moment in shown["history"]]
    assert any("accepted the invitation" in text for text in told)


@pytest.mark.parametrize(
    "asked", [{"limit": "0"}, {"cursor": "zzz"}, {"status": "dead"}, {"colour": "red"}]
)
async def test_a_wrong_filter_is_named(stand: Stand, asked: dict[str, str]) -> None:
    answer = await stand.http.get("/api/leads", params=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(asked))


async def test_the_api_describes_itself(stand: Stand) -> None:
    document = (await stand.http.get("/openapi.json")).json()
    action = document["paths"]["/api/leads/{lead}/actions"]["post"]
    assert "application/problem+json" in action["responses"]["409"]["content"]
    assert {"HTTPBearer"} in [set(way) for way in action["security"]]
    assert action["requestBody"]["content"]["application/json"]["examples"]["move"]


async def _new_lead(stand: Stand, **facts: Any) -> str:
    form = received(**{"phone": new_phone(), **facts})
    lead = lead_made_by(form)
    await stand.receive(form)
    await stand.events(lead, until=TaskCreated)
    return lead
