"""What a person is told: the recipient, the occasion, and the values a template speaks of."""

from __future__ import annotations

from datetime import datetime

from pydantic import JsonValue

from services.pipeline.core.action import Send as SendAction
from services.pipeline.core.consent import blocking_rule
from services.pipeline.core.lead import Appointment, Lead, Task
from services.pipeline.core.party import agents
from services.pipeline.core.past import past_values
from services.pipeline.core.turn import Scene, Turn
from shared.contract.envelope import Envelope
from shared.contract.invitation import Invitation
from shared.contract.pipeline import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentMoved,
    NotificationRequested,
    NotificationWithdrawn,
    Recipient,
    TaskAssigned,
    TaskCreated,
)
from shared.contract.reminders import DeadlineReached, LeadOverdue
from shared.domain.directory import Directory
from shared.domain.rulebook.effect import ALL, CONTACT, Send, Withdraw
from shared.domain.rulebook.message import Template
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.zone import zone_of

Values = dict[str, JsonValue]
APPOINTMENT_EVENTS = (
    AppointmentBooked,
    AppointmentMoved,
    AppointmentCancelled,
    AppointmentMissed,
)


def attachments(scene: Scene, template: Template) -> tuple[str, ...] | None:
    """The files that go along; None while the field that chooses them has no value for it."""
    if template.attach_by is None:
        return template.attach
    value = scene.lead.fields.get(template.attach_by.field, "")
    chosen = template.attach_by.files.get(value)
    return None if chosen is None else (*template.attach, *chosen)


def write(turn: Turn, lead: str, action: SendAction, by: str) -> None:
    """An agent has the contact written to, by a template; each time is an occasion."""
    scene = turn.scene(lead, by)
    template = action.template
    declared = turn.book.messages.templates[template]
    written: Values = {"written": {"subject": action.subject, "text": action.text}}
    turn.emit(
        lead,
        NotificationRequested(
            to=_contact(scene),
            template=template,
            occasion=f"cause:{turn.cause.id}",
            site=scene.lead.site,
            lead=lead,
            values=message_values(scene, turn.cause, template) | written,
            attach=attachments(scene, declared) or (),
            appointment=appointment_of(scene.lead, turn.cause),
            invitation=invitation_of(scene.lead, declared),
        ),
    )


def send(turn: Turn, trigger: Envelope, effect: Send) -> None:
    """Ask that everybody `to` stands for be told, once per lead, day, stage or cause."""
    lead, scene = trigger.subject, turn.scene(trigger.subject)
    channels = turn.book.messages.templates[effect.send].channels
    if effect.to == CONTACT and blocking_rule(scene, channels) is not None:
        return
    batch = scene.lead.batch if effect.collect == "batch" and effect.to != CONTACT else None
    occasion = f"batch:{batch}" if batch else _occasion(scene, trigger, effect)
    values = message_values(scene, trigger, effect.send)
    template = turn.book.messages.templates[effect.send]
    attach = attachments(scene, template) or ()
    invitation = invitation_of(scene.lead, template)
    if template.ics and invitation is None:
        return
    if effect.to == CONTACT:
        people = [(_contact(scene), scene.lead.site)]
    else:
        directory = turn.directory
        people = [
            (Recipient.model_construct(kind="agent", id=agent), directory.agent(agent).site)
            for agent in agents(scene, effect.to)
        ]
    for recipient, site in people:
        turn.emit(
            lead,
            NotificationRequested.model_construct(
                to=recipient,
                template=effect.send,
                occasion=occasion,
                site=site,
                # One that speaks of several leads is about none of them: no lead takes it back.
                lead=None if batch else lead,
                values=values,
                collect=batch is not None,
                attach=attach,
                appointment=None if batch else appointment_of(scene.lead, trigger),
                invitation=invitation,
            ),
        )


def withdraw(turn: Turn, lead: str, effect: Withdraw) -> None:
    """What is not sent yet of this template shall not be."""
    template = None if effect.withdraw == ALL else effect.withdraw
    turn.emit(lead, NotificationWithdrawn(lead=lead, template=template, why="rule"))


def message_values(scene: Scene, trigger: Envelope, template: str) -> Values:
    """Everything a message about a lead can speak of; what is not known is null.

    `lead`, `task` and `appointment` (the last one) as in `lead_values` and the like; `status`,
    `reason` (label), `closed_at` and `attempts` (how many) of the lead; `round`: the how-manieth
    time this template goes out for it; `linked` the contact's other lead, as `lead`; `last_caller`
    who tried last; `written` (`subject`, `text`) what an agent wrote for it,
    if any. What was done so far and the documents, where it speaks of them: `past_values`.
    """
    lead = scene.lead
    reason = scene.book.reasons.get(lead.reason or "")
    task = _task_in_hand(lead, trigger)
    return {
        "lead": lead_values(scene.book, scene.directory, lead),
        "task": None if task is None else task_values(task),
        "appointment": appointment_values(lead.appointment),
        "status": lead.status,
        "reason": reason.label if reason else lead.reason,
        "attempts": len(lead.attempts),
        "closed_at": _iso(lead.closed_at),
        "round": 1 + len({m.sent_at for m in lead.messages if m.template == template}),
        "written": {"subject": None, "text": None},
        "linked": _other_values(scene),
        "last_caller": _last_caller(scene),
        **past_values(scene, template),
    }


def _other_values(scene: Scene) -> Values | None:
    """The contact's other lead, the one spoken of first."""
    others = scene.others
    return lead_values(scene.book, scene.directory, others[0]) if others else None


def _last_caller(scene: Scene) -> str | None:
    """The name of whoever tried last."""
    return next((scene.directory.agent(id_).name for id_ in agents(scene, "last_caller")), None)


def lead_values(book: Rulebook, directory: Directory, lead: Lead) -> Values:
    """A lead for people: who, how to reach them, from where, in which stage, whose."""
    source = book.sources.by_id(lead.source)
    stage = book.stages.get((lead.pipeline, lead.stage))
    return {
        "number": lead.number,
        "name": lead.name,
        "company": lead.company,
        "phone": lead.point("phone"),
        "email": lead.point("email"),
        "source": source.label if source else lead.source,
        "channel": lead.channel,
        "subject": lead.subject,
        "text": lead.text,
        "received_at": _iso(lead.received_at),
        "stage": stage.label if stage else lead.stage,
        "owner": directory.agent(lead.owner).name if lead.owner else None,
    }


def task_values(task: Task) -> Values:
    """A task for people; `due_at` is null until reminders has planned it."""
    return {
        "title": task.title,
        "due_at": _iso(task.due_at),
        "channel": task.channel,
        "note": task.note,
    }


def appointment_values(appointment: Appointment | None) -> Values | None:
    """An appointment for people; null without one."""
    if appointment is None:
        return None
    return {
        "starts_at": _iso(appointment.starts_at),
        "ends_at": _iso(appointment.ends_at),
        "place": appointment.place,
        "status": appointment.status,
        "answer": appointment.answer,
    }


def invitation_of(lead: Lead, template: Template) -> Invitation | None:
    """What goes into the contact's calendar with this template: the last appointment, or that it
    does not take place."""
    appointment = lead.appointment
    if not template.ics or appointment is None:
        return None
    return Invitation(
        method="request" if appointment.status == "booked" else "cancel",
        appointment=appointment.id,
        revision=appointment.revision,
        starts_at=appointment.starts_at,
        ends_at=appointment.ends_at,
        place=appointment.place,
        host=lead.owner,
    )


def appointment_of(lead: Lead, trigger: Envelope) -> str | None:
    """The id of the appointment that this news is about: its own, or what was due by it."""
    data = trigger.data
    if isinstance(data, APPOINTMENT_EVENTS):
        return data.appointment
    if isinstance(data, DeadlineReached | LeadOverdue) and data.name in lead.fired:
        return lead.fired[data.name].due.anchor
    return None


def _task_in_hand(lead: Lead, trigger: Envelope) -> Task | None:
    """The task that the trigger is about, else the newest open one."""
    if isinstance(trigger.data, LeadOverdue):
        return lead.tasks.get(trigger.data.name)
    if isinstance(trigger.data, TaskCreated | TaskAssigned):
        return lead.tasks.get(trigger.data.task)
    return next(reversed(lead.open_tasks()), None)


def _contact(scene: Scene) -> Recipient:
    """The contact with every point known; notifications takes the first of each kind."""
    contact = scene.contact
    points = tuple(point.plain for point in contact.points)
    return Recipient(
        kind="contact",
        id=contact.id,
        points=points,
        zone=zone_of(points, scene.directory.site(scene.lead.site).zone),
        language=contact.language or scene.book.language,
    )


def _occasion(scene: Scene, trigger: Envelope, effect: Send) -> str:
    """What makes two messages the same message (beside recipient, channel and template)."""
    lead = scene.lead
    if effect.once_per != "cause" and appointment_of(lead, trigger) and lead.appointment:
        # Moved, it is told again: the same appointment at another time is another occasion.
        return f"{_period(scene, effect)}:{_iso(lead.appointment.starts_at)}"
    if effect.once_per != "cause":
        return _period(scene, effect)
    if isinstance(trigger.data, LeadOverdue):
        return f"cause:{trigger.data.deadline_set}"
    return f"cause:{trigger.id}"


def _period(scene: Scene, effect: Send) -> str:
    lead = scene.lead
    if effect.once_per == "lead":
        return f"lead:{lead.id}"
    if effect.once_per == "stage":
        return f"stage:{lead.id}:{lead.stage}:{_iso(lead.stage_entered_at)}"
    return f"day:{lead.id}:{scene.today.isoformat()}"


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
