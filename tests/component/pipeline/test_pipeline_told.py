"""What the command line tells of pipeline's database."""

import json
import uuid

import pytest

from relance import dead_letters, explain, key, rulebook_publish
from relance.database import NoDatabase
from relance.dead_letters import NoLetter
from relance.explain import NoLead
from relance.key import NoKey
from relance.redrive import Wish, redrive
from shared.contract import topics
from shared.contract.directory import PublishedRulebook
from shared.contract.pipeline import LeadCreated, TaskCreated
from shared.domain.rulebook.loader import version_of
from tests.component.pipeline.stand import (
    RULEBOOK,
    TENANT,
    Stand,
    eventually,
    lead_made_by,
    new_phone,
    received,
)

ONLY = ("pipeline",)


@pytest.fixture(autouse=True)
def address(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_POSTGRES", stand.settings.postgres.get_secret_value())


async def test_explain_tells_what_came_in_what_followed_and_each_rule_in_its_own_words(
    stand: Stand,
) -> None:
    form = received(phone=new_phone(), text="Нужен сайт и реклама. " * 20)
    lead = lead_made_by(form)
    await stand.receive(form)
    await stand.events(lead, until=TaskCreated)
    await stand.act(lead, "move", to="in_work")
    explanation = await explain.explain(RULEBOOK, lead)
    text = explain.as_text(explanation)
    assert f"Lead {explanation.lead.number}: Иван" in text
    places = [
        text.index(part)
        for part in ("web form from Иван", "new lead", "owner is", "tell ", "REFUSED to Анна")
    ]
    assert places == sorted(places)
    assert "↳ 001-08: «Если была оставлена заявка" in text
    assert "↳ 001-20: «При этом надо заполнить" in text
    assert explanation.book.version in text
    assert max(len(line) for line in text.splitlines()) <= 80


async def test_explain_as_data_names_rule_version_and_agent(stand: Stand) -> None:
    form = received(phone=new_phone())
    lead = lead_made_by(form)
    await stand.receive(form)
    await stand.events(lead, until=TaskCreated)
    await stand.act(lead, "note", text="перезвонить завтра")
    told = json.loads(explain.as_json(await explain.explain(RULEBOOK, lead)))
    assert told["lead"]["id"] == lead
    task = next(each for each in told["history"] if each["event"]["type"] == TaskCreated.type)
    assert (task["rule"], bool(task["says"]), bool(task["version"])) == ("001-08", True, True)
    assert told["history"][-1]["by"] == "anna"


async def test_explain_quotes_the_version_that_decided_and_not_the_one_in_force(
    stand: Stand,
) -> None:
    first, book = rulebook_publish.read(RULEBOOK)
    words = "Если была оставлена заявка"
    assert words in first.files["rulebook.toml"]
    text = first.files["rulebook.toml"].replace(words, "Если нам оставлена заявка")
    files = {**first.files, "rulebook.toml": text}
    second = first.model_copy(update={"files": files, "id": version_of(files)})

    async def lead_decided_by(document: PublishedRulebook) -> str:
        await stand.publish(document)

        async def is_in_force() -> bool:
            async with stand.service.postgres.transaction() as tx:
                return (await stand.service.companies(tx)).of(TENANT).book.version == document.id

        await eventually(is_in_force)
        form = received(phone=new_phone())
        await stand.receive(form)
        await stand.events(lead_made_by(form), until=TaskCreated)
        return lead_made_by(form)

    try:
        by_first, by_second = await lead_decided_by(first), await lead_decided_by(second)
        told = {
            lead: " ".join(explain.as_text(await explain.explain(RULEBOOK, lead)).split())
            for lead in (by_first, by_second)
        }
        as_data = json.loads(explain.as_json(await explain.explain(RULEBOOK, by_first)))
        shown = await stand.shown(by_first)
    finally:
        await lead_decided_by(first)
    later = " ".join(explain.as_text(await explain.explain(RULEBOOK, by_second)).split())

    assert all(f"Rules of {book.name}, version {second.id}" in text for text in told.values())
    assert f"«{words}" in told[by_first]
    assert f"» (version {first.id})" in told[by_first]
    assert "«Если нам оставлена заявка" in told[by_second]
    assert first.id not in told[by_second]
    assert f"version {first.id}" in later
    assert "«Если нам оставлена заявка" in later
    assert f"» (version {second.id})" in later
    task = next(each for each in as_data["history"] if each["event"]["type"] == TaskCreated.type)
    assert (task["version"], task["says_version"]) == (first.id, first.id)
    assert words in task["says"]
    assert any(words in (each["says"] or "") for each in shown["history"])


async def test_explain_of_an_unknown_lead_says_so(stand: Stand) -> None:
    with pytest.raises(NoLead, match="no lead 'NOSUCH'"):
        await explain.explain(RULEBOOK, "NOSUCH")


async def test_a_key_made_by_hand_works_until_it_is_revoked(stand: Stand) -> None:
    made = await key.create(RULEBOOK, "boss", "phone app")
    headers = {"authorization": f"Bearer {made}"}
    assert (await stand.http.get("/api/leads", headers=headers)).status_code == 200
    assert "phone app" in await key.listed(RULEBOOK)
    assert made.rsplit("_", 1)[1] not in await key.listed(RULEBOOK)
    await key.revoke(RULEBOOK, made)
    assert (await stand.http.get("/api/leads", headers=headers)).status_code == 401
    with pytest.raises(NoKey, match="in force"):
        await key.revoke(RULEBOOK, made)


async def test_a_key_for_nobody_is_not_made(stand: Stand) -> None:
    with pytest.raises(NoKey, match=r"'anne'.*anna, boris, boss"):
        await key.create(RULEBOOK, "anne", None)


async def test_what_was_set_aside_is_listed_shown_and_taken_up_again(stand: Stand) -> None:
    form = received(phone=new_phone())
    subject = uuid.uuid4().hex
    broken = form.to_bytes().replace(b'"channel":"form"', b'"channel":"fax"')
    broken = broken.replace(form.subject.encode(), subject.encode())
    await stand.producer.send_and_wait(topics.INTAKE.name, broken, key=b"k")

    async def letter() -> str | None:
        async with stand.service.postgres.transaction() as tx:
            id_ = await tx.fetchval("select id from quarantine where subject = $1", subject)
        return f"pipeline/{id_}" if id_ else None

    async def is_set_aside() -> bool:
        return await letter() is not None

    await eventually(is_set_aside)
    name = await letter()
    assert name is not None
    listed = await dead_letters.listed(services=ONLY)
    assert name in listed
    assert "channel" in listed
    shown = await dead_letters.shown(name)
    assert '"channel": "fax"' in shown
    assert topics.INTAKE.name in shown
    await stand.fetch(
        "update quarantine set value = $1 where subject = $2 returning id", form.to_bytes(), subject
    )
    looked = await redrive(Wish([name]), for_real=False)
    assert name in looked
    assert "1 set aside. Nothing has changed yet: add --yes" in looked
    assert await letter() == name
    assert (await redrive(Wish([name]), for_real=True)).startswith("1 released")
    await stand.events(lead_made_by(form), until=LeadCreated)
    assert await letter() is None


@pytest.mark.parametrize("name", ["12", "pipeline/x", "intake/1", "pipeline/999999"])
async def test_a_dead_letter_that_is_none_is_named(stand: Stand, name: str) -> None:
    with pytest.raises(NoLetter):
        await dead_letters.shown(name)


async def test_a_database_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELANCE_POSTGRES", "postgresql://127.0.0.1:9/relance")
    with pytest.raises(NoDatabase, match=r"127.0.0.1:9 .*RELANCE_POSTGRES"):
        await key.listed(RULEBOOK)
