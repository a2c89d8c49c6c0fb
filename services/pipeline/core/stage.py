"""Stages, closing and ownership, whoever does it: a rule or an agent."""

from __future__ import annotations

from services.pipeline.core.task import cancel_task, clear_deadline
from services.pipeline.core.turn import Turn
from shared.contract.pipeline import (
    LeadAssigned,
    LeadClosed,
    LeadReopened,
    NotificationWithdrawn,
    StageEntered,
)
from shared.domain.rulebook.declaration import Final
from shared.domain.rulebook.effect import PREVIOUS


def place(turn: Turn, lead: str, name: str) -> tuple[str, str]:
    """(pipeline, stage) that `stage` or `pipeline.stage` stands for, seen from this lead."""
    pipeline, _, stage = name.rpartition(".")
    return pipeline or turn.lead(lead).pipeline, stage


def move(
    turn: Turn,
    lead: str,
    to: str,
    *,
    by: str | None = None,
    reason: str | None = None,
    evidence: str | None = None,
) -> None:
    """The lead enters a stage; one that closes is run as that close. Staying is no event."""
    state = turn.lead(lead)
    pipeline, stage = place(turn, lead, to)
    closes = turn.book.stages[(pipeline, stage)].closes
    if closes is not None:
        close(turn, lead, closes, by=by, reason=reason, evidence=evidence)
    elif (state.pipeline, state.stage) != (pipeline, stage):
        enter(turn, lead, pipeline, stage, by)


def enter(turn: Turn, lead: str, pipeline: str, stage: str, by: str | None = None) -> None:
    """The stage itself, without a question."""
    left = turn.lead(lead).stage or None
    turn.emit(lead, StageEntered.model_construct(pipeline=pipeline, stage=stage, left=left, by=by))


def close(
    turn: Turn,
    lead: str,
    status: Final,
    *,
    by: str | None = None,
    reason: str | None = None,
    evidence: str | None = None,
) -> None:
    """The lead ends: its deadlines and tasks first, then what its owner was not told yet."""
    state = turn.lead(lead)
    if not state.is_open:
        return
    for task in state.open_tasks():
        cancel_task(turn, lead, task)
    for name in turn.lead(lead).deadlines:
        clear_deadline(turn, lead, name)
    if state.owner is not None:
        turn.emit(lead, NotificationWithdrawn(lead=lead, to=state.owner, why="lead_closed"))
    for question in state.questions.values():
        if question.is_open:
            withdrawn = NotificationWithdrawn(lead=lead, template=question.name, why="lead_closed")
            turn.emit(lead, withdrawn)
    stage = turn.book.pipelines[state.pipeline].closing(status)
    if stage is not None and stage.id != state.stage:
        enter(turn, lead, state.pipeline, stage.id, by)
    turn.emit(lead, LeadClosed(status=status, reason=reason, evidence=evidence, by=by))


def reopen(turn: Turn, lead: str, to: str, by: str | None = None) -> None:
    """A closed lead is open again, in a stage or in the one it was closed in."""
    state = turn.lead(lead)
    if state.is_open:
        return
    turn.emit(lead, LeadReopened(by=by))
    pipeline, stage = place(turn, lead, to)
    if to == PREVIOUS:
        was_closed_by = turn.book.stages[(state.pipeline, state.stage)].closes is not None
        stage = (state.previous_stage if was_closed_by else None) or state.stage
    enter(turn, lead, pipeline, stage, by)


def assign(turn: Turn, lead: str, owner: str, by: str | None = None) -> None:
    """Another owner; the former one is not told any more. The same owner is no event."""
    previous = turn.lead(lead).owner
    if previous == owner:
        return
    if previous is not None:
        turn.emit(lead, NotificationWithdrawn(lead=lead, to=previous, why="other_owner"))
    turn.emit(lead, LeadAssigned.model_construct(owner=owner, previous=previous, by=by))
