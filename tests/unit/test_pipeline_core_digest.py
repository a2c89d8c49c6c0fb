"""The nine o'clock digest, for the owner and for the manager."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from services.pipeline.core.digest import digest, owners_for
from services.pipeline.core.lead import Lead
from shared.contract.envelope import Envelope
from shared.contract.intake import ContactPoint
from shared.contract.pipeline import DeadlineSet, NotificationRequested
from shared.contract.reminders import DeadlinePlanned, DigestDue
from shared.runtime.outbox import MAX_EVENT_BYTES
from tests.unit.pipeline_desk import IVAN, IVAN_MAIL, MONDAY, Desk

TUESDAY_NINE = MONDAY + timedelta(days=1, hours=-1)


def plan(desk: Desk, lead: Lead, due_in: timedelta) -> None:
    armed = desk.envelope_of(DeadlineSet)
    data = armed.data
    assert isinstance(data, DeadlineSet)
    due_at = desk.now + due_in
    desk.put(DeadlinePlanned(name=data.name, deadline_set=armed.id, due_at=due_at), lead.id)


def digests(desk: Desk, agent: str) -> list[tuple[Envelope, NotificationRequested]]:
    desk.now = TUESDAY_NINE
    due = DigestDue(agent=agent, date=TUESDAY_NINE.date(), due_at=TUESDAY_NINE)
    owners = owners_for(desk.directory, agent)
    leads = [lead for lead in desk.world.leads.values() if lead.owner in owners]
    asked = digest(desk.book, desk.directory, desk.envelope(due, agent), leads)
    return [(e, e.data) for e in asked if isinstance(e.data, NotificationRequested)]


def names(lines: Any) -> list[str]:
    return [line["name"] for line in lines]


def three_leads() -> Desk:
    """One due today, one overdue, one the day after tomorrow; all Anna's."""
    desk = Desk()
    for name, days, points in (
        ("сегодня", 1, (IVAN,)),
        ("вчера", 0, (IVAN_MAIL,)),
        ("послезавтра", 3, ()),
    ):
        channel = "email" if points == (IVAN_MAIL,) else "call"
        lead = desk.receive(*points, channel=channel, name=name)
        plan(desk, lead, timedelta(days=days, hours=1))
        if lead.owner != "anna":
            desk.act(lead, "assign", to="anna", by="boss")
    return desk


def test_the_owner_reads_what_is_due_today_and_what_is_late_and_nothing_else() -> None:
    ((envelope, asked),) = digests(three_leads(), "anna")

    assert (envelope.subject, asked.to.id) == ("axelerator/anna", "anna")
    assert asked.template == "digest_agent"
    assert (asked.occasion, asked.lead) == ("2026-03-03", None)
    assert asked.because is not None
    assert asked.because.rule == "003-08"
    assert names(asked.values["today"]) == ["сегодня"]
    assert names(asked.values["late"]) == ["вчера"]
    assert asked.values["no_open_task"] == []
    today: Any = asked.values["today"]
    assert today[0]["phone"] == IVAN.value
    assert today[0]["task"] == "Перезвонить"
    assert today[0]["due_at"] == (MONDAY + timedelta(days=1, hours=1)).isoformat()


def test_a_digest_of_a_hundred_leads_stays_small_however_long_their_letters_are() -> None:
    desk = Desk()
    for number in range(100):
        point = ContactPoint(kind="phone", value=f"+3752910000{number:02}")
        lead = desk.receive(point, channel="call", text="щ" * 60_000)
        plan(desk, lead, timedelta(days=1))
    ((envelope, asked),) = digests(desk, "boss")

    advisers: Any = asked.values["advisers"]
    assert sum(len(adviser["today"]) for adviser in advisers) == 100
    assert len(envelope.to_bytes()) < MAX_EVENT_BYTES / 10


def test_an_open_lead_without_a_task_is_reported() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, name="забытый")
    desk.act(lead, "complete_task", task="call_back")
    ((_, asked),) = digests(desk, lead.owner or "")
    assert names(asked.values["no_open_task"]) == ["забытый"]


def test_the_manager_reads_the_same_by_adviser_and_only_those_who_have_something() -> None:
    ((_, asked),) = digests(three_leads(), "boss")

    assert asked.template == "digest_manager"
    advisers: Any = asked.values["advisers"]
    assert [adviser["name"] for adviser in advisers] == ["Анна Соколова"]
    assert names(advisers[0]["late"]) == ["вчера"]


def test_the_leads_of_an_agent_who_left_are_in_the_managers_digest_until_somebody_has_them() -> (
    None
):
    desk = three_leads()
    anna = desk.directory.agent("anna").model_copy(update={"withdrawn": True})
    desk.directory = desk.directory.with_(anna)
    ((_, asked),) = digests(desk, "boss")

    advisers: Any = asked.values["advisers"]
    assert [adviser["name"] for adviser in advisers] == ["Анна Соколова"]
    assert names(advisers[0]["late"]) == ["вчера"]


def test_nothing_to_say_means_no_digest() -> None:
    desk = three_leads()
    assert digests(desk, "boris") == []
    for lead in list(desk.world.leads.values()):
        desk.act(lead, "close", status="invalid", reason="spam")
    assert digests(desk, "anna") == []
    assert digests(desk, "boss") == []


def test_who_left_and_managed_the_team_is_not_the_end_of_their_leads() -> None:
    """Whoever else is a manager reads of them: before, no digest had them at all."""
    desk = three_leads()
    for lead in list(desk.world.leads.values()):
        desk.act(lead, "assign", to="boss", by="boss")
    boss = desk.directory.agent("boss")
    heir = boss.model_copy(update={"id": "heir", "name": "Глеб Зайцев", "initials": "ГЗ"})
    gone = boss.model_copy(update={"withdrawn": True})

    desk.directory = desk.directory.with_(heir)
    while_there = digests(desk, "heir")
    desk.directory = desk.directory.with_(gone)
    ((_, asked),) = digests(desk, "heir")

    assert while_there == []
    advisers: Any = asked.values["advisers"]
    assert [adviser["name"] for adviser in advisers] == [boss.name]
    assert names(advisers[0]["late"]) == ["вчера"]
