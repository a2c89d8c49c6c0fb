"""reminders on real Kafka and PostgreSQL: told at the instant, once, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from relance.stack.kafka import Kafka
from relance.stack.postgres import Postgres
from services.reminders.settings import RemindersSettings
from shared.contract.directory import Absence, Interval, SpecialDay, agent_subject
from shared.contract.due import Due
from shared.contract.pipeline import DeadlineCleared, LeadClosed
from shared.contract.reminders import AgentAbsent, DeadlinePlanned, DigestDue, LeadOverdue
from tests.component.reminders_stand import TENANT, Stand, new_lead
from tests.unit.office import DOCUMENTS, MINSK, OFFICE, agent, at, site

IN_HALF_AN_HOUR = Due.model_validate({"in": "30m"})
IN_AN_HOUR = Due.model_validate({"in": "1h"})
EVENING = at("2026-03-02T17:50")


@pytest.fixture(scope="module")
async def stand(
    own_kafka: Kafka, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stand]:
    name = f"reminders_{uuid.uuid4().hex[:8]}"
    postgres.copy_database(name)
    folder = tmp_path_factory.mktemp("reminders")
    settings = RemindersSettings(
        kafka=own_kafka.bootstrap,
        postgres=SecretStr(postgres.dsn("reminders", name)),
        rulebook=Path("rulebooks/axelerator"),
        clock_file=folder / "clock",
    )
    stand = Stand(settings, folder, EVENING)
    await stand.open(DOCUMENTS)
    yield stand
    await stand.close()
    postgres.drop_database(name)


def coming(stand: Stand, *weekdays: int) -> datetime:
    """Midnight of the next day that is one of `weekdays` (Monday is 0), in Minsk."""
    day = stand.now.astimezone(MINSK).date() + timedelta(days=1)
    while day.weekday() not in weekdays:
        day += timedelta(days=1)
    return at(f"{day}T00:00")


def subject(name: str) -> str:
    """Of what is told of that agent."""
    return agent_subject(TENANT, name)


async def test_a_task_is_overdue_after_its_open_half_hour_and_that_is_told_once(
    stand: Stand,
) -> None:
    evening = stand.now
    lead = new_lead()
    asked = await stand.ask(lead, "qualify", Due.model_validate({"in": "30m", "of": "open_hours"}))
    due_at = evening + timedelta(hours=15, minutes=30)

    await stand.until(due_at - timedelta(seconds=1))
    early = await stand.told(lead, LeadOverdue)
    await stand.until(due_at + timedelta(days=1))

    [planned] = await stand.told(lead, DeadlinePlanned, 1)
    [overdue] = await stand.told(lead, LeadOverdue, 1)
    assert planned.data == DeadlinePlanned(name="qualify", deadline_set=asked.id, due_at=due_at)
    assert early == []
    assert overdue.data == LeadOverdue(name="qualify", deadline_set=asked.id, due_at=due_at)
    assert overdue.time == due_at
    assert (planned.sequence, overdue.sequence) == (1, 2)


async def test_a_postponed_task_is_overdue_at_its_new_time_only(stand: Stand) -> None:
    lead = new_lead()
    await stand.ask(lead, "call_back", IN_HALF_AN_HOUR)
    again = await stand.ask(lead, "call_back", IN_AN_HOUR)

    await stand.until(stand.now + timedelta(hours=3))

    assert len(await stand.told(lead, DeadlinePlanned, 2)) == 2
    [overdue] = await stand.told(lead, LeadOverdue, 1)
    assert overdue.causationid == again.id


async def test_a_task_that_is_done_or_whose_lead_is_closed_is_never_overdue(stand: Stand) -> None:
    lead, closed = new_lead(), new_lead()
    await stand.ask(lead, "done", IN_HALF_AN_HOUR)
    await stand.ask(lead, "open", IN_HALF_AN_HOUR)
    await stand.ask(closed, "any", IN_HALF_AN_HOUR)
    await stand.say(lead, DeadlineCleared(name="done"))
    await stand.say(closed, LeadClosed(status="lost"))

    await stand.until(stand.now + timedelta(hours=3))

    [overdue] = await stand.told(lead, LeadOverdue, 1)
    assert isinstance(overdue.data, LeadOverdue)
    assert overdue.data.name == "open"
    assert await stand.told(closed, LeadOverdue) == []


async def test_a_task_due_already_is_overdue_at_once(stand: Stand) -> None:
    lead = new_lead()
    await stand.ask(lead, "late", Due(instant=stand.now - timedelta(hours=2)))

    await stand.settle()

    [overdue] = await stand.told(lead, LeadOverdue, 1)
    assert overdue.time == stand.now


async def test_a_deadline_of_an_unknown_site_waits_until_the_directory_knows_it(
    stand: Stand,
) -> None:
    lead = new_lead()
    await stand.ask(lead, "call_back", IN_AN_HOUR, site="lyon")
    await stand.settle()
    waiting = await stand.told(lead, DeadlinePlanned)

    await stand.know(site("lyon", zone="Europe/Paris"))

    assert waiting == []
    assert len(await stand.told(lead, DeadlinePlanned, 1)) == 1


async def test_each_agent_has_one_digest_an_open_day_at_nine_of_their_site(stand: Stand) -> None:
    friday = coming(stand, 4)
    await stand.until(friday)
    told_before = {
        name: len(await stand.told(subject(name), DigestDue)) for name in ("anna", "paul")
    }

    await stand.until(friday + timedelta(days=3, hours=18))

    days = [friday.astimezone(MINSK).date() + timedelta(days=n) for n in (0, 3)]
    for name, zone in (("anna", "Europe/Minsk"), ("paul", "Europe/Paris")):
        week = (await stand.told(subject(name), DigestDue))[told_before[name] :]
        assert [said(each) for each in week] == [(day, at(f"{day}T09:00", zone)) for day in days]
        assert [each.time for each in week] == [each_at for _, each_at in map(said, week)]


async def test_a_late_start_tells_today_once_and_no_day_before(stand: Stand) -> None:
    morning = coming(stand, 0, 1, 2) + timedelta(hours=8)
    await stand.until(morning)
    told_before = len(await stand.told(subject("boris"), DigestDue))
    late = morning + timedelta(days=2, hours=4)

    assert stand.replicas[0].stop() == 0
    stand.clock.jump(late)
    await stand.start()
    await stand.until(late + timedelta(hours=3))

    [digest] = (await stand.told(subject("boris"), DigestDue))[told_before:]
    today = late.astimezone(MINSK).date()
    assert said(digest) == (today, at(f"{today}T09:00"))
    assert digest.time == late


async def test_somebody_new_has_a_digest_from_the_next_morning_and_who_left_has_none(
    stand: Stand,
) -> None:
    today = coming(stand, 0, 1, 2, 3)
    await stand.until(today + timedelta(hours=10, minutes=30))
    left_with = len(await stand.told(subject("paul"), DigestDue))

    await stand.know(agent("clara"), agent("paul", "paris", withdrawn=True))
    await stand.until(today + timedelta(hours=36))

    [first] = await stand.told(subject("clara"), DigestDue, 1)
    assert said(first)[0] == today.astimezone(MINSK).date() + timedelta(days=1)
    assert len(await stand.told(subject("paul"), DigestDue)) == left_with


async def test_003_12_an_absence_is_told_once_after_a_day_and_not_when_it_is_taken_back(
    stand: Stand,
) -> None:
    begins = stand.now + timedelta(hours=2)
    anna = Absence(id="anna-1", agent="anna", begins=begins, ends=begins + timedelta(days=3))
    boris = Absence(id="boris-1", agent="boris", begins=begins, ends=begins + timedelta(days=3))
    await stand.know(anna, boris)
    await stand.until(begins + timedelta(hours=20))
    await stand.know(boris.model_copy(update={"withdrawn": True}))

    await stand.until(begins + timedelta(days=2))

    [absent] = await stand.told(subject("anna"), AgentAbsent, 1)
    assert isinstance(absent.data, AgentAbsent)
    assert (absent.data.since, absent.data.until) == (begins, anna.ends)
    assert absent.time == begins + timedelta(days=1)
    assert await stand.told(subject("boris"), AgentAbsent) == []
    await stand.know(anna.model_copy(update={"withdrawn": True}))


async def test_another_calendar_plans_again_what_it_touches_and_nothing_else(stand: Stand) -> None:
    evening = coming(stand, 0, 1, 2, 3) + timedelta(hours=17, minutes=50)
    await stand.until(evening)
    leads = [new_lead() for _ in range(1_200)]
    open_hours = Due.model_validate({"in": "30m", "of": "open_hours"})
    await asyncio.gather(*(stand.ask(lead, "call_back", open_hours) for lead in leads))
    elsewhere = new_lead()
    await stand.ask(elsewhere, "call_back", open_hours, site="paris")
    await stand.settle()

    tomorrow = (evening + timedelta(days=1)).astimezone(MINSK).date()
    late = (Interval(opens=time(11), closes=time(18)),)
    changed = OFFICE.model_copy(
        update={"id": "minsk", "special": (SpecialDay(on=tomorrow, hours=late),)}
    )
    await stand.know(changed, site("minsk", "minsk"))
    await stand.settle()

    told = await stand.told_each(leads, DeadlinePlanned)
    due_at = at(f"{tomorrow}T11:20")
    assert {len(events) for events in told.values()} == {2}
    assert {e.data.due_at for _, e in told.values() if isinstance(e.data, DeadlinePlanned)} == {
        due_at
    }
    assert len(await stand.told(elsewhere, DeadlinePlanned, 1)) == 1
    await stand.until(due_at)
    overdue = await stand.told_each(leads, LeadOverdue)
    assert {event.time for [event] in overdue.values()} == {due_at}
    await stand.know(site("minsk"))


async def test_when_one_of_two_replicas_is_killed_while_telling_the_other_tells_the_rest(
    stand: Stand,
) -> None:
    stand.replicas.append(stand.replica(2))
    stand.replicas[1].start()
    await asyncio.to_thread(stand.replicas[1].wait_ready)
    leads = [new_lead() for _ in range(1_000)]
    await asyncio.gather(*(stand.ask(lead, "call_back", IN_HALF_AN_HOUR) for lead in leads))
    await stand.settle()

    stand.clock.jump(stand.now + timedelta(minutes=30))
    await stand.told_one_of(leads, LeadOverdue)
    stand.replicas[0].kill()

    told = await stand.told_each(leads, LeadOverdue)
    assert {len(events) for events in told.values()} == {1}


@pytest.mark.long  # the group lets a killed member's place go after 30 s only
async def test_killed_between_the_planning_and_the_instant_it_tells_each_once_when_it_is_back(
    stand: Stand,
) -> None:
    leads = [new_lead() for _ in range(300)]
    await asyncio.gather(*(stand.ask(lead, "call_back", IN_HALF_AN_HOUR) for lead in leads))
    await stand.told_each(leads, DeadlinePlanned)

    for replica in stand.replicas:
        replica.kill()
    del stand.replicas[1:]
    stand.clock.jump(stand.now + timedelta(minutes=35))
    await stand.start()
    await stand.told_one_of(leads, LeadOverdue)
    stand.replicas[0].kill()  # it was telling them
    await stand.start()

    told = await stand.told_each(leads, LeadOverdue)
    assert {len(events) for events in told.values()} == {1}
    assert {event.time for [event] in told.values()} == {stand.now}


def said(envelope: object) -> tuple[date, datetime]:
    data = getattr(envelope, "data", None)
    assert isinstance(data, DigestDue)
    return data.date, data.due_at
