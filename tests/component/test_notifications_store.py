"""What SQL stores and selects is what the pure core says: the same cases through both."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from services.notifications import claims, consent, store
from services.notifications.core.consent import Words, heard
from services.notifications.core.consent import revoked as revoked_by
from services.notifications.core.delivery import Accepted, deliver, next_instant, release, settle
from services.notifications.core.message import State
from services.notifications.core.request import handle
from services.notifications.handlers import OnPipeline
from shared.contract.envelope import Envelope, derived_id
from shared.contract.intake import ContactPoint
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import (
    ConsentGiven,
    ConsentRevoked,
    LeadErased,
    NotificationRequested,
    NotificationWithdrawn,
)
from shared.runtime.postgres import Postgres, Transaction
from shared.runtime.subscription import Park
from tests.stack import Database, sessions_of
from tests.unit.message_house import (
    BOOK,
    DIRECTORY,
    agent_is_told,
    at,
    contact_is_told,
    event,
    to_agent,
)

NOW = at("2026-03-02T10:00")
NIGHT = at("2026-03-02T20:00")
LATER = at("2026-03-03T12:00")
CHANNELS: tuple[MessageChannel, ...] = ("sms", "email")
PERSON = ContactPoint(kind="phone", value="+375297654321")
KEY = b"a key of the house"
LEAD = derived_id("a lead")


@pytest.fixture
async def sessions(database: Database) -> AsyncIterator[Postgres]:
    async with sessions_of(database, "notifications") as sessions:
        yield sessions


def said(seed: int, many: int) -> list[Envelope]:
    """What pipeline says of few leads: much of it twice, some of it taken back, by day or night."""
    chance = random.Random(seed)
    told = []
    for number in range(many):
        lead = derived_id("lead", str(chance.randrange(4)))
        occasion = str(chance.randrange(3))
        asked = chance.choice(
            [
                agent_is_told("anna", lead=lead, occasion=occasion),
                agent_is_told("mail-only", lead=lead, occasion=occasion),
                contact_is_told(("phone", "+375291234567"), lead=lead, occasion=occasion),
                NotificationWithdrawn(lead=lead, to=chance.choice([None, "anna"]), why="closed"),
                contact_is_told(("phone", "+375297654321"), lead=lead, occasion=occasion),
                agent_is_told(
                    occasion=f"batch {occasion}", values={"word": "ещё", "lead": {"name": lead}}
                ).model_copy(update={"collect": True, "lead": None}),
                ConsentRevoked(
                    contact=derived_id("a contact"),
                    channels=(chance.choice(["sms", "email"]),),
                    points=(PERSON,),
                    revision=chance.randrange(9),
                ),
                ConsentGiven(
                    contact=derived_id("a contact"),
                    channels=(chance.choice(["sms", "email"]),),
                    points=(PERSON,),
                    revision=chance.randrange(9),
                    why="СТАРТ",
                ),
            ]
        )
        when = (NIGHT if chance.random() < 0.3 else NOW) + timedelta(seconds=number)
        told.append(event(asked, when, str(number)).model_copy(update={"subject": lead}))
    return told


async def sent_by_sql(sessions: Postgres) -> list[Envelope]:
    """Everything due at `LATER`, claimed a few at a time and taken by the provider."""
    told: list[Envelope] = []
    while True:
        before = len(told)
        for channel in CHANNELS:
            async with sessions.transaction() as tx:
                claimed = await claims.claim(tx, {channel: 3}, LATER)
                revoked = await consent.revoked(tx, KEY, claimed)
                for message in claimed:
                    sending, news = release(message, LATER, BOOK, DIRECTORY, revoked=revoked)
                    await store.change(tx, [sending], lease_s=60)
                    if sending.status != "sending":
                        told += news
                        continue
                    done, news = settle(sending, Accepted(), LATER, "at_most_once")
                    await store.change(tx, [done])
                    told += news
        if len(told) == before:
            return told


@pytest.mark.parametrize("seed", range(6))
async def test_the_same_requests_make_the_same_messages_in_sql_and_in_the_core(
    sessions: Postgres, seed: int
) -> None:
    chance, envelopes = random.Random(seed), said(seed, many=60)
    handler = OnPipeline(BOOK, DIRECTORY, KEY)
    state: State = {}
    by_core: list[Envelope] = []
    words: Words = {}
    for envelope in envelopes:
        state, news = handle(state, envelope, BOOK, DIRECTORY)
        by_core += news
        if isinstance(envelope.data, ConsentRevoked | ConsentGiven):
            words = heard(words, envelope.data)
    by_sql: list[Envelope] = []
    while envelopes:
        batch, envelopes = envelopes[: (n := chance.randrange(1, 9))], envelopes[n:]
        async with sessions.transaction() as tx:
            by_sql += await handler(tx, batch)

    async with sessions.transaction() as tx:
        assert await store.load(tx, state, []) == state
        assert await store.earliest(tx) == next_instant(state.values())
    assert by_sql == by_core
    _, sent = deliver(state, LATER, BOOK, DIRECTORY, revoked=revoked_by(words))
    found = await sent_by_sql(sessions)
    assert sorted(e.id for e in found) == sorted(e.id for e in sent)
    for lead in {e.subject for e in sent}:
        assert [e.id for e in found if e.subject == lead] == [
            e.id for e in sent if e.subject == lead
        ]


async def test_two_members_never_hold_the_same_message(sessions: Postgres) -> None:
    envelope = to_agent("mail-only", when=NOW)
    async with sessions.transaction() as tx:
        await OnPipeline(BOOK, DIRECTORY, KEY)(tx, [envelope])
    async with sessions.transaction() as one, sessions.transaction() as other:
        assert len(await claims.claim(one, {"email": 5}, NOW)) == 1
        assert await claims.claim(other, {"email": 5}, NOW) == []


async def test_the_database_itself_refuses_a_second_message_of_the_same_occasion(
    sessions: Postgres,
) -> None:
    async with sessions.transaction() as tx:
        await OnPipeline(BOOK, DIRECTORY, KEY)(tx, [to_agent("mail-only", when=NOW)])
    again = """
        insert into message (id, tenant, recipient, channel, template, occasion, subject, status,
                             request, send_after)
        select gen_random_uuid(), tenant, recipient, channel, template, occasion, subject, status,
               request, send_after from message
    """
    with pytest.raises(asyncpg.UniqueViolationError, match="told_once"):
        async with sessions.transaction() as tx:
            await tx.execute(again)


async def test_a_request_for_somebody_not_known_yet_waits_parked(sessions: Postgres) -> None:
    envelope = to_agent("nobody", when=NOW)
    with pytest.raises(Park, match="'nobody' is not in the directory"):
        async with sessions.transaction() as tx:
            await OnPipeline(BOOK, DIRECTORY, KEY)(tx, [envelope])


async def test_of_a_message_that_has_ended_no_word_is_kept(sessions: Postgres) -> None:
    person = ("phone", "+375297654321")
    asked = _secret(person)
    async with sessions.transaction() as tx:
        await OnPipeline(BOOK, DIRECTORY, KEY)(tx, [event(asked, NOW)])
        assert await _holding(tx, "секрет", person[1]) == 1

    await sent_by_sql(sessions)

    async with sessions.transaction() as tx:
        assert await tx.fetchval("select status from message") == "sent"
        assert await _holding(tx, "секрет", person[1]) == 0


async def test_who_is_erased_is_told_nothing_that_waits_and_shown_in_no_sandbox(
    sessions: Postgres,
) -> None:
    person = ("phone", "+375297654321")
    waits = event(_secret(person), NIGHT)
    erased = event(LeadErased(contact=derived_id("a contact"), by="boss"), NIGHT, "erased")
    handler = OnPipeline(BOOK, DIRECTORY, KEY)
    async with sessions.transaction() as tx:
        await handler(tx, [waits.model_copy(update={"subject": LEAD})])
        await tx.execute(
            "insert into sandbox_sms (id, recipient, sender, text, parts, at) "
            "select id, $1, 'us', 'секрет', 1, now() from message",
            person[1],
        )

    async with sessions.transaction() as tx:
        told = await handler(tx, [erased.model_copy(update={"subject": LEAD})])

    assert [getattr(each.data, "why", None) for each in told] == ["withdrawn"]
    async with sessions.transaction() as tx:
        assert await _holding(tx, "секрет", person[1]) == 0
        assert await tx.fetchval("select count(*) from sandbox_sms") == 0
    assert await sent_by_sql(sessions) == []


def _secret(person: tuple[str, str]) -> NotificationRequested:
    asked = contact_is_told(person, lead=LEAD)
    return asked.model_copy(update={"values": {**asked.values, "word": "секрет"}})


async def _holding(tx: Transaction, *words: str) -> int:
    """How many rows of messages hold any of these words."""
    patterns = [f"%{word}%" for word in words]
    found: int = await tx.fetchval(
        "select count(*) from message m where m::text like any ($1)", patterns
    )
    return found
