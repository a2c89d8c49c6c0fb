"""Queues in the database: what may stand in one is looked up, the core says what does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.order import place
from services.pipeline.core.queue import standing
from services.pipeline.store import PLACE
from shared.domain.directory import Directory
from shared.domain.rulebook.condition import By, Condition, Is
from shared.domain.rulebook.declaration import Queue
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime.postgres import Transaction

PAGE = 100
"""Leads looked at together; as a rule the first of them stands."""

# The status is written out, so that the planner sees the index of the lost ones.
_CANDIDATES = """
SELECT state::text AS lead, (SELECT state::text FROM contact WHERE id = lead.contact) AS contact
FROM lead
WHERE tenant = $1 AND status = '{status}'
  AND ($2::text IS NULL OR owner = $2)
  AND ($3::text[] IS NULL OR pipeline = ANY($3))
  AND ({place}) > ($4, $5::bigint, $6::uuid)
ORDER BY {place}
LIMIT $7
"""
_BY_STATUS = {
    status: _CANDIDATES.format(status=status, place=PLACE)
    for status in ("open", "won", "lost", "invalid")
}
_OWED = """
SELECT state::text FROM lead WHERE tenant = $1 AND status = 'open' AND owner = $2
UNION ALL
SELECT state::text FROM lead WHERE tenant = $1 AND lent @> ARRAY[$2::text] AND lent <> '{}'
"""
_FIRST = (datetime(1, 1, 1, tzinfo=UTC), 0, "00000000-0000-0000-0000-000000000000")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for a queue, and what its conditions are judged by."""

    tenant: str
    agent: str
    book: Rulebook
    directory: Directory
    now: datetime


async def next_in(tx: Transaction, queue: Queue, asking: Asking, limit: int) -> list[Lead]:
    """The first leads of the queue for whoever asks; nothing is locked."""
    found: list[Lead] = []
    for section in queue.order:
        # A lead stands in the first section that it fits: a later one must not show it again.
        alone = queue.model_copy(update={"order": (section,)})
        seen = {lead.id for lead in found}
        async for page in _pages(tx, section.if_, asking):
            stands = standing(
                alone,
                page,
                asking.agent,
                book=asking.book,
                directory=asking.directory,
                now=asking.now,
            )
            found += [lead for lead in stands if lead.id not in seen]
            if len(found) >= limit:
                return found[:limit]
    return found


async def owed_by(tx: Transaction, tenant: str, agent: str) -> list[Lead]:
    """The leads on which the agent may owe something; not locked."""
    rows = await tx.fetch(_OWED, tenant, agent)
    return [Lead.model_validate_json(row["state"]) for row in rows]


async def _pages(
    tx: Transaction, conditions: Iterable[Condition], asking: Asking
) -> AsyncIterator[list[tuple[Lead, Contact]]]:
    statuses, pipelines, owner = _where(conditions, asking.agent)
    for status in statuses:
        after = _FIRST
        while True:
            rows = await tx.fetch(_BY_STATUS[status], asking.tenant, owner, pipelines, *after, PAGE)
            page = [
                (Lead.model_validate_json(r["lead"]), Contact.model_validate_json(r["contact"]))
                for r in rows
            ]
            if page:
                yield page
            if len(page) < PAGE:
                break
            after = place(page[-1][0])


def _where(
    conditions: Iterable[Condition], agent: str
) -> tuple[list[str], list[str] | None, str | None]:
    """The statuses, pipelines and owner that the conditions ask for: what an index can find."""
    statuses: list[str] = list(_BY_STATUS)
    pipelines: list[str] | None = None
    owner = None
    for condition in conditions:
        if isinstance(condition, Is):
            if isinstance(wanted := condition.is_.get("status"), tuple):
                statuses = [status for status in statuses if status in wanted]
            if isinstance(wanted := condition.is_.get("pipeline"), tuple):
                pipelines = list(wanted)
        elif isinstance(condition, By) and condition.by == ("owner",):
            owner = agent
    return statuses, pipelines, owner
