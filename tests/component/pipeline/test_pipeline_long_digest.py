"""A digest of five thousand open leads, on real Kafka and PostgreSQL: it goes out."""

import uuid
from datetime import UTC, datetime
from typing import Any

from services.pipeline.core.abridgement import LINES_AT_MOST
from shared.contract import topics
from shared.contract.directory import Agent, Document, Team, agent_subject, key_of
from shared.contract.pipeline import LeadCreated, NotificationRequested
from shared.contract.reminders import DigestDue
from tests.component.pipeline.stand import (
    TENANT,
    Stand,
    envelope_of,
    eventually,
    lead_made_by,
    new_phone,
    received,
)

MANY = 5_000
# Of the folder's other tests nobody is in this team.
TEAM = Team(id="mountain", name="Гора", site="minsk", manager="zeus")
PEOPLE = [
    Agent(id="zeus", name="Зевс", initials="З", site="minsk"),
    Agent(id="sisyphus", name="Сизиф", initials="С", site="minsk", team="mountain"),
]
_COPIES = """
INSERT INTO lead
  (id, tenant, number, contact, pipeline, status, stage, owner, site, received_at, words, state)
SELECT n.id, tenant, number, contact, pipeline, status, stage, 'sisyphus', site, received_at, words,
  (state::jsonb || jsonb_build_object('id', n.id, 'owner', 'sisyphus'))::json
FROM lead CROSS JOIN (SELECT gen_random_uuid() AS id FROM generate_series(1, $2)) AS n
WHERE lead.id = $1
"""


async def test_a_manager_of_five_thousand_open_leads_is_told_of_the_first_and_how_many_more(
    stand: Stand,
) -> None:
    await _known(stand, TEAM, *PEOPLE)
    form = received(phone=new_phone())
    await stand.receive(form)
    lead, now = lead_made_by(form), datetime.now(UTC)
    await stand.events(lead, until=LeadCreated)
    await stand.act(lead, "complete_task", uuid.uuid4().hex, task="call_back")
    await stand.service.postgres.pool.execute(_COPIES, lead, MANY)
    try:
        subject = agent_subject(TENANT, "zeus")
        due = DigestDue(agent="zeus", date=now.date(), due_at=now)
        await stand.sibling(topics.REMINDERS, subject, due)
        told = await stand.events(subject, until=NotificationRequested)
    finally:
        await stand.service.postgres.pool.execute("DELETE FROM lead WHERE owner = 'sisyphus'")

    (asked,) = (each.data for each in told if isinstance(each.data, NotificationRequested))
    advisers: Any = asked.values["advisers"]
    (adviser,) = advisers
    assert (adviser["name"], adviser["total"]) == ("Сизиф", MANY)
    assert len(adviser["no_open_task"]) == LINES_AT_MOST
    assert adviser["more"]["no_open_task"] == MANY - LINES_AT_MOST
    assert await stand.fetch("SELECT count(*) FROM quarantine WHERE subject = $1", subject) == 0


async def _known(stand: Stand, *documents: Document) -> None:
    for document in documents:
        value = envelope_of(document, subject=document.id).to_bytes()
        key = key_of(TENANT, document).encode()
        await stand.producer.send_and_wait(topics.DIRECTORY.name, value, key=key)

    async def are_known() -> bool:
        ids = [document.id for document in documents]
        there = "SELECT count(*) FROM directory WHERE tenant = $1 AND id = ANY($2)"
        return bool(await stand.fetch(there, TENANT, ids) == len(ids))

    await eventually(are_known)
