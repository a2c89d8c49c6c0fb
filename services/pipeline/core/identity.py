"""Who got in touch: a new lead, one more sign of an open one, or a reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.pipeline.core.calls import keep_recording
from services.pipeline.core.condition import all_hold, speaks_of_status
from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.merge import invalidate, one_contact, one_lead_each
from services.pipeline.core.moment import later
from services.pipeline.core.order import place
from services.pipeline.core.phrase import Phrases
from services.pipeline.core.repeat import note_repeat
from services.pipeline.core.stage import assign, enter, reopen
from services.pipeline.core.turn import Turn
from services.pipeline.core.value import read_value
from services.pipeline.core.wish import allow
from shared.contract.envelope import derived_id
from shared.contract.intake import Channel, LeadReceived
from shared.contract.pipeline import (
    ContactMade,
    LeadCreated,
    LeadLinked,
    NoteAdded,
    ReplyReceived,
)
from shared.domain.lead_number import number_of
from shared.domain.rulebook.condition import ANY
from shared.domain.rulebook.declaration import Pipeline
from shared.domain.rulebook.effect import PREVIOUS, Reopen
from shared.domain.rulebook.rulebook import Rulebook

LIVE: tuple[Channel, ...] = ("call", "chat")
"""A conversation that goes on while it is taken: with somebody who is known it stays with their
lead, and only what is learnt later makes one of two leads invalid (002-02, 002-08)."""


def lead_id(tenant: str, cause: str, pipeline: str) -> str:
    """The id of the lead that an input makes: the same input, the same lead, for ever."""
    return derived_id(tenant, cause, pipeline)


def receive(turn: Turn, data: LeadReceived) -> None:
    """Decide what an input is: a repeat of one that was there, a reply, a link to the contact's
    open lead, or a new lead.

    A mail in a known thread is a reply, and so is one to a mailbox, or an SMS, by somebody with an
    open lead here; a portal's mail is always a request. A closed lead is woken by a reply, where a
    rule says so, or within the time in which the pipeline resumes; else the contact gets a new one
    (decision 21). Raises `Unknown` for a site that the directory does not have yet.
    """
    turn.directory.site(data.site)
    source = turn.book.sources.by_id(data.source)
    pipelines = turn.book.pipelines
    first = next(iter(pipelines.values()))
    pipeline = pipelines.get(source.pipeline or "", first) if source else first
    lead = take(turn, data, pipeline)
    if data.call is not None:
        turn.speak_of(lead)
        keep_recording(turn, lead, data.call, data.occurred_at, by=data.call.answered_by)


def take(turn: Turn, data: LeadReceived, pipeline: Pipeline, by: str | None = None) -> str:
    """Decide it for this pipeline; returns the lead that has it now. `by`: who typed it."""
    id_ = lead_id(turn.cause.tenant, turn.cause.id, pipeline.id)
    if turn.has_lead(id_):
        return id_
    if (repeated := note_repeat(turn, data, thread_of(data))) is not None:
        return repeated
    if data.consents:
        allow(turn, data.points, data.consents, data.text or data.source)
    thread = turn.lead_of_mail(thread_of(data))
    if thread is not None and (thread.is_open or _is_woken_by_replies(turn, thread)):
        _reply(turn, thread, data)
        return thread.id
    contact = one_contact(turn, _contacts(turn, data), pipeline.identity.rule)
    if contact is not None:
        one_lead_each(turn, contact.id)
    open_lead = _open_lead(turn, contact, pipeline, data.fields)
    answers = data.mail is not None or data.channel == "sms"
    if open_lead is not None and answers and not _is_portal(turn, data):
        _reply(turn, open_lead, data)
        return open_lead.id
    return _request(turn, Request(id_, pipeline, data, contact, by), open_lead)


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody's request in a pipeline, and the id of the lead that it makes, if it makes one.
    `contact`: who it is, where known; `by`: the agent who typed it."""

    id: str
    pipeline: Pipeline
    data: LeadReceived
    contact: Contact | None
    by: str | None


def _request(turn: Turn, asked: Request, open_lead: Lead | None) -> str:
    """Of an open lead, of one that is taken up again, or a new one; the lead that has it now."""
    pipeline, data, id_ = asked.pipeline, asked.data, asked.id
    kept = open_lead or _to_resume(turn, asked.contact, pipeline, data.fields)
    resume = pipeline.identity.resume
    resumed = resume is not None and kept is not None and not kept.is_open
    rule = resume.rule if resume and resumed else pipeline.identity.rule
    if kept is not None and resumed:
        with turn.under(rule):
            reopen(turn, turn.open(kept.id).id, PREVIOUS)
    if kept is not None and (pipeline.identity.policy == "link" or data.channel in LIVE):
        _link(turn, kept, asked)
        return kept.id
    _create(turn, asked)
    if kept is not None and resumed:
        with turn.under(rule):
            invalidate(turn, id_, kept.id)
    else:
        one_lead_each(turn, turn.lead(id_).contact)
    return turn.lead(id_).kept or id_


def _is_portal(turn: Turn, data: LeadReceived) -> bool:
    source = turn.book.sources.by_id(data.source)
    return source is not None and source.portal


def _to_resume(
    turn: Turn, contact: Contact | None, pipeline: Pipeline, fields: Mapping[str, str]
) -> Lead | None:
    """The latest lost lead that is young enough to be taken up again (002-L6)."""
    resume = pipeline.identity.resume
    if contact is None or resume is None:
        return None
    lost = [
        lead
        for lead in _same_requests(turn, contact, pipeline, fields)
        if lead.status == "lost"
        and lead.closed_at is not None
        and turn.now <= later(turn.scene(lead.id), lead.closed_at, resume.within)
        and all_hold(resume.if_, turn.scene(lead.id))
    ]
    return max(lost, key=lambda lead: (lead.closed_at, place(lead)), default=None)


def _is_woken_by_replies(turn: Turn, lead: Lead) -> bool:
    """Whether a rule opens this closed lead again when its contact answers (001-70)."""
    return lead.erased_at is None and any(
        any(isinstance(effect, Reopen) for effect in rule.do)
        and speaks_of_status(rule.if_)
        and all_hold(rule.if_, turn.scene(lead.id))
        for rule in turn.book.rules_on([("reply", ANY)])
    )


def _contacts(turn: Turn, data: LeadReceived) -> list[Contact]:
    found = (turn.contact_at(point) for point in data.points)
    return [contact for contact in found if contact is not None]


def _open_lead(
    turn: Turn, contact: Contact | None, pipeline: Pipeline, fields: Mapping[str, str]
) -> Lead | None:
    """The oldest open lead of whoever these points belong to."""
    if contact is None:
        return None
    same = _same_requests(turn, contact, pipeline, fields)
    return next((lead for lead in same if lead.is_open), None)


def _same_requests(
    turn: Turn, contact: Contact, pipeline: Pipeline, fields: Mapping[str, str]
) -> list[Lead]:
    """The contact's leads in this pipeline, of the same key where it has one."""
    key = pipeline.identity.key
    leads = (turn.lead(id_) for id_ in contact.leads if turn.has_lead(id_))
    return [
        lead
        for lead in leads
        if lead.pipeline == pipeline.id
        and all(lead.fields.get(name) == fields.get(name) for name in key)
    ]


def thread_of(data: LeadReceived) -> tuple[str, ...]:
    """The mails that this one answers, the nearest first.

    Each by its Message-ID and by what stands before the `@`: in our own mails that is the id of
    the notification, whatever domain they were sent under.
    """
    if data.mail is None:
        return ()
    direct = (data.mail.in_reply_to,) if data.mail.in_reply_to else ()
    answered = (*direct, *reversed(data.mail.references))
    named = (name for mail in answered for name in (mail, mail.strip("<>").partition("@")[0]))
    return tuple(dict.fromkeys(named))


def _mail_ids(data: LeadReceived) -> tuple[str, ...]:
    message = data.mail.message_id if data.mail else None
    return (message,) if message else ()


def _reply(turn: Turn, lead: Lead, data: LeadReceived) -> None:
    turn.open(lead.id)
    turn.emit(
        lead.id,
        ReplyReceived(
            channel=data.channel,
            subject=data.subject,
            text=data.text,
            mail_ids=_mail_ids(data),
            dedupe_key=data.dedupe_key,
        ),
    )
    turn.emit(lead.id, ContactMade(channel=data.channel, direction="inbound"))


def _link(turn: Turn, lead: Lead, asked: Request) -> None:
    data = asked.data
    turn.open(lead.id)
    identity = asked.pipeline.identity
    with turn.under(identity.rule if identity.policy == "link" else None):
        turn.emit(
            lead.id,
            LeadLinked(
                channel=data.channel,
                source=data.source,
                points=data.points,
                name=data.name,
                subject=data.subject,
                text=data.text,
                mail_ids=_mail_ids(data),
                dedupe_key=data.dedupe_key,
                by=asked.by or _taken_by(turn, data),
            ),
        )
    _answered(turn, lead.id, data)


def _create(turn: Turn, asked: Request) -> None:
    id_, pipeline, data, contact = asked.id, asked.pipeline, asked.data, asked.contact
    source = turn.book.sources.by_id(data.source)
    known = contact.id if contact else derived_id(turn.cause.id, "contact")
    fields, unread = _fields(turn, data)
    fields = _known_of(turn, contact) | fields
    first = pipeline.stage[0]
    with turn.under((source.rule if source else None) or _rule_of_a_new_one(pipeline)):
        turn.emit(
            id_,
            LeadCreated.model_construct(
                number=number_of(id_),
                pipeline=pipeline.id,
                contact=known,
                site=data.site,
                channel=data.channel,
                source=data.source,
                received_at=turn.cause.time,
                points=data.points,
                name=data.name or (contact.name if contact else None),
                company=data.company or (contact.company if contact else None),
                subject=data.subject,
                text=data.text,
                language=data.language,
                fields=fields,
                tags=data.tags,
                mail_ids=_mail_ids(data),
                batch=data.batch,
                dedupe_key=data.dedupe_key,
                by=asked.by,
            ),
        )
    with turn.under(first.rule):
        enter(turn, id_, pipeline.id, first.id)
    for text in unread:
        turn.emit(id_, NoteAdded(text=text))
    if data.owner is not None:
        with turn.under(source.rule if source else None):
            _affected(turn, id_, data.owner)
    _answered(turn, id_, data)


def _affected(turn: Turn, lead: str, called: str) -> None:
    """The file says whose it is; one whom nobody knows is noted, and rules find an owner."""
    agent = turn.directory.called(called)
    if agent is not None:
        assign(turn, lead, agent.id)
    else:
        turn.emit(lead, NoteAdded(text=Phrases(turn.book.language).say("unknown_owner", called)))


def _rule_of_a_new_one(pipeline: Pipeline) -> str | None:
    """Where identity only speaks of what is found out later, the pipeline's own."""
    link = pipeline.identity.policy == "link"
    return pipeline.identity.rule if link else pipeline.rule


def _fields(turn: Turn, data: LeadReceived) -> tuple[dict[str, str], list[str]]:
    """The fields that the rulebook knows, and the rest as notes: nothing told is lost."""
    fields = defaults_of(turn.book)
    unread: list[str] = []
    for name, value in data.fields.items():
        declared = turn.book.fields.get(name)
        read = read_value(declared, value, turn.today(data.site)) if declared else None
        if read is None:
            unread.append(f"{declared.label if declared else name}: {value}")
        else:
            fields[name] = read
    return fields, unread


def _known_of(turn: Turn, contact: Contact | None) -> dict[str, str]:
    """What other leads of this person know of them (004-24)."""
    if contact is None:
        return {}
    leads = [turn.lead(id_) for id_ in contact.leads if turn.has_lead(id_)]
    shared = [field.id for field in turn.book.fields.values() if field.of == "contact"]
    return {name: lead.fields[name] for lead in leads for name in shared if name in lead.fields}


def defaults_of(book: Rulebook) -> dict[str, str]:
    """What fields are until somebody says otherwise (000-08)."""
    declared = book.fields.values()
    return {field.id: field.default for field in declared if field.default is not None}


def _answered(turn: Turn, lead: str, data: LeadReceived) -> None:
    """Who took the call spoke with the contact, and keeps a lead that nobody owns."""
    if data.call is None or data.call.answered_by is None:
        return
    agent = _taken_by(turn, data)
    turn.emit(lead, ContactMade(channel=data.channel, direction="inbound", by=agent))
    if agent is not None and turn.lead(lead).owner is None:
        assign(turn, lead, agent)


def _taken_by(turn: Turn, data: LeadReceived) -> str | None:
    """The agent who took the call, if they are one of us."""
    return turn.one_of_us(data.call.answered_by) if data.call else None
