"""How events change what a lead owes and what is watched for it: tasks and deadlines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core.lead import Deadline, Lead, Task
from shared.contract.envelope import Envelope, Event
from shared.contract.pipeline import (
    DeadlineCleared,
    DeadlineSet,
    TaskAssigned,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskPostponed,
)
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue

Update = dict[str, Any]


def _task_created(lead: Lead, envelope: Envelope, data: TaskCreated) -> Update:
    task = Task.model_construct(
        id=data.task,
        name=data.name,
        title=data.title,
        to=data.to,
        issuer=data.issuer,
        channel=data.channel,
        due=data.due,
        created_at=envelope.time,
    )
    return {"tasks": {**lead.tasks, data.task: task}}


def _task(lead: Lead, id_: str, **update: object) -> Update:
    task = lead.tasks.get(id_)
    if task is None:
        return {}
    return {"tasks": {**lead.tasks, id_: task.model_copy(update=update)}}


def _postponed(lead: Lead, _: Envelope, data: TaskPostponed) -> Update:
    return _task(lead, data.task, due=data.due, due_at=None, overdue=False)


def _assigned(lead: Lead, _: Envelope, data: TaskAssigned) -> Update:
    note = {} if data.note is None else {"note": data.note}
    return _task(lead, data.task, to=data.to, **note)


def _completed(lead: Lead, _: Envelope, data: TaskCompleted) -> Update:
    return _task(lead, data.task, status="completed", note=data.note)


def _cancelled(lead: Lead, _: Envelope, data: TaskCancelled) -> Update:
    return _task(lead, data.task, status="cancelled")


def _deadline_set(lead: Lead, envelope: Envelope, data: DeadlineSet) -> Update:
    because = data.because
    deadline = Deadline.model_construct(
        id=envelope.id,
        name=data.name,
        kind=data.kind,
        due=data.due,
        rule=because.rule if because else None,
        version=because.version if because else None,
    )
    update: Update = {"deadlines": {**lead.deadlines, data.name: deadline}}
    if data.name in lead.fired:
        update["fired"] = _without(lead.fired, data.name)
    return update


def _without(deadlines: dict[str, Deadline], name: str) -> dict[str, Deadline]:
    return {key: value for key, value in deadlines.items() if key != name}


def _deadline_cleared(lead: Lead, _: Envelope, data: DeadlineCleared) -> Update:
    """An open task has no due time any more."""
    update: Update = {}
    if data.name in lead.deadlines:
        update["deadlines"] = _without(lead.deadlines, data.name)
    if data.name in lead.fired:
        update["fired"] = _without(lead.fired, data.name)
    task = lead.tasks.get(data.name)
    if task is not None and task.status == "open":
        update |= _task(lead, data.name, due=None, due_at=None, overdue=False)
    return update


def _planned(lead: Lead, _: Envelope, data: DeadlinePlanned) -> Update:
    deadline = lead.deadlines.get(data.name)
    if deadline is None or deadline.id != data.deadline_set:
        return {}
    planned = deadline.model_copy(update={"due_at": data.due_at})
    return {
        "deadlines": {**lead.deadlines, data.name: planned},
        **_task(lead, data.name, due_at=data.due_at),
    }


def _fired(lead: Lead, _: Envelope, data: DeadlineReached | LeadOverdue) -> Update:
    """A deadline fires once; a task stays open and is overdue. One by an anchor is remembered."""
    deadline = lead.deadlines.get(data.name)
    if deadline is None or deadline.id != data.deadline_set:
        return {}
    kept = {} if deadline.due.anchor is None else {"fired": {**lead.fired, data.name: deadline}}
    return {
        "deadlines": _without(lead.deadlines, data.name),
        **kept,
        **_task(lead, data.name, due_at=data.due_at, overdue=True),
    }


TASK_CHANGES: Mapping[type[Event], Callable[[Lead, Envelope, Any], Update]] = {
    TaskCreated: _task_created,
    TaskAssigned: _assigned,
    TaskPostponed: _postponed,
    TaskCompleted: _completed,
    TaskCancelled: _cancelled,
    DeadlineSet: _deadline_set,
    DeadlineCleared: _deadline_cleared,
    DeadlinePlanned: _planned,
    DeadlineReached: _fired,
    LeadOverdue: _fired,
}
