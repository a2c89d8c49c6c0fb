"""Effects, run: what each word of `do` makes of a lead. One function a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core import notify, question
from services.pipeline.core.appointment import miss_appointment
from services.pipeline.core.attempt import log_attempt
from services.pipeline.core.consent import block, blocking_rule, channels_of
from services.pipeline.core.create import create_linked
from services.pipeline.core.fields import set_fields
from services.pipeline.core.handoff import hand_off
from services.pipeline.core.moment import due_of
from services.pipeline.core.party import agents
from services.pipeline.core.placeholder import fill
from services.pipeline.core.stage import assign, close, move, reopen
from services.pipeline.core.task import (
    assign_task,
    cancel_task,
    clear_deadline,
    complete_task,
    create_task,
    postpone_task,
    set_deadline,
)
from services.pipeline.core.turn import Turn
from shared.contract.envelope import Envelope
from shared.contract.pipeline import NoteAdded
from shared.domain.rulebook import effect as words
from shared.domain.rulebook.effect import ALL, Effect


def run(turn: Turn, trigger: Envelope, effect: Effect) -> None:
    """Do it to the lead that `trigger` is about."""
    DEEDS[type(effect)](turn, trigger, effect)


def _create_task(turn: Turn, trigger: Envelope, effect: words.CreateTask) -> None:
    scene = turn.scene(trigger.subject)
    channel = scene.book.tasks[effect.create_task].channel
    if channel is not None and blocking_rule(scene, (channel,)) is not None:
        return
    to = next(iter(agents(scene, effect.to)), None)
    due = None if effect.due is None else due_of(scene, effect.due)
    subject = fill(scene, effect.subject) if effect.subject else None
    create_task(turn, trigger.subject, effect.create_task, due=due, to=to, subject=subject)


def _postpone_task(turn: Turn, trigger: Envelope, effect: words.PostponeTask) -> None:
    scene = turn.scene(trigger.subject)
    due = due_of(scene, effect.due)
    if due is None:
        return
    note = fill(scene, effect.note) if effect.note else None
    for task in scene.lead.open_tasks(effect.postpone_task):
        postpone_task(turn, trigger.subject, task, due, note=note)


def _complete_task(turn: Turn, trigger: Envelope, effect: words.CompleteTask) -> None:
    for task in turn.lead(trigger.subject).open_tasks(effect.complete_task):
        complete_task(turn, trigger.subject, task, note=effect.note)


def _cancel_task(turn: Turn, trigger: Envelope, effect: words.CancelTask) -> None:
    for task in turn.lead(trigger.subject).open_tasks():
        if ALL in effect.cancel_task or task.name in effect.cancel_task:
            cancel_task(turn, trigger.subject, task)


def _set_deadline(turn: Turn, trigger: Envelope, effect: words.SetDeadline) -> None:
    due = due_of(turn.scene(trigger.subject), effect.due)
    if due is not None:
        set_deadline(turn, trigger.subject, effect.set_deadline, due)


def _clear_deadline(turn: Turn, trigger: Envelope, effect: words.ClearDeadline) -> None:
    lead = turn.lead(trigger.subject)
    known = {**lead.fired, **lead.deadlines}.values()
    for name in [d.name for d in known if d.kind == "named"]:
        if effect.clear_deadline in (ALL, name):
            clear_deadline(turn, trigger.subject, name)


def _note(turn: Turn, trigger: Envelope, effect: words.Note) -> None:
    said = vars(trigger.data)
    scene = turn.scene(trigger.subject, said.get("by"), said)
    turn.emit(trigger.subject, NoteAdded(text=fill(scene, effect.note)))


def _set_fields(turn: Turn, trigger: Envelope, effect: words.SetFields) -> None:
    set_fields(turn, trigger.subject, effect.set_fields)


def _assign(turn: Turn, trigger: Envelope, effect: words.Assign) -> None:
    scene = turn.scene(trigger.subject)
    for agent in agents(scene, effect.assign)[:1]:
        if effect.task is None:
            assign(turn, trigger.subject, agent)
        else:
            for task in scene.lead.open_tasks(effect.task):
                assign_task(turn, trigger.subject, task, agent)


def _move(turn: Turn, trigger: Envelope, effect: words.Move) -> None:
    move(turn, trigger.subject, effect.move)


def _close(turn: Turn, trigger: Envelope, effect: words.Close) -> None:
    close(turn, trigger.subject, effect.close, reason=effect.reason)


def _reopen(turn: Turn, trigger: Envelope, effect: words.Reopen) -> None:
    reopen(turn, trigger.subject, effect.reopen)


def _create_lead(turn: Turn, trigger: Envelope, effect: words.CreateLead) -> None:
    create_linked(turn, trigger, turn.book.pipelines[effect.create_lead])


def _log_attempt(turn: Turn, trigger: Envelope, effect: words.LogAttempt) -> None:
    log_attempt(turn, trigger.subject, effect.log_attempt)


def _miss_appointment(turn: Turn, trigger: Envelope, _: words.MissAppointment) -> None:
    miss_appointment(turn, trigger.subject)


def _hand_off(turn: Turn, trigger: Envelope, effect: words.HandOff) -> None:
    hand_off(turn, trigger.subject, effect.hand_off, trigger)


def _withdraw(turn: Turn, trigger: Envelope, effect: words.Withdraw) -> None:
    notify.withdraw(turn, trigger.subject, effect)


def _block(turn: Turn, trigger: Envelope, effect: words.Block) -> None:
    block(turn, trigger.subject, channels_of(effect.block), effect.for_ == "contact")


DEEDS: Mapping[type[Effect], Callable[[Turn, Envelope, Any], None]] = {
    words.CreateTask: _create_task,
    words.PostponeTask: _postpone_task,
    words.CompleteTask: _complete_task,
    words.CancelTask: _cancel_task,
    words.SetDeadline: _set_deadline,
    words.ClearDeadline: _clear_deadline,
    words.Note: _note,
    words.SetFields: _set_fields,
    words.Assign: _assign,
    words.Move: _move,
    words.Close: _close,
    words.Reopen: _reopen,
    words.CreateLead: _create_lead,
    words.LogAttempt: _log_attempt,
    words.MissAppointment: _miss_appointment,
    words.HandOff: _hand_off,
    words.Send: notify.send,
    words.Withdraw: _withdraw,
    words.Ask: question.ask,
    words.Block: _block,
}
