"""A person sees everything that is kept of them, and then nothing is: in no table, for good."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

from relance.promises import leads as promises
from relance.promises.evidence import Evidence, Ledgers
from services.pipeline import history, leads
from shared.contract import topics
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import ContactErased, LeadBlocked, LeadCreated, LeadErased
from tests.component.pipeline.stand import Stand, lead_made_by, new_phone, received


@dataclass(frozen=True)
class Person:
    """Somebody with a lead; `word` is part of everything that was written of them."""

    lead: str
    phone: str
    word: str


async def _person(stand: Stand) -> Person:
    """Something of the person is in every corner."""
    phone, word = new_phone(), f"Тайный{uuid.uuid4().hex[:8]}"
    asked = received(
        phone=phone,
        email=f"{word.removeprefix('Тайный')}@example.com",
        name=f"Иван {word}",
        text=f"Перезвоните, {word}",
        fields={"niche": f"{word} и сыновья"},
    )
    await stand.receive(asked)
    lead = lead_made_by(asked)
    await stand.events(lead, until=LeadCreated)
    await stand.act(lead, "note", uuid.uuid4().hex, text=f"говорил с {word}")
    await stand.act(lead, "set_fields", fields={"company": f"ООО {word}"})
    person = Person(lead, phone, word)
    await _sent(stand, person)
    return person


async def _sent(stand: Stand, person: Person) -> None:
    sent = NotificationSent(
        notification=str(uuid.uuid4()),
        request=str(uuid.uuid4()),
        to="contact",
        channel="sms",
        template="welcome",
        occasion=uuid.uuid4().hex,
        lead=person.lead,
        address=person.phone,
        text=f"Здравствуйте, {person.word}!",
    )
    await stand.sibling(topics.NOTIFICATIONS, person.lead, sent)
    await stand.quiet()


async def _as(stand: Stand, agent: str, lead: str, act: str, **arguments: Any) -> Any:
    headers = {"authorization": f"Bearer {await stand.key(agent)}"}
    url = f"/api/leads/{lead}/actions"
    return await stand.http.post(url, json={"act": act, **arguments}, headers=headers)


async def _found(stand: Stand, *words: str) -> list[str]:
    """The tables of pipeline that hold any of these words; not of people outside: the directory."""
    tables = await stand.service.postgres.pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'pipeline' AND tablename <> 'directory'"
    )
    names = [row["tablename"] for row in tables]
    patterns = [f"%{word}%" for word in words]
    asked = [
        stand.fetch(
            f'SELECT count(*) FROM pipeline."{name}" t WHERE t::text LIKE ANY($1)', patterns
        )
        for name in names
    ]
    counts = await asyncio.gather(*asked)
    return [name for name, count in zip(names, counts, strict=True) if count]


async def test_everything_that_is_kept_is_handed_out_to_whom_the_rulebook_lets(
    stand: Stand,
) -> None:
    person = await _person(stand)
    lead, phone, word = person.lead, person.phone, person.word
    refused = await _as(stand, "anna", lead, "export_contact")
    assert refused.status_code == 409
    assert [need["rule"] for need in refused.json()["needs"]] == ["house-05"]

    answer = await _as(stand, "boss", lead, "export_contact")

    document = answer.json()["document"]
    assert document["name"] == f"Иван {word}"
    assert phone in [point["value"] for point in document["points"]]
    [kept] = document["leads"]
    told = {(moment["what"], moment["text"]) for moment in kept["history"]}
    assert any(what == "NoteAdded" and word in text for what, text in told)
    sent = [m["data"]["text"] for m in kept["history"] if m["what"] == "NotificationSent"]
    assert sent == [f"Здравствуйте, {word}!"]
    assert all(moment["at"].startswith("20") for moment in kept["history"])
    [exported] = answer.json()["events"]
    assert word not in str(exported)
    shown = (await stand.shown(lead))["history"][-1]
    assert (shown["text"], shown["by"]) == (
        "all that is kept of the contact handed out by Вера Орлова",
        "boss",
    )


async def test_who_is_erased_is_in_no_table_and_what_happened_when_stays(stand: Stand) -> None:
    person = await _person(stand)
    lead, phone, word = person.lead, person.phone, person.word
    await stand.act(lead, "block", channels=["all"], **{"for": "contact"})
    await _as(stand, "boss", lead, "export_contact")
    await stand.quiet()
    assert {"lead", "contact", "lead_history", "answer"} <= set(await _found(stand, word))
    before = await stand.shown(lead)

    answer = await _as(stand, "boss", lead, "erase_contact")
    assert answer.status_code == 200, answer.text
    await stand.events(lead, until=LeadErased)
    await stand.quiet()
    [erased] = [
        e for e in stand.heard if isinstance(e.data, ContactErased) and lead in e.data.leads
    ]
    assert await _found(stand, word.removeprefix("Тайный"), phone) == []

    after = await stand.shown(lead)
    assert (after["name"], after["phone"], after["fields"]) == (None, None, {})
    assert after["status"] == "invalid"
    assert after["erased_at"] is not None
    assert len(after["history"]) > len(before["history"])
    stages = [m["at"] for m in before["history"] if "stage_entered" in m["type"]]
    assert stages[0] in [m["at"] for m in after["history"] if "stage_entered" in m["type"]]
    assert isinstance(erased.data, ContactErased)
    assert erased.data.not_by == ("call", "sms", "email", "chat", "social")

    # Again it is nothing; what comes in late, or is asked for, brings nobody back.
    assert (await _as(stand, "boss", lead, "erase_contact")).json()["events"] == []
    refused = await stand.act(lead, "note", text=f"это был {word}")
    assert [need["condition"] for need in refused.json()["needs"]] == ["erased"]
    await _sent(stand, person)
    assert await _found(stand, word, phone) == []

    async with stand.service.postgres.transaction() as tx:
        stored = await leads.one(tx, lead)
        steps = await history.read_all(tx, [lead])
    evidence = Evidence(Ledgers(records={}, leads={lead: stored}, history=steps))
    assert list(promises.state(evidence)) == []


async def test_who_had_objected_is_not_contacted_when_somebody_brings_them_in_again(
    stand: Stand,
) -> None:
    person = await _person(stand)
    lead, phone = person.lead, person.phone
    await stand.act(lead, "block", channels=["sms"], **{"for": "contact"})
    await _as(stand, "boss", lead, "erase_contact")
    await stand.events(lead, until=LeadErased)

    again = received(phone=phone)
    await stand.receive(again)

    new = lead_made_by(again)
    events = await stand.events(new, until=LeadBlocked)
    blocked = [e.data.channels for e in events if isinstance(e.data, LeadBlocked)]
    assert blocked == [("sms",)]


async def test_somebody_who_writes_while_they_are_erased_is_somebody_new(stand: Stand) -> None:
    person = await _person(stand)
    lead, phone = person.lead, person.phone
    inputs = [received(phone=phone) for _ in range(8)]

    answer, _ = await asyncio.gather(
        _as(stand, "boss", lead, "erase_contact"), stand.receive(*inputs)
    )

    assert answer.status_code == 200, answer.text
    await stand.events(lead, until=LeadErased)
    await stand.quiet()
    assert await stand.fetch("SELECT count(*) FROM quarantine") == 0
    owner = await stand.fetch("SELECT contact FROM contact_point WHERE value = $1", phone)
    state = await stand.fetch("SELECT state::text FROM contact WHERE id = $1", owner)
    assert owner is None or "erased_at" not in state
