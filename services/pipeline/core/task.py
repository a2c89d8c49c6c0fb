"""What happens to tasks and deadlines, whoever does it: a rule or an agent."""

from __future__ import annotations

from services.pipeline.core.lead import Task
from services.pipeline.core.placeholder import fill
from services.pipeline.core.turn import Turn
from shared.contract.due import Due
from shared.contract.envelope import derived_id
from shared.contract.pipeline import (
    DeadlineCleared,
    DeadlineSet,
    NoteAdded,
    TaskAssigned,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskPostponed,
)


def create_task(
    turn: Turn, lead: str, name: str, *, due: Due | None, to: str | None, subject: str | None = None
) -> None:
    """A new task of that kind for agent `to` (None: whoever comes to own the lead)."""
    declared = turn.book.tasks[name]
    task = derived_id(turn.cause.id, "task", str(len(turn.events)))
    turn.emit(
        lead,
        TaskCreated.model_construct(
            task=task,
            name=name,
            title=subject or declared.label,
            to=to,
            issuer=turn.agent,
            due=due,
            channel=declared.channel,
            guide=declared.guide,
            script=fill(turn.scene(lead), declared.script) if declared.script else None,
            asks=declared.asks,
        ),
    )
    if due is not None:
        _watch(turn, lead, task, due)


def postpone_task(
    turn: Turn, lead: str, task: Task, due: Due, *, note: str | None, by: str | None = None
) -> None:
    """The task is due later; the note is on the task."""
    if note:
        turn.emit(lead, NoteAdded(text=note, task=task.id, by=by))
    turn.emit(lead, TaskPostponed(task=task.id, name=task.name, due=due, note=note))
    _watch(turn, lead, task.id, due)


def assign_task(
    turn: Turn, lead: str, task: Task, to: str, *, note: str | None = None, by: str | None = None
) -> None:
    """Another agent owes it; what they are told with it is a note on the task."""
    if note:
        turn.emit(lead, NoteAdded(text=note, task=task.id, by=by))
    if task.to != to:
        turn.emit(
            lead,
            TaskAssigned(task=task.id, name=task.name, to=to, previous=task.to, note=note, by=by),
        )


def complete_task(
    turn: Turn, lead: str, task: Task, *, note: str | None = None, by: str | None = None
) -> None:
    """The task is done, and nobody waits for it any more."""
    turn.emit(lead, TaskCompleted(task=task.id, name=task.name, note=note, by=by))
    clear_deadline(turn, lead, task.id)


def cancel_task(turn: Turn, lead: str, task: Task) -> None:
    """The task is no longer owed."""
    turn.emit(lead, TaskCancelled(task=task.id, name=task.name))
    clear_deadline(turn, lead, task.id)


def set_deadline(turn: Turn, lead: str, name: str, due: Due) -> None:
    """Watch a named instant; one of the same name is replaced."""
    site = turn.lead(lead).site
    turn.emit(lead, DeadlineSet(name=name, due=due, kind="named", site=site))


def clear_deadline(turn: Turn, lead: str, name: str) -> None:
    """Watch it no longer; nothing where nothing is watched."""
    state = turn.lead(lead)
    if name in state.deadlines or name in state.fired:
        turn.emit(lead, DeadlineCleared(name=name))


def _watch(turn: Turn, lead: str, task: str, due: Due) -> None:
    site = turn.lead(lead).site
    turn.emit(lead, DeadlineSet.model_construct(name=task, due=due, kind="task", site=site))
