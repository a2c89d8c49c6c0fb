"""What happened to a lead or a contact, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.contract import pipeline
from shared.contract.envelope import Event
from shared.domain.wording.say import Say, quoted


def _created(e: pipeline.LeadCreated, say: Say) -> str:
    tags = "".join(f" #{tag}" for tag in e.tags)
    return f"new lead: {say.person(e.name, e.points) or 'nobody named'}{tags}"


def _invalidated(e: pipeline.LeadInvalidated, say: Say) -> str:
    return f"invalid: the same request as {say.lead(e.kept)}{say.by(e.by)}"


def _merged(e: pipeline.ContactMerged, say: Say) -> str:
    return f"the same person: {say.person(None, e.points) or 'nobody named'} joins the contact"


def _unlinked(e: pipeline.LeadUnlinked, say: Say) -> str:
    who = say.person(None, e.points) or "nobody named"
    return f"not the same person: {who} is a contact of their own again{say.by(e.by)}"


def _linked(e: pipeline.LeadLinked, say: Say) -> str:
    if e.other:
        return f"{say.lead(e.other)} is the same request: kept here{say.by(e.by)}"
    if e.repeats:
        return f"the same {e.channel} again as {say.at(e.repeats)}, word for word: taken as one"
    who = say.person(e.name, e.points)
    return f"the same person again, by {e.channel}: kept on this lead" + (
        f" ({who})" if who else ""
    )


def _reply(e: pipeline.ReplyReceived, _: Say) -> str:
    return f"the contact answered by {e.channel}: {quoted(e.text or e.subject)}"


def _assigned(e: pipeline.LeadAssigned, say: Say) -> str:
    was = f" (was {say.names.agent(e.previous)})" if e.previous else ""
    return f"owner is {say.names.agent(e.owner)}{was}{say.by(e.by)}"


def _acknowledged(e: pipeline.LeadAcknowledged, say: Say) -> str:
    return f"taken up{say.by(e.by)}" + (f" {quoted(e.note)}" if e.note else "")


def _stage(e: pipeline.StageEntered, say: Say) -> str:
    left = f" from {say.stage(e.left)}" if e.left else ""
    return f"stage {say.stage(e.stage)}{left}{say.by(e.by)}"


def _fields(e: pipeline.FieldsSet, say: Say) -> str:
    said = ", ".join(
        f"{say.names.fields.get(k, k)} = {say.names.values.get((k, v), v)}"
        for k, v in e.fields.items()
    )
    return f"{said}{say.by(e.by)}"


def _note(e: pipeline.NoteAdded, say: Say) -> str:
    where = f" on {say.task(e.task)}" if e.task else ""
    return f"note {quoted(e.text)}{where}{say.by(e.by)}"


def _attempt(e: pipeline.AttemptLogged, say: Say) -> str:
    counted = "" if e.counted else " (too early: not counted)"
    who = f"{say.names.agent(e.by)} tried" if e.by else "tried"
    return f"{who} by {e.channel}: {e.outcome.replace('_', ' ')}{counted}"


def _contact(e: pipeline.ContactMade, say: Say) -> str:
    return f"reached by {e.channel}, {e.direction}{say.by(e.by)}"


def _task(e: pipeline.TaskCreated, say: Say) -> str:
    return f"task «{e.title}» for {say.names.agent(e.to)}{say.due(e.due)}"


def _postponed(e: pipeline.TaskPostponed, say: Say) -> str:
    return f"task {say.task(e.task, e.name)} put off{say.due(e.due)}"


def _task_given(e: pipeline.TaskAssigned, say: Say) -> str:
    was = f" (was {say.names.agent(e.previous)})" if e.previous else ""
    note = f" {quoted(e.note)}" if e.note else ""
    return f"task {say.task(e.task, e.name)} for {say.names.agent(e.to)}{was}{say.by(e.by)}{note}"


def _completed(e: pipeline.TaskCompleted, say: Say) -> str:
    note = f" {quoted(e.note)}" if e.note else ""
    return f"task {say.task(e.task, e.name)} done{say.by(e.by)}{note}"


def _cancelled(e: pipeline.TaskCancelled, say: Say) -> str:
    return f"task {say.task(e.task, e.name)} no longer needed"


def _deadline(e: pipeline.DeadlineSet, say: Say) -> str:
    return f"watch {say.task(e.name)}{say.due(e.due)}"


def _cleared(e: pipeline.DeadlineCleared, say: Say) -> str:
    return f"stop watching {say.task(e.name)}"


def _refused(e: pipeline.ActionRefused, say: Say) -> str:
    needs = "; ".join(
        f"{need.satisfied_by or ', '.join(need.missing)} ({need.rule})" for need in e.needs
    )
    return f"REFUSED to {say.names.agent(e.by)}: {e.action.replace('_', ' ')}: {needs}"


def _warned(e: pipeline.ActionWarned, say: Say) -> str:
    needs = "; ".join(f"{need.satisfied_by} ({need.rule})" for need in e.needs)
    return f"warned {say.names.agent(e.by)}: {e.action.replace('_', ' ')}: {needs}"


def _late(e: pipeline.LeadLate, say: Say) -> str:
    return f"LATE, owner is {say.names.agent(e.owner)}"


def _closed(e: pipeline.LeadClosed, say: Say) -> str:
    reason = f": «{say.names.reasons.get(e.reason, e.reason)}»" if e.reason else ""
    return f"closed, {e.status}{reason}{say.by(e.by)}"


def _reopened(e: pipeline.LeadReopened, say: Say) -> str:
    return f"open again{say.by(e.by)}"


def _classified(e: pipeline.OutcomeClassified, say: Say) -> str:
    return f"classified «{say.names.outcomes.get(e.outcome, e.outcome)}»{say.by(e.by)}"


def _revoked(e: pipeline.ConsentRevoked, say: Say) -> str:
    why = f" {quoted(e.why)}" if e.why else ""
    return f"does not want to be contacted by {_how(e)}{why}{say.by(e.by)}"


def _given(e: pipeline.ConsentGiven, say: Say) -> str:
    return f"may be contacted again by {_how(e)} {quoted(e.why)}{say.by(e.by)}"


def _how(e: pipeline.ConsentRevoked | pipeline.ConsentGiven) -> str:
    points = ", ".join(point.value for point in e.points)
    return ", ".join(e.channels) + (f" ({points})" if points else "")


def _unblocked(e: pipeline.LeadUnblocked, say: Say) -> str:
    return f"contact by {', '.join(e.channels)} again {quoted(e.why)}{say.by(e.by)}"


def _blocked(e: pipeline.LeadBlocked, say: Say) -> str:
    return f"no more contact by {', '.join(e.channels)}{say.by(e.by)}"


def _document(e: pipeline.DocumentAttached, say: Say) -> str:
    name = f" {quoted(e.name or e.url)}" if e.name or e.url else ""
    return f"{say.names.documents.get(e.kind, e.kind)} {e.status}{name}{say.by(e.by)}"


def _payment(e: pipeline.PaymentConfirmed, say: Say) -> str:
    return f"{e.kind} payment confirmed{f' {e.amount}' if e.amount else ''}{say.by(e.by)}"


def _where(place: str | None) -> str:
    return f" at {quoted(place)}" if place else ""


def _booked(e: pipeline.AppointmentBooked, say: Say) -> str:
    return f"appointment {say.at(e.starts_at)}{_where(e.place)}{say.by(e.by)}"


def _moved(e: pipeline.AppointmentMoved, say: Say) -> str:
    old, new = say.at(e.was_at), say.at(e.starts_at)
    return f"appointment moved from {old} to {new}{_where(e.place)}{say.by(e.by)}"


def _called_off(e: pipeline.AppointmentCancelled, say: Say) -> str:
    return f"appointment {say.at(e.starts_at)} cancelled{say.by(e.by)}"


def _missed(e: pipeline.AppointmentMissed, say: Say) -> str:
    return f"nobody came to the appointment {say.at(e.starts_at)}{say.by(e.by)}"


def _asked(e: pipeline.QuestionAsked, say: Say) -> str:
    whom = ", ".join(say.names.agent(agent) for agent in e.to)
    return f"{whom} asked, {e.question}: {' / '.join(answer.label for answer in e.answers)}"


def _answered(e: pipeline.QuestionAnswered, say: Say) -> str:
    to = f" {say.names.agent(e.to)}" if e.to else ""
    return f"answer to {e.question}{say.by(e.by)}: {e.answer}{to}"


def _requested(e: pipeline.NotificationRequested, say: Say) -> str:
    to = say.names.agent(e.to.id) if e.to.kind == "agent" else "the contact"
    return f"tell {to}: {e.template}"


def _exported(e: pipeline.ContactExported, say: Say) -> str:
    return f"all that is kept of the contact handed out{say.by(e.by)}"


def _erased(e: pipeline.LeadErased, say: Say) -> str:
    return f"nothing is kept any more of who the contact was{say.by(e.by)}"


def _person_erased(e: pipeline.ContactErased, say: Say) -> str:
    leads = ", ".join(say.lead(lead) for lead in e.leads)
    still = f"; still not to be contacted by {', '.join(e.not_by)}" if e.not_by else ""
    return f"the contact of {leads} is erased{still}{say.by(e.by)}"


def _handed(e: pipeline.HandoffRequested, say: Say) -> str:
    return f"hand over to {say.names.targets.get(e.target, e.target)}{say.by(e.by)}"


def _withdrawn(e: pipeline.NotificationWithdrawn, say: Say) -> str:
    to = f" to {'the contact' if e.to == 'contact' else say.names.agent(e.to)}" if e.to else ""
    return f"do not send {e.template or 'anything'}{to} any more: {_WHY_NOT.get(e.why, e.why)}"


_WHY_NOT = {
    "erased": "nobody is to know whose lead it was",
    "lead_closed": "the lead is closed",
    "other_owner": "somebody else owns it",
    "blocked": "they do not want to be contacted",
    "appointment_moved": "the appointment is moved",
    "appointment_cancelled": "the appointment is cancelled",
    "appointment_missed": "nobody came to the appointment",
}


WORDS: dict[type[Event], Callable[[Any, Say], str]] = {
    pipeline.LeadCreated: _created,
    pipeline.LeadLinked: _linked,
    pipeline.LeadInvalidated: _invalidated,
    pipeline.ContactMerged: _merged,
    pipeline.LeadUnlinked: _unlinked,
    pipeline.ReplyReceived: _reply,
    pipeline.LeadAssigned: _assigned,
    pipeline.LeadAcknowledged: _acknowledged,
    pipeline.StageEntered: _stage,
    pipeline.FieldsSet: _fields,
    pipeline.NoteAdded: _note,
    pipeline.AttemptLogged: _attempt,
    pipeline.ContactMade: _contact,
    pipeline.TaskCreated: _task,
    pipeline.TaskAssigned: _task_given,
    pipeline.TaskPostponed: _postponed,
    pipeline.TaskCompleted: _completed,
    pipeline.TaskCancelled: _cancelled,
    pipeline.DeadlineSet: _deadline,
    pipeline.DeadlineCleared: _cleared,
    pipeline.ActionRefused: _refused,
    pipeline.ActionWarned: _warned,
    pipeline.LeadLate: _late,
    pipeline.LeadClosed: _closed,
    pipeline.LeadReopened: _reopened,
    pipeline.OutcomeClassified: _classified,
    pipeline.ConsentRevoked: _revoked,
    pipeline.ConsentGiven: _given,
    pipeline.LeadBlocked: _blocked,
    pipeline.LeadUnblocked: _unblocked,
    pipeline.DocumentAttached: _document,
    pipeline.PaymentConfirmed: _payment,
    pipeline.AppointmentBooked: _booked,
    pipeline.AppointmentMoved: _moved,
    pipeline.AppointmentCancelled: _called_off,
    pipeline.AppointmentMissed: _missed,
    pipeline.QuestionAsked: _asked,
    pipeline.QuestionAnswered: _answered,
    pipeline.NotificationRequested: _requested,
    pipeline.NotificationWithdrawn: _withdrawn,
    pipeline.HandoffRequested: _handed,
    pipeline.ContactExported: _exported,
    pipeline.LeadErased: _erased,
    pipeline.ContactErased: _person_erased,
}
