import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from services.pipeline.handlers import Handler
from shared.contract import topics
from shared.contract.directory import agent_subject
from shared.contract.envelope import Envelope
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import (
    DeadlineSet,
    LeadCreated,
    LeadLate,
    LeadLinked,
    NotificationRequested,
    TaskCreated,
)
from shared.contract.reminders import DeadlinePlanned, DigestDue, LeadOverdue
from shared.runtime import rulebook_folder, watermark
from tests.component.pipeline.stand import (
    RULEBOOK,
    TENANT,
    Stand,
    envelope_of,
    eventually,
    is_dense,
    lead_made_by,
    new_phone,
    received,
    types,
)


class Deadline(NamedTuple):
    """The `DeadlineSet` that reminders would watch."""

    id: str
    name: str


async def test_a_web_form_becomes_a_lead_with_an_owner_a_task_and_a_message(stand: Stand) -> None:
    form = received(phone=new_phone(), email="ivan@example.com", text="Нужен сайт")
    await stand.receive(form)
    events = await stand.events(lead_made_by(form), until=NotificationRequested)
    await stand.quiet()
    assert types(events)[:2] == ["LeadCreated", "StageEntered"]
    assert {"LeadAssigned", "TaskCreated", "DeadlineSet", "NotificationRequested"} <= {
        *types(events)
    }
    assert is_dense(events)
    assert {event.causationid for event in events} == {form.id}


async def test_the_same_record_twice_makes_one_lead(stand: Stand) -> None:
    form = received(phone=new_phone())
    await stand.receive(form, form)
    await stand.receive(form)
    await stand.quiet()
    events = await stand.events(lead_made_by(form), until=LeadCreated)
    assert types(events).count("LeadCreated") == 1
    assert "LeadLinked" not in types(events)
    assert is_dense(events)


async def test_a_person_arriving_on_many_partitions_at_once_gets_one_contact_and_one_lead(
    stand: Stand,
) -> None:
    people = [(new_phone(), f"{uuid.uuid4().hex}@example.com") for _ in range(25)]
    both = [
        received(**point)
        for phone, email in people
        for point in ({"phone": phone, "email": email}, {"email": email, "phone": phone})
    ]
    await asyncio.gather(
        *(stand.receive(each, partition=number % 12) for number, each in enumerate(both))
    )
    await stand.quiet()
    for phone, email in people:
        contacts = await stand.fetch(
            "select count(distinct contact) from contact_point where value = any($1)",
            [phone, email],
        )
        leads = await stand.fetch(
            "select count(*) from lead where words like '%' || $1 || '%'", phone
        )
        assert (contacts, leads) == (1, 1)


async def test_somebody_who_calls_after_writing_is_linked_to_the_open_lead(stand: Stand) -> None:
    phone = new_phone()
    form, call = received(phone=phone), received(phone=phone, channel="call", source="phone")
    await stand.receive(form)
    await stand.receive(call)
    events = await stand.events(lead_made_by(form), until=LeadLinked)
    assert types(events).count("LeadCreated") == 1
    assert await stand.fetch("select count(*) from lead where id = $1", lead_made_by(call)) == 0


async def test_an_answer_to_a_mail_is_a_reply_even_from_another_address(stand: Stand) -> None:
    message = f"<{uuid.uuid4().hex}@example.com>"
    first = received(
        email=f"{uuid.uuid4().hex}@example.com",
        channel="email",
        source="mail",
        mail={"message_id": message},
    )
    await stand.receive(first)
    await stand.quiet()
    answer = received(
        email=f"{uuid.uuid4().hex}@example.org",
        channel="email",
        source="mail",
        mail={"message_id": f"<{uuid.uuid4().hex}@example.org>", "in_reply_to": message},
    )
    await stand.receive(answer)
    await stand.quiet()
    events = await stand.events(lead_made_by(first), until=LeadCreated)
    assert "ReplyReceived" in types(events)
    assert await stand.fetch("select count(*) from lead where id = $1", lead_made_by(answer)) == 0


async def test_an_overdue_task_makes_the_lead_late_once(stand: Stand) -> None:
    lead, deadline = await _lead_with_a_deadline(stand)
    due_at = datetime.now(UTC)
    overdue = LeadOverdue(name=deadline.name, deadline_set=deadline.id, due_at=due_at)
    await stand.sibling(topics.REMINDERS, lead, overdue)
    events = await stand.events(lead, until=LeadLate)
    await stand.sibling(topics.REMINDERS, lead, overdue)
    await stand.quiet()
    events = await stand.events(lead, until=LeadLate)
    assert types(events).count("LeadLate") == 1
    assert is_dense(events)


async def test_a_firing_waits_for_what_came_in_before_it(stand: Stand) -> None:
    """The contact wrote before the task was overdue; the alert must not be judged first."""
    lead, deadline = await _lead_with_a_deadline(stand)
    due_at = datetime.now(UTC) + timedelta(seconds=2)
    overdue = LeadOverdue(name=deadline.name, deadline_set=deadline.id, due_at=due_at)
    await stand.sibling(topics.REMINDERS, lead, overdue, time=due_at)
    phone = await stand.fetch(
        "select value from contact_point p join lead l using (contact)"
        " where l.id = $1 and p.kind = 'phone'",
        lead,
    )
    earlier = received(phone=phone, channel="call", source="phone")
    assert earlier.time < due_at
    await stand.receive(earlier)
    events = await stand.events(lead, until=LeadLate)
    assert types(events).index("LeadLinked") < types(events).index("LeadLate")


async def test_a_fact_about_a_lead_that_is_not_there_yet_waits_for_it(stand: Stand) -> None:
    form = received(phone=new_phone())
    lead = lead_made_by(form)
    planned = DeadlinePlanned(name="x", deadline_set=str(uuid.uuid4()), due_at=datetime.now(UTC))
    await stand.sibling(topics.REMINDERS, lead, planned, time=form.time)

    async def waits() -> bool:
        return bool(await stand.fetch("select count(*) from parked where subject = $1", lead))

    await eventually(waits)
    await stand.receive(form)
    await stand.events(lead, until=LeadCreated)

    async def released() -> bool:
        return not await waits()

    await eventually(released)
    assert await stand.fetch("select count(*) from quarantine where subject = $1", lead) == 0
    history = [each["type"] for each in (await stand.shown(lead))["history"]]
    assert DeadlinePlanned.type in history


async def test_a_form_of_a_site_that_is_not_known_yet_waits(stand: Stand) -> None:
    form = received(phone=new_phone(), site="brest")
    await stand.receive(form)

    async def waits() -> bool:
        why = await stand.fetch("select why from parked where subject = $1", form.subject)
        return why is not None and "brest" in why

    await eventually(waits)
    assert await stand.fetch("select count(*) from lead where id = $1", lead_made_by(form)) == 0


async def test_the_digest_of_the_manager_tells_what_is_true_now(stand: Stand) -> None:
    lead, deadline = await _lead_with_a_deadline(stand)
    now = datetime.now(UTC)
    planned = DeadlinePlanned(name=deadline.name, deadline_set=deadline.id, due_at=now)
    await stand.sibling(topics.REMINDERS, lead, planned)
    number = (await stand.shown(lead))["number"]
    boss = agent_subject(TENANT, "boss")
    await stand.sibling(
        topics.REMINDERS, boss, DigestDue(agent="boss", date=now.date(), due_at=now)
    )
    [digest] = [
        event
        for event in await stand.events(boss, until=NotificationRequested)
        if isinstance(event.data, NotificationRequested)
    ]
    assert isinstance(digest.data, NotificationRequested)
    assert digest.data.template == "digest_manager"
    assert number in str(digest.data.values)


async def test_a_digest_that_could_not_wait_says_as_of_when_it_is(stand: Stand) -> None:
    await _lead_with_a_deadline(stand)
    due_at = datetime.now(UTC) + timedelta(days=1)
    data = DigestDue(agent="boss", date=due_at.date(), due_at=due_at)
    due = envelope_of(
        data, subject=agent_subject(TENANT, "boss"), source="/reminders", sequence=1, time=due_at
    )
    async with stand.service.postgres.transaction() as tx:
        directory = await stand.service.directory(tx)
    handler = Handler(rulebook_folder.read(RULEBOOK), directory, b"key", asyncio.Lock())
    behind = due_at - timedelta(minutes=11)
    told: list[Envelope] = []
    for passed in (behind, due_at):
        async with stand.service.postgres.transaction() as tx:
            mark = {(topics.INTAKE.name, n): (0, passed) for n in range(topics.INTAKE.partitions)}
            await watermark.write(tx, mark)
            told += await handler(tx, [due])
            await tx.execute("delete from watermark")  # no other test is to read this

    values = [e.data.values for e in told if isinstance(e.data, NotificationRequested)]
    assert [each["as_of"] for each in values] == [behind.isoformat(), None]


async def test_messages_that_went_out_are_part_of_the_history(stand: Stand) -> None:
    form = received(phone=new_phone())
    lead = lead_made_by(form)
    await stand.receive(form)
    await stand.events(lead, until=LeadCreated)
    sent = NotificationSent(
        notification=str(uuid.uuid4()),
        request=str(uuid.uuid4()),
        to="anna",
        channel="sms",
        template="new_lead",
        occasion=lead,
        lead=lead,
        address="+375291000001",
        text="Новая заявка",
    )
    await stand.sibling(topics.NOTIFICATIONS, lead, sent)

    async def told() -> bool:
        history = (await stand.shown(lead))["history"]
        return any("Новая заявка" in moment["text"] for moment in history)

    await eventually(told)


async def test_an_event_of_another_company_waits_for_its_rulebook(stand: Stand) -> None:
    form = received(phone=new_phone()).model_copy(update={"tenant": "elsewhere"})
    await stand.receive(form)

    async def waits() -> bool:
        why = await stand.fetch("select why from parked where subject = $1", form.subject)
        return why is not None and "elsewhere" in why

    await eventually(waits)


async def _lead_with_a_deadline(stand: Stand) -> tuple[str, Deadline]:
    form = received(phone=new_phone())
    lead = lead_made_by(form)
    await stand.receive(form)
    events = await stand.events(lead, until=TaskCreated)
    events = await stand.events(lead, until=DeadlineSet)
    found = next(event for event in events if isinstance(event.data, DeadlineSet))
    assert isinstance(found.data, DeadlineSet)
    return lead, Deadline(found.id, found.data.name)
