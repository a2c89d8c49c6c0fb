"""The audit beside the SMS sandbox's book: what an erased person was told is no false alarm."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import httpx2
import pytest

from relance.audit import audit
from relance.ledgers import read_books
from relance.promises.evidence import Ledgers
from services.notifications import claims, consent, store
from services.notifications.core.delivery import Accepted, release, settle
from services.notifications.handlers import OnPipeline
from shared.contract.envelope import Envelope, Event, derived_id
from shared.contract.pipeline import LeadErased, NotificationRequested
from shared.contract.topics import NOTIFICATIONS, PIPELINE
from shared.domain.lead_number import number_of
from shared.runtime.postgres import Postgres
from tests.component.sandbox_stand import sandbox_of
from tests.stack import Database
from tests.unit.message_house import BOOK, DIRECTORY, agent_is_told, at, contact_is_told, event

NOW = at("2026-03-02T10:00")
KEY = b"a key of the house"
LEAD, OTHER = derived_id("a lead"), derived_id("another lead")
PERSON = ("phone", "+375297654321")
SOMEBODY = ("phone", "+375291234567")


@dataclass
class House:
    """notifications' tables and its sandbox; the test plays pipeline, and the sender's rounds."""

    sessions: Postgres
    url: str
    said: list[Envelope] = field(default_factory=list)
    told: list[Envelope] = field(default_factory=list)

    async def say(self, lead: str, data: Event) -> None:
        """pipeline says it of a lead."""
        said = event(data, NOW, f"{len(self.said)}").model_copy(update={"subject": lead})
        self.said.append(said)
        async with self.sessions.transaction() as tx:
            self.told += await OnPipeline(BOOK, DIRECTORY, KEY)(tx, [said])

    async def send(self) -> None:
        """What is due is handed to the sandbox, one at a time, and recorded."""
        while True:
            async with self.sessions.transaction() as tx:
                claimed = await claims.claim(tx, {"sms": 1}, NOW)
                revoked = await consent.revoked(tx, KEY, claimed)
            if not claimed:
                return
            sending, _ = release(claimed[0], NOW, BOOK, DIRECTORY, revoked=revoked)
            assert sending.content is not None
            body = {"id": sending.id, "to": sending.content.address, "text": sending.content.text}
            async with httpx2.AsyncClient(base_url=self.url, timeout=10) as client:
                (await client.post("/sandbox/sms", json=body)).raise_for_status()
            done, news = settle(sending, Accepted(), NOW, "at_most_once")
            async with self.sessions.transaction() as tx:
                await store.change(tx, [done])
            self.told += news

    async def alarms(self) -> tuple[Sequence[str], int]:
        """What the audit says of messages at the provider, and how many it counts as missing."""
        report = audit(
            Ledgers(
                records={PIPELINE.name: self.said, NOTIFICATIONS.name: self.told},
                leads={},
                delivered=await read_books(None, self.url),
            )
        )
        about = ("nobody has it", "was handed over")
        found = [f.sentence for f in report.findings if any(words in f.sentence for words in about)]
        return found, report.counts["messages_missing"]


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with sandbox_of(database) as (sessions, url):
        yield House(sessions, url)


async def test_what_an_erased_person_was_told_is_not_missed_at_the_sandbox(house: House) -> None:
    await house.say(LEAD, contact_is_told(PERSON, lead=LEAD))
    await house.say(OTHER, contact_is_told(SOMEBODY, lead=OTHER, occasion="two"))
    await house.say(OTHER, _collected(f"звоните по {number_of(LEAD)}"))
    await house.send()
    book = (await read_books(None, house.url))["sms"]
    assert len(book) == 3
    assert await house.alarms() == ([], 0)

    await house.say(LEAD, LeadErased(contact=derived_id("a contact"), by="boss"))

    assert len((await read_books(None, house.url))["sms"]) == 1
    assert await house.alarms() == ([], 0)


async def test_what_anybody_else_was_told_is_missed_there_all_the_same(house: House) -> None:
    await house.say(LEAD, contact_is_told(PERSON, lead=LEAD))
    await house.say(OTHER, contact_is_told(SOMEBODY, lead=OTHER, occasion="two"))
    await house.send()
    await house.say(LEAD, LeadErased(contact=derived_id("a contact"), by="boss"))
    async with house.sessions.transaction() as tx:
        await tx.execute("delete from sandbox_sms")

    found, missing = await house.alarms()

    assert [sentence.endswith("is recorded as sent; nobody has it") for sentence in found] == [True]
    assert missing == 1


def _collected(word: str) -> NotificationRequested:
    """A message to an agent that names somebody's lead, and is of none."""
    asked = agent_is_told("anna", lead=OTHER, occasion="all", values={"word": word})
    return asked.model_copy(update={"lead": None})
