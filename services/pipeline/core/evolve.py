"""How events change a lead: pure, one function an event; an event of no effect has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core.lead import Attempt, Deadline, Exchange, Lead, Message, Task
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import ContactPoint
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import (
    AttemptLogged,
    ContactMade,
    DeadlineCleared,
    DeadlineSet,
    FieldsSet,
    LeadAssigned,
    LeadClosed,
    LeadCreated,
    LeadLate,
    LeadLinked,
    ReplyReceived,
    StageEntered,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskPostponed,
)
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue

Update = dict[str, Any]
CONTACT_FIELDS = frozenset({"phone", "email", "name", "company"})


def create(envelope: Envelope, data: LeadCreated) -> Lead:
    """The lead that a `LeadCreated` begins."""
    return Lead(
        id=envelope.subject,
        number=data.number,
        tenant=envelope.tenant,
        site=data.site,
        pipeline=data.pipeline,
        contact=data.contact,
        channel=data.channel,
        source=data.source,
        received_at=data.received_at,
        time=envelope.time,
        points=data.points,
        name=data.name,
        company=data.company,
        subject=data.subject,
        text=data.text,
        language=data.language,
        tags=data.tags,
        fields=data.fields,
        mail_ids=data.mail_ids,
    )


def evolve(lead: Lead, envelope: Envelope) -> Lead:
    """The lead after one more event: pipeline's own, a firing, or a message's fate."""
    changes = CHANGES.get(type(envelope.data))
    update = {} if changes is None else changes(lead, envelope, envelope.data)
    if envelope.time > lead.time:
        update["time"] = envelope.time
    return lead.model_copy(update=update) if update else lead


def _linked(lead: Lead, _: Envelope, data: LeadLinked) -> Update:
    return {
        "points": _joined(lead.points, data.points),
        "name": lead.name or data.name,
        "mail_ids": _joined(lead.mail_ids, data.mail_ids),
    }


def _replied(lead: Lead, _: Envelope, data: ReplyReceived) -> Update:
    return {"mail_ids": _joined(lead.mail_ids, data.mail_ids)}


def _assigned(lead: Lead, envelope: Envelope, data: LeadAssigned) -> Update:
    """Open tasks of the former owner go with the lead."""
    earlier = lead.earlier_owners
    if data.previous is not None and data.previous not in earlier:
        earlier = (*earlier, data.previous)
    tasks = {
        id_: task.model_copy(update={"to": data.owner})
        if task.status == "open" and task.to in (None, data.previous)
        else task
        for id_, task in lead.tasks.items()
    }
    return {
        "owner": data.owner,
        "earlier_owners": earlier,
        "assigned_at": envelope.time,
        "tasks": tasks,
    }


def _stage_entered(lead: Lead, envelope: Envelope, data: StageEntered) -> Update:
    return {
        "pipeline": data.pipeline,
        "stage": data.stage,
        "previous_stage": lead.stage or None,
        "stage_entered_at": envelope.time,
    }


def _fields_set(lead: Lead, _: Envelope, data: FieldsSet) -> Update:
    own = {key: value for key, value in data.fields.items() if key not in CONTACT_FIELDS}
    update: Update = {"fields": {**lead.fields, **own}} if own else {}
    update |= {key: data.fields[key] for key in ("name", "company") if key in data.fields}
    points = [
        ContactPoint(kind=kind, value=data.fields[kind])
        for kind in ("phone", "email")
        if data.fields.get(kind)
    ]
    if points:
        replaced = {point.kind for point in points}
        kept = [point for point in lead.points if point.kind not in replaced]
        update["points"] = tuple(points + kept)
    return update


def _attempted(lead: Lead, envelope: Envelope, data: AttemptLogged) -> Update:
    attempt = Attempt(
        at=envelope.time,
        code=data.code,
        channel=data.channel,
        outcome=data.outcome,
        counted=data.counted,
        by=data.by,
    )
    return {"attempts": (*lead.attempts, attempt)}


def _in_contact(lead: Lead, envelope: Envelope, data: ContactMade) -> Update:
    exchange = Exchange(
        at=envelope.time, channel=data.channel, direction=data.direction, by=data.by
    )
    return {"contacts": (*lead.contacts, exchange)}


def _task_created(lead: Lead, envelope: Envelope, data: TaskCreated) -> Update:
    task = Task(
        id=data.task,
        name=data.name,
        title=data.title,
        to=data.to,
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


def _completed(lead: Lead, _: Envelope, data: TaskCompleted) -> Update:
    return _task(lead, data.task, status="completed")


def _cancelled(lead: Lead, _: Envelope, data: TaskCancelled) -> Update:
    return _task(lead, data.task, status="cancelled")


def _deadline_set(lead: Lead, envelope: Envelope, data: DeadlineSet) -> Update:
    because = data.because
    deadline = Deadline(
        id=envelope.id,
        name=data.name,
        kind=data.kind,
        due=data.due,
        rule=because.rule if because else None,
        version=because.version if because else None,
    )
    return {"deadlines": {**lead.deadlines, data.name: deadline}}


def _without_deadline(lead: Lead, name: str) -> Update:
    return {"deadlines": {key: value for key, value in lead.deadlines.items() if key != name}}


def _deadline_cleared(lead: Lead, _: Envelope, data: DeadlineCleared) -> Update:
    return _without_deadline(lead, data.name) if data.name in lead.deadlines else {}


def _late(lead: Lead, envelope: Envelope, _: LeadLate) -> Update:
    return {"late_at": lead.late_at or envelope.time}


def _closed(_: Lead, envelope: Envelope, data: LeadClosed) -> Update:
    return {"status": data.status, "reason": data.reason, "closed_at": envelope.time}


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
    """A deadline fires once; a task stays open and is overdue."""
    deadline = lead.deadlines.get(data.name)
    if deadline is None or deadline.id != data.deadline_set:
        return {}
    return {
        **_without_deadline(lead, data.name),
        **_task(lead, data.name, due_at=data.due_at, overdue=True),
    }


def _sent(lead: Lead, envelope: Envelope, data: NotificationSent) -> Update:
    """A mail to the contact begins a thread: its Message-ID is made of the notification's id."""
    if any(message.id == data.notification for message in lead.messages):
        return {}
    message = Message(
        id=data.notification,
        template=data.template,
        channel=data.channel,
        to=data.to,
        sent_at=envelope.time,
    )
    update: Update = {"messages": (*lead.messages, message)}
    if data.channel == "email" and data.to == "contact":
        update["mail_ids"] = _joined(lead.mail_ids, (data.notification,))
    return update


def _joined(known: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return known + tuple(item for item in dict.fromkeys(new) if item not in known)


CHANGES: Mapping[type[Event], Callable[[Lead, Envelope, Any], Update]] = {
    LeadLinked: _linked,
    ReplyReceived: _replied,
    LeadAssigned: _assigned,
    StageEntered: _stage_entered,
    FieldsSet: _fields_set,
    AttemptLogged: _attempted,
    ContactMade: _in_contact,
    TaskCreated: _task_created,
    TaskPostponed: _postponed,
    TaskCompleted: _completed,
    TaskCancelled: _cancelled,
    DeadlineSet: _deadline_set,
    DeadlineCleared: _deadline_cleared,
    LeadLate: _late,
    LeadClosed: _closed,
    DeadlinePlanned: _planned,
    DeadlineReached: _fired,
    LeadOverdue: _fired,
    NotificationSent: _sent,
}
