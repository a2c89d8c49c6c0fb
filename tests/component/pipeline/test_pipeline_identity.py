"""One person, one contact, on real PostgreSQL: found out later, all at once, and taken back."""

import asyncio
import itertools
import random
import uuid
from pathlib import Path
from typing import Any

from relance import directory as directory_file
from services.pipeline.handlers import Handler
from shared.contract.envelope import Envelope
from shared.contract.intake import CallFacts, ContactPoint, LeadReceived
from shared.contract.pipeline import (
    LeadInvalidated,
    LeadLinked,
    LeadReopened,
    LeadUnlinked,
    NotificationRequested,
)
from shared.domain.directory import Directory
from shared.runtime import metrics, rulebook_folder
from shared.runtime.postgres import Transaction
from tests.component.pipeline.stand import (
    Stand,
    envelope_of,
    is_dense,
    lead_made_by,
    new_phone,
    received,
)

DEALER = Path("rulebooks/car_bdc")
PEOPLE = 30
FACTS = 5


async def test_an_email_typed_later_makes_one_contact_of_two_and_it_can_be_undone(
    stand: Stand,
) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    older, newer = received(email=email), received(phone=new_phone())
    await stand.receive(older)
    kept = lead_made_by(older)
    await stand.events(kept, until=NotificationRequested)
    await stand.receive(newer)
    double = lead_made_by(newer)
    await stand.events(double, until=NotificationRequested)

    answer = await stand.act(double, "set_fields", fields={"email": email.upper()})
    assert answer.status_code == 200, answer.text
    assert is_dense(await stand.events(double, until=LeadInvalidated))
    assert await _contacts_of(stand, kept, double) == 1
    assert (await stand.shown(double))["status"] == "invalid"

    answer = await stand.act(kept, "unlink")
    assert answer.status_code == 200, answer.text
    assert is_dense(await stand.events(double, until=LeadReopened))
    assert await stand.events(double, until=LeadUnlinked)
    assert await _contacts_of(stand, kept, double) == 2
    assert (await stand.shown(double))["status"] == "open"
    again = received(email=email)
    await stand.receive(again)
    await stand.quiet()
    assert await stand.fetch("select count(*) from lead where id = $1", lead_made_by(again)) == 0


async def test_whatever_of_a_person_arrives_at_the_same_moment_there_is_one_contact(
    stand: Stand,
) -> None:
    handler = Handler(rulebook_folder.read(DEALER), _dealer(), b"key", asyncio.Lock())
    people = [(_phone(), _email(), _email()) for _ in range(PEOPLE)]
    dice = random.Random(7)
    inputs = [each for person in people for each in dice.sample(_facts(*person), FACTS)]
    deadlocks = metrics.BAD_LUCK.labels(kind="DeadlockDetectedError")
    before = deadlocks._value.get()

    await asyncio.gather(*(_taken(stand, handler, each) for each in inputs))

    for person in people:
        contact = await stand.fetch(
            "select array_agg(distinct contact::text) from contact_point where value = any($1)",
            list(person),
        )
        assert len(contact) == 1
        leads = await stand.service.postgres.pool.fetch(
            "select contact::text, status, owner, state->>'channel' as channel from lead"
            " where words ~ any($1)",
            [value.replace("+", "") for value in person],
        )
        assert {lead["contact"] for lead in leads} == set(contact)
        open_ones = [lead for lead in leads if lead["status"] == "open"]
        assert [lead["owner"] for lead in open_ones] == ["anna"]
    empty = await stand.fetch(
        "select count(*) from contact c where tenant = 'car_bdc'"
        " and not exists (select from lead where contact = c.id)"
        " and exists (select from contact_point where contact = c.id)"
    )
    assert empty == 0
    assert deadlocks._value.get() == before


async def test_the_same_form_twice_at_once_without_ids_is_one_lead_even_once_it_is_closed(
    stand: Stand,
) -> None:
    phone, words = new_phone(), f"v1:{uuid.uuid4().hex}"
    both = [received(phone=phone, dedupe_key=words) for _ in range(2)]

    for partition, each in enumerate(both):
        await stand.receive(each, partition=partition)
    await stand.quiet()

    made = "select count(*) from lead where id = any($1::uuid[])"
    assert await stand.fetch(made, [lead_made_by(each) for each in both]) == 1
    lead = await stand.fetch(
        "select id::text from lead where id = any($1::uuid[])", [lead_made_by(one) for one in both]
    )
    linked = (await stand.events(lead, until=LeadLinked))[-1].data
    assert isinstance(linked, LeadLinked)
    assert linked.repeats is not None

    answer = await stand.act(lead, "close", status="invalid")
    assert answer.status_code == 200, answer.text
    later = received(phone=phone, dedupe_key=words)
    await stand.receive(later)
    await stand.events(lead, until=LeadLinked, times=2)
    assert await stand.fetch(made, [lead_made_by(later)]) == 0


async def _taken(stand: Stand, handler: Handler, envelope: Envelope) -> None:
    """One input in a transaction of its own, as one of many members would take it."""

    async def work(tx: Transaction) -> None:
        await handler(tx, [envelope])

    await stand.service.postgres.retried(work, patience_s=30)


def _dealer() -> Directory:
    return Directory.of(directory_file.read(DEALER / "directory.toml"))


async def _contacts_of(stand: Stand, *leads: str) -> int:
    number: int = await stand.fetch(
        "select count(distinct contact) from lead where id = any($1::uuid[])", list(leads)
    )
    return number


_numbers = itertools.count(2_000_000)


def _email() -> str:
    return f"{uuid.uuid4().hex}@example.com"


def _phone() -> str:
    return f"+1514{next(_numbers):07}"


def _facts(phone: str, *emails: str) -> list[Envelope]:
    """Signs of one person: a phone-up, a portal's mails, and forms that name two points each; no
    one of them names all three."""
    first, second = (("email", email) for email in emails)
    call = CallFacts(outcome="answered", answered_by="anna")
    return [
        _said([("phone", phone)], channel="call", source="telephone", call=call),
        _said([first], channel="email", source="portal"),
        _said([second], channel="email", source="portal"),
        _said([("phone", phone), first], channel="form", source="site"),
        _said([first, second], channel="form", source="site"),
    ]


def _said(points: list[tuple[Any, str]], **facts: Any) -> Envelope:
    known = tuple(ContactPoint(kind=kind, value=value) for kind, value in points)
    data = LeadReceived(site="montreal", points=known, **facts)
    envelope = envelope_of(data, subject=str(uuid.uuid4()))
    return envelope.model_copy(update={"tenant": "car_bdc"})
