"""What reminders says: when."""

from __future__ import annotations

import datetime as dt

from pydantic import AwareDatetime

from shared.contract.envelope import Event


class DeadlinePlanned(Event):
    """The instant computed for a `DeadlineSet` (named by its envelope id)."""

    type = "relance.deadline.planned.v1"
    name: str
    deadline_set: str
    due_at: AwareDatetime


class DeadlineReached(Event):
    """A named deadline has passed; pipeline judges whether it still counts."""

    type = "relance.deadline.reached.v1"
    name: str
    deadline_set: str
    due_at: AwareDatetime


class LeadOverdue(Event):
    """A task's deadline has passed; `name` is the task's id."""

    type = "relance.lead.overdue.v1"
    name: str
    deadline_set: str
    due_at: AwareDatetime


class DigestDue(Event):
    """It is digest time for this agent; once per local `date` (003-08, 003-09)."""

    type = "relance.digest.due.v1"
    agent: str
    date: dt.date
    due_at: AwareDatetime


class AgentAbsent(Event):
    """An agent has been away for more than 24 hours, since `since`, and is until `until`.

    Pipeline finds their open leads. The envelope's subject is `tenant/agent`.
    """

    type = "relance.agent.absent.v1"
    agent: str
    since: AwareDatetime
    until: AwareDatetime


REMINDERS_EVENTS: tuple[type[Event], ...] = (
    DeadlinePlanned,
    DeadlineReached,
    LeadOverdue,
    DigestDue,
    AgentAbsent,
)
