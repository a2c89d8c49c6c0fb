"""Firings, judged: reminders says that a time has come, pipeline whether it still counts."""

from __future__ import annotations

from collections.abc import Iterable

from services.pipeline.core.lead import Lead
from services.pipeline.core.order import oldest_first
from services.pipeline.core.turn import Turn
from shared.contract.envelope import Envelope, derived_id
from shared.contract.pipeline import LeadLate
from shared.contract.reminders import AgentAbsent, DeadlineReached, LeadOverdue


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


def judge_absence(turn: Turn, data: AgentAbsent) -> None:
    """The absence of an agent, for one of their leads: the subject of the turn's cause.

    It counts when they still own the lead, it is open, and the directory still has them away.
    """
    lead = turn.open(turn.cause.subject)
    is_away = turn.directory.away(data.agent, turn.now) is not None
    if lead.is_open and lead.owner == data.agent and is_away:
        turn.take_in(lead.id)


def absences_of(cause: Envelope, leads: Iterable[Lead]) -> list[Envelope]:
    """What an `AgentAbsent` means for each open lead that the agent had then: one input a lead.

    Those that they were given later are not meant, however late this is asked.
    """
    data = cause.data
    assert isinstance(data, AgentAbsent)  # the handler saw to it
    owned = [
        lead
        for lead in leads
        if lead.is_open
        and lead.owner == data.agent
        and (lead.assigned_at or lead.received_at) <= cause.time
    ]
    return [
        cause.model_copy(update={"id": derived_id(cause.id, lead.id), "subject": lead.id})
        for lead in oldest_first(owned)
    ]
