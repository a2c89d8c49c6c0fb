"""How events change a lead: pure, one function an event; an event of no effect has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core.contact import HOUSE
from services.pipeline.core.evolve_appointment import APPOINTMENT_CHANGES
from services.pipeline.core.evolve_erased import ERASED_CHANGES
from services.pipeline.core.evolve_task import TASK_CHANGES, Update
from services.pipeline.core.lead import (
    Attempt,
    Document,
    Exchange,
    Lead,
    Message,
    Payment,
    Question,
)
from services.pipeline.core.order import tie_break
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import ContactPoint, EmailOpened
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import (
    AttemptLogged,
    ContactMade,
    ContactMerged,
    DocumentAttached,
    FieldsSet,
    LeadAcknowledged,
    LeadAssigned,
    LeadBlocked,
    LeadClosed,
    LeadCreated,
    LeadInvalidated,
    LeadLate,
    LeadLinked,
    LeadReopened,
    LeadUnblocked,
    LeadUnlinked,
    NotificationWithdrawn,
    OutcomeClassified,
    PaymentConfirmed,
    QuestionAnswered,
    QuestionAsked,
    ReplyReceived,
    StageEntered,
)

CONTACT_FIELDS = frozenset({"phone", "email", "name", "company"})


def create(envelope: Envelope, data: LeadCreated) -> Lead:
    """The lead that a `LeadCreated` begins."""
    return Lead.model_construct(
        id=envelope.subject,
        number=data.number,
        tenant=envelope.tenant,
        site=data.site,
        pipeline=data.pipeline,
        contact=data.contact,
        channel=data.channel,
        source=data.source,
        received_at=data.received_at,
        tie_break=tie_break(data),
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
        heard={data.dedupe_key: data.received_at} if data.dedupe_key else {},
        batch=data.batch,
        linked=(data.linked,) if data.linked else (),
    )


def evolve(lead: Lead, envelope: Envelope) -> Lead:
    """The lead after one more event: pipeline's own, a firing, or a message's fate."""
    changes = CHANGES.get(type(envelope.data))
    update = {} if changes is None else changes(lead, envelope, envelope.data)
    if envelope.time > lead.time:
        update["time"] = envelope.time
    return lead.model_copy(update=update) if update else lead


def _linked(lead: Lead, envelope: Envelope, data: LeadLinked) -> Update:
    """A repeat says nothing new; and that it came does not make the next one a repeat of it."""
    if data.repeats is not None:
        return {}
    return {
        **_heard(lead, envelope, data.dedupe_key),
        "points": _joined(lead.points, data.points),
        "name": lead.name or data.name,
        "mail_ids": _joined(lead.mail_ids, data.mail_ids),
        "also_by": lead.also_by if data.other else _joined(lead.also_by, (data.channel,)),
    }


def _heard(lead: Lead, envelope: Envelope, key: str | None) -> Update:
    return {"heard": {**lead.heard, key: envelope.time}} if key else {}


def _invalidated(_: Lead, __: Envelope, data: LeadInvalidated) -> Update:
    return {"kept": data.kept}


def _another_contact(_: Lead, __: Envelope, data: ContactMerged | LeadUnlinked) -> Update:
    return {"contact": data.contact}


def _replied(lead: Lead, envelope: Envelope, data: ReplyReceived) -> Update:
    mails = {"mail_ids": _joined(lead.mail_ids, data.mail_ids)}
    return mails | _heard(lead, envelope, data.dedupe_key)


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
        "acknowledged_at": None,
        "acknowledged_by": None,
        "tasks": tasks,
    }


def _acknowledged(_: Lead, envelope: Envelope, data: LeadAcknowledged) -> Update:
    return {"acknowledged_at": envelope.time, "acknowledged_by": data.by}


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
        cost=data.cost,
        number=data.number,
        by=data.by,
    )
    return {"attempts": (*lead.attempts, attempt)}


def _in_contact(lead: Lead, envelope: Envelope, data: ContactMade) -> Update:
    exchange = Exchange(
        at=envelope.time, channel=data.channel, direction=data.direction, by=data.by
    )
    return {"contacts": (*lead.contacts, exchange)}


def _late(lead: Lead, envelope: Envelope, _: LeadLate) -> Update:
    return {"late_at": lead.late_at or envelope.time}


def _blocked(lead: Lead, _: Envelope, data: LeadBlocked) -> Update:
    rule = data.because.rule if data.because else HOUSE
    of = "person_blocked" if data.whole_person else "blocked"
    return {of: {str(channel): rule for channel in data.channels} | getattr(lead, of)}


def _unblocked(lead: Lead, _: Envelope, data: LeadUnblocked) -> Update:
    of = "person_blocked" if data.whole_person else "blocked"
    kept = {name: rule for name, rule in getattr(lead, of).items() if name not in data.channels}
    return {of: kept}


def _closed(_: Lead, envelope: Envelope, data: LeadClosed) -> Update:
    return {
        "status": data.status,
        "reason": data.reason,
        "closed_at": envelope.time,
        "fired": {},
    }


def _reopened(_: Lead, __: Envelope, ___: LeadReopened) -> Update:
    return {"status": "open", "reason": None, "outcome": None, "closed_at": None, "kept": None}


def _classified(lead: Lead, _: Envelope, data: OutcomeClassified) -> Update:
    """The lead that stays is the one that this one came of: `linked_owner` owns it."""
    if data.duplicate_of is None:
        return {"outcome": data.outcome}
    others = tuple(one for one in lead.linked if one != data.duplicate_of)
    return {"outcome": data.outcome, "linked": (data.duplicate_of, *others)}


def _attached(lead: Lead, envelope: Envelope, data: DocumentAttached) -> Update:
    """One of that kind and name again is its new status."""
    kept = tuple(d for d in lead.documents if (d.kind, d.name) != (data.kind, data.name))
    document = Document(
        id=data.document,
        kind=data.kind,
        status=data.status,
        at=envelope.time,
        name=data.name,
        url=data.url,
    )
    return {"documents": (*kept, document)}


def _paid(lead: Lead, envelope: Envelope, data: PaymentConfirmed) -> Update:
    payment = Payment(kind=data.kind, at=envelope.time, amount=data.amount, by=data.by)
    return {"payments": (*lead.payments, payment)}


def _opened(lead: Lead, envelope: Envelope, data: EmailOpened) -> Update:
    """The first time counts."""
    return {
        "messages": tuple(
            message.model_copy(update={"opened_at": envelope.time})
            if message.id == data.notification and message.opened_at is None
            else message
            for message in lead.messages
        )
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


def _asked(lead: Lead, envelope: Envelope, data: QuestionAsked) -> Update:
    question = Question(
        name=data.question, to=data.to, answers=data.answers, asked_at=envelope.time
    )
    return {"questions": {**lead.questions, data.question: question}}


def _answered(lead: Lead, _: Envelope, data: QuestionAnswered) -> Update:
    said = {"answer": data.answer, "answer_to": data.to, "answered_by": data.by}
    return _question(lead, data.question, said)


def _withdrawn(lead: Lead, _: Envelope, data: NotificationWithdrawn) -> Update:
    """A question whose message is taken back is not to be answered any more."""
    if data.to is not None or data.template not in lead.questions:
        return {}
    return _question(lead, data.template, {"withdrawn": True})


def _question(lead: Lead, name: str, said: Update) -> Update:
    question = lead.questions.get(name)
    if question is None or not question.is_open:
        return {}
    return {"questions": {**lead.questions, name: question.model_copy(update=said)}}


def _joined(known: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    return known + tuple(item for item in dict.fromkeys(new) if item not in known)


CHANGES: Mapping[type[Event], Callable[[Lead, Envelope, Any], Update]] = {
    **TASK_CHANGES,
    **APPOINTMENT_CHANGES,
    **ERASED_CHANGES,
    LeadLinked: _linked,
    LeadInvalidated: _invalidated,
    ContactMerged: _another_contact,
    LeadUnlinked: _another_contact,
    ReplyReceived: _replied,
    LeadAssigned: _assigned,
    LeadAcknowledged: _acknowledged,
    StageEntered: _stage_entered,
    FieldsSet: _fields_set,
    AttemptLogged: _attempted,
    ContactMade: _in_contact,
    LeadLate: _late,
    LeadBlocked: _blocked,
    LeadUnblocked: _unblocked,
    LeadClosed: _closed,
    LeadReopened: _reopened,
    OutcomeClassified: _classified,
    DocumentAttached: _attached,
    PaymentConfirmed: _paid,
    EmailOpened: _opened,
    NotificationSent: _sent,
    QuestionAsked: _asked,
    QuestionAnswered: _answered,
    NotificationWithdrawn: _withdrawn,
}
