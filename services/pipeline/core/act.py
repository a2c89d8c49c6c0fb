"""An agent's action, done: one function an action, after nothing stood against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core import action as acts
from services.pipeline.core.action import ActionBase, ActionRequested
from services.pipeline.core.appointment import (
    book,
    cancel_appointment,
    miss_appointment,
    move_appointment,
)
from services.pipeline.core.attempt import log_attempt
from services.pipeline.core.consent import Word, block, channels_of, unblock
from services.pipeline.core.create import create_by_hand
from services.pipeline.core.erasure import erase_contact
from services.pipeline.core.export import export_contact
from services.pipeline.core.fields import set_fields
from services.pipeline.core.handoff import hand_off
from services.pipeline.core.house import open_task
from services.pipeline.core.merge import invalidate, one_contact, one_lead_each, unlink
from services.pipeline.core.moment import due_of
from services.pipeline.core.notify import write
from services.pipeline.core.party import agents
from services.pipeline.core.question import answer
from services.pipeline.core.queue import take
from services.pipeline.core.refusal import needs, warnings
from services.pipeline.core.stage import assign, close, move, reopen
from services.pipeline.core.task import (
    assign_task,
    cancel_task,
    complete_task,
    create_task,
    postpone_task,
)
from services.pipeline.core.turn import Scene, Turn
from shared.contract.envelope import derived_id
from shared.contract.pipeline import (
    ActionRefused,
    ActionWarned,
    ContactMade,
    DocumentAttached,
    LeadAcknowledged,
    Need,
    NoteAdded,
    OutcomeClassified,
    PaymentConfirmed,
)


def act(turn: Turn, data: ActionRequested) -> None:
    """Do it, or refuse it with everything that is missing and change nothing."""
    if isinstance(data.action, acts.CreateLead):
        create_by_hand(turn, data.action, data.by)
        return
    lead = turn.open(turn.cause.subject).id
    arguments = data.action.model_dump(mode="json")
    scene = turn.scene(lead, data.by, arguments)
    standing_against = _standing_against(turn, scene, data)
    if standing_against:
        turn.emit(lead, ActionRefused(action=data.action.act, by=data.by, needs=standing_against))
        return
    told = warnings(scene, data.action)
    DEEDS[type(data.action)](turn, lead, data.action, data.by)
    if told:
        turn.emit(lead, ActionWarned(action=data.action.act, by=data.by, needs=told))


def _standing_against(turn: Turn, scene: Scene, data: ActionRequested) -> tuple[Need, ...]:
    """What does; who is forgotten is so on all their leads, and each may speak against it."""
    if not isinstance(data.action, acts.EraseContact):
        return needs(scene, data.action)
    leads = [id_ for id_ in scene.contact.leads if turn.has_lead(id_)]
    scenes = [turn.scene(id_, data.by, scene.arguments) for id_ in leads]
    return tuple(dict.fromkeys(need for each in scenes for need in needs(each, data.action)))


def _set_fields(turn: Turn, lead: str, action: acts.SetFields, by: str) -> None:
    set_fields(turn, lead, action.fields, by)


def _note(turn: Turn, lead: str, action: acts.Note, by: str) -> None:
    task = open_task(turn.lead(lead), action.task) if action.task else None
    turn.emit(lead, NoteAdded(text=action.text, task=task.id if task else None, by=by))


def _log_attempt(turn: Turn, lead: str, action: acts.LogAttempt, by: str) -> None:
    log_attempt(turn, lead, action.code, outcome=action.outcome, channel=action.channel, by=by)


def _log_contact(turn: Turn, lead: str, action: acts.LogContact, by: str) -> None:
    turn.emit(lead, ContactMade(channel=action.channel, direction=action.direction, by=by))


def _move(turn: Turn, lead: str, action: acts.Move, by: str) -> None:
    move(turn, lead, action.to, by=by, reason=action.reason, evidence=action.evidence)


def _close(turn: Turn, lead: str, action: acts.Close, by: str) -> None:
    close(turn, lead, action.status, by=by, reason=action.reason, evidence=action.evidence)


def _acknowledge(turn: Turn, lead: str, action: acts.Acknowledge, by: str) -> None:
    turn.emit(lead, LeadAcknowledged(note=action.note, by=by))
    if action.outcome is not None:
        _classify(turn, lead, acts.Classify(outcome=action.outcome), by)


def _take(turn: Turn, lead: str, action: acts.Take, by: str) -> None:
    with turn.under(turn.book.queues[action.queue].rule):
        take(turn, lead, by)


def _classify(turn: Turn, lead: str, action: acts.Classify, by: str) -> None:
    outcome = turn.book.outcomes[action.outcome]
    stays = turn.lead_called(action.duplicate_of) if action.duplicate_of else None
    duplicate_of = stays.id if stays else None
    with turn.under(outcome.rule):
        turn.emit(lead, OutcomeClassified(outcome=outcome.id, duplicate_of=duplicate_of, by=by))
        if duplicate_of is not None and outcome.closes == "invalid":
            _double(turn, lead, duplicate_of, by, action.reason or outcome.reason)
        elif outcome.closes is not None:
            close(turn, lead, outcome.closes, by=by, reason=action.reason or outcome.reason)


def _double(turn: Turn, lead: str, kept: str, by: str, reason: str | None) -> None:
    """Both leads are of one person, and one request."""
    rule = turn.book.pipelines[turn.lead(lead).pipeline].identity.rule
    one_contact(turn, [turn.contact(turn.lead(id_).contact) for id_ in (lead, kept)], rule)
    invalidate(turn, lead, kept, by=by, reason=reason)
    one_lead_each(turn, turn.lead(kept).contact, by)


def _unlink(turn: Turn, lead: str, action: acts.Unlink, by: str) -> None:  # noqa: ARG001
    unlink(turn, lead, by)


def _reopen(turn: Turn, lead: str, action: acts.Reopen, by: str) -> None:
    reopen(turn, lead, action.to, by)


def _attach(turn: Turn, lead: str, action: acts.Attach, by: str) -> None:
    turn.emit(
        lead,
        DocumentAttached(
            document=derived_id(turn.cause.id, "document"),
            kind=action.kind,
            status=action.status,
            name=action.name,
            url=action.url,
            by=by,
        ),
    )


def _confirm_payment(turn: Turn, lead: str, action: acts.ConfirmPayment, by: str) -> None:
    turn.emit(lead, PaymentConfirmed(kind=action.kind, amount=action.amount, by=by))


def _answer(turn: Turn, lead: str, action: acts.AnswerQuestion, by: str) -> None:
    answer(turn, lead, action, by)


def _send(turn: Turn, lead: str, action: acts.Send, by: str) -> None:
    write(turn, lead, action, by)


def _block(turn: Turn, lead: str, action: acts.Block, by: str) -> None:
    block(turn, lead, channels_of(action.channels), action.for_ == "contact", Word(by))


def _unblock(turn: Turn, lead: str, action: acts.Unblock, by: str) -> None:
    word = Word(by, action.why)
    unblock(turn, lead, channels_of(action.channels), action.for_ == "contact", word)


def _export_contact(turn: Turn, lead: str, _: acts.ExportContact, by: str) -> None:
    export_contact(turn, lead, by)


def _erase_contact(turn: Turn, lead: str, _: acts.EraseContact, by: str) -> None:
    erase_contact(turn, lead, by)


def _hand_off(turn: Turn, lead: str, action: acts.HandOff, by: str) -> None:
    hand_off(turn, lead, action.target, turn.cause, by)


def _book(turn: Turn, lead: str, action: acts.Book, by: str) -> None:
    book(turn, lead, action.start, action.lasts, place=action.place, by=by)


def _move_appointment(turn: Turn, lead: str, action: acts.MoveAppointment, by: str) -> None:
    move_appointment(turn, lead, action.start, action.lasts, place=action.place, by=by)


def _cancel_appointment(turn: Turn, lead: str, _: acts.CancelAppointment, by: str) -> None:
    cancel_appointment(turn, lead, by)


def _miss_appointment(turn: Turn, lead: str, _: acts.MissAppointment, by: str) -> None:
    miss_appointment(turn, lead, by)


def _cancel_task(turn: Turn, lead: str, action: acts.CancelTask, by: str) -> None:  # noqa: ARG001
    task = open_task(turn.lead(lead), action.task)
    if task is not None:
        cancel_task(turn, lead, task)


def _create_task(turn: Turn, lead: str, action: acts.CreateTask, by: str) -> None:
    due = None if action.due is None else due_of(turn.scene(lead, by), action.due)
    to = action.to or turn.lead(lead).owner
    create_task(turn, lead, action.task, due=due, to=to, subject=action.subject)


def _postpone_task(turn: Turn, lead: str, action: acts.PostponeTask, by: str) -> None:
    task = open_task(turn.lead(lead), action.task)
    due = due_of(turn.scene(lead, by), action.due)
    if task is not None and due is not None:
        postpone_task(turn, lead, task, due, note=action.note, by=by)


def _complete_task(turn: Turn, lead: str, action: acts.CompleteTask, by: str) -> None:
    task = open_task(turn.lead(lead), action.task)
    if task is not None:
        complete_task(turn, lead, task, note=action.note, by=by)


def _assign(turn: Turn, lead: str, action: acts.Assign, by: str) -> None:
    scene = turn.scene(lead, by, {"task": action.task})
    task = open_task(scene.lead, action.task) if action.task else None
    for agent in agents(scene, action.to)[:1]:
        if task is not None:
            assign_task(turn, lead, task, agent, note=action.note, by=by)
        else:
            assign(turn, lead, agent, by)


DEEDS: Mapping[type[ActionBase], Callable[[Turn, str, Any, str], None]] = {
    acts.SetFields: _set_fields,
    acts.Note: _note,
    acts.LogAttempt: _log_attempt,
    acts.LogContact: _log_contact,
    acts.Move: _move,
    acts.Close: _close,
    acts.CreateTask: _create_task,
    acts.PostponeTask: _postpone_task,
    acts.CompleteTask: _complete_task,
    acts.CancelTask: _cancel_task,
    acts.Assign: _assign,
    acts.Acknowledge: _acknowledge,
    acts.Take: _take,
    acts.Classify: _classify,
    acts.Unlink: _unlink,
    acts.Reopen: _reopen,
    acts.Attach: _attach,
    acts.ConfirmPayment: _confirm_payment,
    acts.Send: _send,
    acts.Block: _block,
    acts.Unblock: _unblock,
    acts.ExportContact: _export_contact,
    acts.EraseContact: _erase_contact,
    acts.HandOff: _hand_off,
    acts.Book: _book,
    acts.MoveAppointment: _move_appointment,
    acts.CancelAppointment: _cancel_appointment,
    acts.MissAppointment: _miss_appointment,
    acts.AnswerQuestion: _answer,
}
