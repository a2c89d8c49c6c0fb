"""What each event is in words, for people who read the story of a lead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.contract import intake, notifications, pipeline, reminders
from shared.contract.directory import Document, kind_of
from shared.contract.due import Due
from shared.contract.envelope import Event
from shared.contract.intake import ContactPoint
from shared.domain.lead_number import number_of
from shared.domain.names import Names

SHOWN_CHARACTERS = 120
"""As much of somebody's text as a line of the story quotes."""

OF = {"elapsed": "", "open_hours": " of open hours", "working_days": " (working days)"}


@dataclass(frozen=True)
class _Say:
    names: Names
    zone: ZoneInfo

    def at(self, instant: datetime) -> str:
        local = instant.astimezone(self.zone)
        return f"{local:%a} {local.day} {local:%b %H:%M}"

    def by(self, agent: str | None) -> str:
        return f" by {self.names.agent(agent)}" if agent else ""

    def lead(self, id_: str) -> str:
        return f"№{number_of(id_)}"

    def stage(self, id_: str) -> str:
        return f"«{self.names.stages.get(id_, id_)}»"

    def task(self, id_: str, kind: str | None = None) -> str:
        return f"«{self.names.tasks.get(id_, kind or id_)}»"

    def person(self, name: str | None, points: Iterable[ContactPoint]) -> str:
        return ", ".join([*([name] if name else []), *(point.value for point in points)])

    def due(self, due: Due | None) -> str:
        if due is None:
            return ""
        at = f" at {due.at.replace('_', ' ')}" if due.at else ""
        if due.in_:
            return f", due in {due.in_}{OF[due.of]}{at}"
        if due.before:
            what = " the appointment" if due.anchor else ""
            return f", due {due.before} before{what}{at}"
        when = self.at(due.instant) if due.instant else f"{due.on}"
        return f", due {when}{at}"


def quoted(text: str | None) -> str:
    """The beginning of somebody's text, on one line, in quotes."""
    line = " ".join((text or "").split())
    cut = line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"
    return f"«{cut}»" if cut else ""


def _received(e: intake.LeadReceived, say: _Say) -> str:
    how = {"form": "web form", "email": "e-mail", "sms": "SMS"}.get(e.channel, e.channel)
    if e.call:
        how = f"{e.call.outcome} call" if e.call.direction == "inbound" else "outbound call"
    source = say.names.sources.get(e.source, e.source)
    who = say.person(e.name, e.points) or "nobody named"
    words = " ".join(part for part in (quoted(e.subject), quoted(e.text)) if part)
    return f"{how} from {who} ({source})" + (f" {words}" if words else "")


def _invited(e: intake.InvitationAnswered, _: _Say) -> str:
    text = f" {quoted(e.text)}" if e.text else ""
    return f"the contact {_ANSWERS[e.answer]} the invitation{text}"


_ANSWERS = {"accepted": "accepted", "declined": "declined", "tentative": "may follow"}


def _ignored(e: intake.InboundIgnored, say: _Say) -> str:
    return f"no lead: {e.why} ({say.names.sources.get(e.source, e.source)})"


def _quarantined(e: intake.InboundQuarantined, _: _Say) -> str:
    return f"set aside, could not be read: {e.why}"


def _created(e: pipeline.LeadCreated, say: _Say) -> str:
    tags = "".join(f" #{tag}" for tag in e.tags)
    return f"new lead: {say.person(e.name, e.points) or 'nobody named'}{tags}"


def _call_started(e: intake.CallStarted, say: _Say) -> str:
    taken = f", taken by {say.names.agent(e.agent)}" if e.agent else ""
    who = say.person(None, e.points) or "somebody"
    return f"{who} is calling{taken}" if e.direction == "inbound" else f"we are calling {who}"


def _call_ended(e: intake.CallEnded, say: _Say) -> str:
    who = say.person(None, e.points) or "somebody"
    return f"our call to {who} is over: {e.outcome}{say.by(e.agent)}"


def _invalidated(e: pipeline.LeadInvalidated, say: _Say) -> str:
    return f"invalid: the same request as {say.lead(e.kept)}{say.by(e.by)}"


def _merged(e: pipeline.ContactMerged, say: _Say) -> str:
    return f"the same person: {say.person(None, e.points) or 'nobody named'} joins the contact"


def _unlinked(e: pipeline.LeadUnlinked, say: _Say) -> str:
    who = say.person(None, e.points) or "nobody named"
    return f"not the same person: {who} is a contact of their own again{say.by(e.by)}"


def _linked(e: pipeline.LeadLinked, say: _Say) -> str:
    if e.other:
        return f"{say.lead(e.other)} is the same request: kept here{say.by(e.by)}"
    if e.repeats:
        return f"the same {e.channel} again as {say.at(e.repeats)}, word for word: taken as one"
    who = say.person(e.name, e.points)
    return f"the same person again, by {e.channel}: kept on this lead" + (
        f" ({who})" if who else ""
    )


def _reply(e: pipeline.ReplyReceived, _: _Say) -> str:
    return f"the contact answered by {e.channel}: {quoted(e.text or e.subject)}"


def _assigned(e: pipeline.LeadAssigned, say: _Say) -> str:
    was = f" (was {say.names.agent(e.previous)})" if e.previous else ""
    return f"owner is {say.names.agent(e.owner)}{was}{say.by(e.by)}"


def _acknowledged(e: pipeline.LeadAcknowledged, say: _Say) -> str:
    return f"taken up{say.by(e.by)}" + (f" {quoted(e.note)}" if e.note else "")


def _stage(e: pipeline.StageEntered, say: _Say) -> str:
    left = f" from {say.stage(e.left)}" if e.left else ""
    return f"stage {say.stage(e.stage)}{left}{say.by(e.by)}"


def _fields(e: pipeline.FieldsSet, say: _Say) -> str:
    said = ", ".join(
        f"{say.names.fields.get(k, k)} = {say.names.values.get((k, v), v)}"
        for k, v in e.fields.items()
    )
    return f"{said}{say.by(e.by)}"


def _note(e: pipeline.NoteAdded, say: _Say) -> str:
    where = f" on {say.task(e.task)}" if e.task else ""
    return f"note {quoted(e.text)}{where}{say.by(e.by)}"


def _attempt(e: pipeline.AttemptLogged, say: _Say) -> str:
    counted = "" if e.counted else " (too early: not counted)"
    who = f"{say.names.agent(e.by)} tried" if e.by else "tried"
    return f"{who} by {e.channel}: {e.outcome.replace('_', ' ')}{counted}"


def _contact(e: pipeline.ContactMade, say: _Say) -> str:
    return f"reached by {e.channel}, {e.direction}{say.by(e.by)}"


def _task(e: pipeline.TaskCreated, say: _Say) -> str:
    return f"task «{e.title}» for {say.names.agent(e.to)}{say.due(e.due)}"


def _postponed(e: pipeline.TaskPostponed, say: _Say) -> str:
    return f"task {say.task(e.task, e.name)} put off{say.due(e.due)}"


def _task_given(e: pipeline.TaskAssigned, say: _Say) -> str:
    was = f" (was {say.names.agent(e.previous)})" if e.previous else ""
    note = f" {quoted(e.note)}" if e.note else ""
    return f"task {say.task(e.task, e.name)} for {say.names.agent(e.to)}{was}{say.by(e.by)}{note}"


def _completed(e: pipeline.TaskCompleted, say: _Say) -> str:
    note = f" {quoted(e.note)}" if e.note else ""
    return f"task {say.task(e.task, e.name)} done{say.by(e.by)}{note}"


def _cancelled(e: pipeline.TaskCancelled, say: _Say) -> str:
    return f"task {say.task(e.task, e.name)} no longer needed"


def _deadline(e: pipeline.DeadlineSet, say: _Say) -> str:
    return f"watch {say.task(e.name)}{say.due(e.due)}"


def _cleared(e: pipeline.DeadlineCleared, say: _Say) -> str:
    return f"stop watching {say.task(e.name)}"


def _refused(e: pipeline.ActionRefused, say: _Say) -> str:
    needs = "; ".join(
        f"{need.satisfied_by or ', '.join(need.missing)} ({need.rule})" for need in e.needs
    )
    return f"REFUSED to {say.names.agent(e.by)}: {e.action.replace('_', ' ')}: {needs}"


def _warned(e: pipeline.ActionWarned, say: _Say) -> str:
    needs = "; ".join(f"{need.satisfied_by} ({need.rule})" for need in e.needs)
    return f"warned {say.names.agent(e.by)}: {e.action.replace('_', ' ')}: {needs}"


def _late(e: pipeline.LeadLate, say: _Say) -> str:
    return f"LATE, owner is {say.names.agent(e.owner)}"


def _closed(e: pipeline.LeadClosed, say: _Say) -> str:
    reason = f": «{say.names.reasons.get(e.reason, e.reason)}»" if e.reason else ""
    return f"closed, {e.status}{reason}{say.by(e.by)}"


def _reopened(e: pipeline.LeadReopened, say: _Say) -> str:
    return f"open again{say.by(e.by)}"


def _classified(e: pipeline.OutcomeClassified, say: _Say) -> str:
    return f"classified «{say.names.outcomes.get(e.outcome, e.outcome)}»{say.by(e.by)}"


def _revoked(e: pipeline.ConsentRevoked, say: _Say) -> str:
    why = f" {quoted(e.why)}" if e.why else ""
    return f"does not want to be contacted by {_how(e)}{why}{say.by(e.by)}"


def _given(e: pipeline.ConsentGiven, say: _Say) -> str:
    return f"may be contacted again by {_how(e)} {quoted(e.why)}{say.by(e.by)}"


def _how(e: pipeline.ConsentRevoked | pipeline.ConsentGiven) -> str:
    points = ", ".join(point.value for point in e.points)
    return ", ".join(e.channels) + (f" ({points})" if points else "")


def _unblocked(e: pipeline.LeadUnblocked, say: _Say) -> str:
    return f"contact by {', '.join(e.channels)} again {quoted(e.why)}{say.by(e.by)}"


def _stopped(e: intake.OptOutReceived, say: _Say) -> str:
    who = say.person(None, e.points) or "the contact"
    return f"{who} wants no more by {e.channel}: {quoted(e.text)}"


def _started(e: intake.OptInReceived, say: _Say) -> str:
    who = say.person(None, e.points) or "the contact"
    return f"{who} may be contacted again by {', '.join(e.channels)}: {quoted(e.text)}"


def _blocked(e: pipeline.LeadBlocked, say: _Say) -> str:
    return f"no more contact by {', '.join(e.channels)}{say.by(e.by)}"


def _document(e: pipeline.DocumentAttached, say: _Say) -> str:
    name = f" {quoted(e.name or e.url)}" if e.name or e.url else ""
    return f"{say.names.documents.get(e.kind, e.kind)} {e.status}{name}{say.by(e.by)}"


def _payment(e: pipeline.PaymentConfirmed, say: _Say) -> str:
    return f"{e.kind} payment confirmed{f' {e.amount}' if e.amount else ''}{say.by(e.by)}"


def _where(place: str | None) -> str:
    return f" at {quoted(place)}" if place else ""


def _booked(e: pipeline.AppointmentBooked, say: _Say) -> str:
    return f"appointment {say.at(e.starts_at)}{_where(e.place)}{say.by(e.by)}"


def _moved(e: pipeline.AppointmentMoved, say: _Say) -> str:
    old, new = say.at(e.was_at), say.at(e.starts_at)
    return f"appointment moved from {old} to {new}{_where(e.place)}{say.by(e.by)}"


def _called_off(e: pipeline.AppointmentCancelled, say: _Say) -> str:
    return f"appointment {say.at(e.starts_at)} cancelled{say.by(e.by)}"


def _missed(e: pipeline.AppointmentMissed, say: _Say) -> str:
    return f"nobody came to the appointment {say.at(e.starts_at)}{say.by(e.by)}"


def _asked(e: pipeline.QuestionAsked, say: _Say) -> str:
    whom = ", ".join(say.names.agent(agent) for agent in e.to)
    return f"{whom} asked, {e.question}: {' / '.join(answer.label for answer in e.answers)}"


def _answered(e: pipeline.QuestionAnswered, say: _Say) -> str:
    to = f" {say.names.agent(e.to)}" if e.to else ""
    return f"answer to {e.question}{say.by(e.by)}: {e.answer}{to}"


def _requested(e: pipeline.NotificationRequested, say: _Say) -> str:
    to = say.names.agent(e.to.id) if e.to.kind == "agent" else "the contact"
    return f"tell {to}: {e.template}"


def _exported(e: pipeline.ContactExported, say: _Say) -> str:
    return f"all that is kept of the contact handed out{say.by(e.by)}"


def _erased(e: pipeline.LeadErased, say: _Say) -> str:
    return f"nothing is kept any more of who the contact was{say.by(e.by)}"


def _person_erased(e: pipeline.ContactErased, say: _Say) -> str:
    leads = ", ".join(say.lead(lead) for lead in e.leads)
    still = f"; still not to be contacted by {', '.join(e.not_by)}" if e.not_by else ""
    return f"the contact of {leads} is erased{still}{say.by(e.by)}"


def _handed(e: pipeline.HandoffRequested, say: _Say) -> str:
    return f"hand over to {say.names.targets.get(e.target, e.target)}{say.by(e.by)}"


def _withdrawn(e: pipeline.NotificationWithdrawn, say: _Say) -> str:
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


def _planned(e: reminders.DeadlinePlanned, say: _Say) -> str:
    return f"{say.task(e.name)} is due {say.at(e.due_at)}"


def _overdue(e: reminders.LeadOverdue, say: _Say) -> str:
    return f"{say.task(e.name)} was due {say.at(e.due_at)} and is not done"


def _reached(e: reminders.DeadlineReached, say: _Say) -> str:
    return f"{say.task(e.name)} has come ({say.at(e.due_at)})"


def _digest(e: reminders.DigestDue, say: _Say) -> str:
    return f"time for the digest of {say.names.agent(e.agent)}"


def _absent(e: reminders.AgentAbsent, say: _Say) -> str:
    return f"{say.names.agent(e.agent)} has been away since {say.at(e.since)}"


def _whom(e: notifications.MessageEvent, say: _Say) -> str:
    if e.channel == "webhook":
        return f"hand-over to {say.names.targets.get(e.to, e.to)}"
    how = {"sms": "SMS", "email": "e-mail"}.get(e.channel, e.channel)
    to = "the contact" if e.to == "contact" else say.names.agent(e.to)
    return f"{how} {e.template} to {to}"


def _sent(e: notifications.NotificationSent, say: _Say) -> str:
    return f"{_whom(e, say)}: {quoted(e.subject or e.text)}"


def _deferred(e: notifications.NotificationDeferred, say: _Say) -> str:
    return f"{_whom(e, say)} held until {say.at(e.until)}: {e.why}"


def _not_sent(e: notifications.NotificationSuppressed, say: _Say) -> str:
    return f"{_whom(e, say)} not sent: {e.why}"


def _failed(e: notifications.NotificationFailed, say: _Say) -> str:
    return f"{_whom(e, say)} FAILED: {e.why}"


def _unknown(e: notifications.NotificationUnknown, say: _Say) -> str:
    return f"{_whom(e, say)}: unknown whether it went, {e.resolution.replace('_', ' ')}"


WORDS: dict[type[Event], Callable[[Any, _Say], str]] = {
    intake.LeadReceived: _received,
    intake.CallStarted: _call_started,
    intake.CallEnded: _call_ended,
    intake.EmailOpened: lambda _, __: "the contact opened our e-mail",
    intake.InboundIgnored: _ignored,
    intake.InboundQuarantined: _quarantined,
    intake.RawReceived: lambda e, _: f"{len(e.body_base64) * 3 // 4} bytes at door {e.door}",
    intake.InvitationAnswered: _invited,
    intake.OptOutReceived: _stopped,
    intake.OptInReceived: _started,
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
    reminders.DeadlinePlanned: _planned,
    reminders.LeadOverdue: _overdue,
    reminders.DeadlineReached: _reached,
    reminders.DigestDue: _digest,
    reminders.AgentAbsent: _absent,
    notifications.NotificationSent: _sent,
    notifications.NotificationDeferred: _deferred,
    notifications.NotificationSuppressed: _not_sent,
    notifications.NotificationFailed: _failed,
    notifications.NotificationUnknown: _unknown,
}


def words_for(event: Event, names: Names, zone: ZoneInfo) -> str:
    """The event in words; instants are told in `zone`."""
    if isinstance(event, Document):
        return f"directory: {kind_of(event)} {event.id}"
    words = WORDS.get(type(event))
    return words(event, _Say(names, zone)) if words else type(event).__name__
