"""What agents owe and are asked, and until when: tasks, deadlines, questions."""

from __future__ import annotations

from typing import Literal

from shared.contract.due import Due
from shared.contract.envelope import Event, Value
from shared.contract.intake import Channel


class TaskCreated(Event):
    """An agent owes something. `task` is its id, `name` its kind, `to` an agent id; `issuer` is the
    agent whose doing it came of, who gets it back once it is treated (004-33).

    What helps to do it: `guide` (a link), `script` (what to say), `asks` (field ids to fill).
    """

    type = "relance.task.created.v1"
    task: str
    name: str
    title: str
    to: str | None = None
    issuer: str | None = None
    due: Due | None = None
    channel: Channel | None = None
    guide: str | None = None
    script: str | None = None
    asks: tuple[str, ...] = ()


class TaskAssigned(Event):
    """Another agent owes the task now; `note` is what they are told with it."""

    type = "relance.task.assigned.v1"
    task: str
    name: str
    to: str
    previous: str | None = None
    note: str | None = None
    by: str | None = None


class TaskPostponed(Event):
    """The task is due later (001-03)."""

    type = "relance.task.postponed.v1"
    task: str
    name: str
    due: Due
    note: str | None = None


class TaskCompleted(Event):
    """The task is done."""

    type = "relance.task.completed.v1"
    task: str
    name: str
    note: str | None = None
    by: str | None = None


class TaskCancelled(Event):
    """The task is no longer owed."""

    type = "relance.task.cancelled.v1"
    task: str
    name: str


class DeadlineSet(Event):
    """reminders shall watch this; the envelope id names this very setting.

    A task's deadline has the task's id as `name`. `kind` tells reminders which event to fire.
    `site` gives the calendar and the zone.
    """

    type = "relance.deadline.set.v1"
    name: str
    due: Due
    kind: Literal["task", "named"]
    site: str


class DeadlineCleared(Event):
    """reminders shall forget it."""

    type = "relance.deadline.cleared.v1"
    name: str


class Answer(Value):
    """One thing that can be answered; `agent`: it names an agent too (give it to …)."""

    id: str
    label: str
    agent: bool = False


class QuestionAsked(Event):
    """Agents `to` are asked what to do; the first answer counts. Once per lead and question."""

    type = "relance.question.asked.v1"
    question: str
    to: tuple[str, ...]
    answers: tuple[Answer, ...]


class QuestionAnswered(Event):
    """What `by` said; `to` is the agent whom the answer names, if it names one."""

    type = "relance.question.answered.v1"
    question: str
    answer: str
    to: str | None = None
    by: str | None = None
