"""Firings, judged: reminders says that a time has come, pipeline whether it still counts."""

from __future__ import annotations

from services.pipeline.core.turn import Turn
from shared.contract.pipeline import LeadLate
from shared.contract.reminders import DeadlineReached, LeadOverdue


def judge(turn: Turn, data: DeadlineReached | LeadOverdue) -> None:
    """Take up a firing, or ignore it.

    It counts when the lead still holds that very `DeadlineSet`, is open, and, for a task, the
    task is open too. The first overdue task makes the lead late, once (003-11).
    """
    lead = turn.open(turn.cause.subject)
    held = lead.deadlines.get(data.name)
    if held is None or held.id != data.deadline_set or not lead.is_open:
        return
    overdue = isinstance(data, LeadOverdue)
    task = lead.tasks.get(data.name)
    if overdue and (task is None or task.status != "open"):
        return
    turn.apply(turn.cause)
    turn.pending.append(turn.cause)
    if overdue and lead.late_at is None:
        with turn.under(turn.book.late.rule if turn.book.late else None):
            turn.emit(lead.id, LeadLate(owner=lead.owner, deadline=data.name))
