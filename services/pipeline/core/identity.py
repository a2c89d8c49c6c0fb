"""Who got in touch: a new lead, one more sign of an open one, or a reply."""

from __future__ import annotations

from uuid import UUID

from services.pipeline.core.condition import all_hold, speaks_of_status
from services.pipeline.core.contact import Contact
from services.pipeline.core.fields import note_foreign_points
from services.pipeline.core.lead import Lead
from services.pipeline.core.stage import assign, enter
from services.pipeline.core.turn import Turn
from services.pipeline.core.value import read_value
from shared.contract.envelope import derived_id
from shared.contract.intake import LeadReceived
from shared.contract.pipeline import (
    ContactMade,
    LeadCreated,
    LeadLinked,
    NoteAdded,
    ReplyReceived,
)
from shared.domain.directory import Unknown
from shared.domain.rulebook.condition import ANY
from shared.domain.rulebook.declaration import Pipeline
from shared.domain.rulebook.effect import Reopen
from shared.domain.rulebook.rulebook import Rulebook

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NUMBER_LENGTH = 6


def lead_id(tenant: str, cause: str, pipeline: str) -> str:
    """The id of the lead that an input makes: the same input, the same lead, for ever."""
    return derived_id(tenant, cause, pipeline)


def number_of(lead: str) -> str:
    """The lead's number for people: the first 30 bits of its id, without look-alike letters."""
    bits = UUID(lead).int >> (128 - 5 * NUMBER_LENGTH)
    return "".join(
        CROCKFORD[(bits >> shift) & 31] for shift in range(5 * (NUMBER_LENGTH - 1), -1, -5)
    )


def receive(turn: Turn, data: LeadReceived) -> None:
    """Decide what an input is: a reply, a link to the contact's open lead, or a new lead.

    A mail in a known thread is a reply, and so is one to a mailbox by somebody with an open lead
    here. A closed lead is woken only by a reply, where a rule says so; else the contact gets a
    new one (decision 21). Raises `Unknown` for a site that the directory does not have yet.
    """
    turn.directory.site(data.site)
    source = turn.book.sources.by_id(data.source)
    pipelines = turn.book.pipelines
    first = next(iter(pipelines.values()))
    take(turn, data, pipelines.get(source.pipeline or "", first) if source else first)


def take(turn: Turn, data: LeadReceived, pipeline: Pipeline, by: str | None = None) -> str:
    """Decide it for this pipeline; returns the lead that has it now. `by`: who typed it."""
    id_ = lead_id(turn.cause.tenant, turn.cause.id, pipeline.id)
    if turn.has_lead(id_):
        return id_
    contacts = _contacts(turn, data)
    open_lead = _open_lead(turn, contacts, pipeline)
    thread = turn.lead_of_mail(thread_of(data))
    if thread is not None and (thread.is_open or _is_woken_by_replies(turn, thread)):
        _reply(turn, thread, data)
        return thread.id
    if open_lead is None:
        _create(turn, id_, contacts, pipeline, data, by=by)
        return id_
    if data.mail is not None:
        _reply(turn, open_lead, data)
    else:
        _link(turn, open_lead, pipeline, data)
    return open_lead.id


def _is_woken_by_replies(turn: Turn, lead: Lead) -> bool:
    """Whether a rule opens this closed lead again when its contact answers (001-70)."""
    return any(
        any(isinstance(effect, Reopen) for effect in rule.do)
        and speaks_of_status(rule.if_)
        and all_hold(rule.if_, turn.scene(lead.id))
        for rule in turn.book.rules_on([("reply", ANY)])
    )


def _contacts(turn: Turn, data: LeadReceived) -> list[Contact]:
    found = (turn.contact_at(point) for point in data.points)
    return list({contact.id: contact for contact in found if contact is not None}.values())


def _open_lead(turn: Turn, contacts: list[Contact], pipeline: Pipeline) -> Lead | None:
    """The oldest open lead of whoever these points belong to."""
    for contact in contacts:
        for id_ in contact.leads:
            lead = turn.lead(id_) if turn.has_lead(id_) else None
            if lead is not None and lead.is_open and lead.pipeline == pipeline.id:
                return lead
    return None


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
            channel=data.channel, subject=data.subject, text=data.text, mail_ids=_mail_ids(data)
        ),
    )
    turn.emit(lead.id, ContactMade(channel=data.channel, direction="inbound"))


def _link(turn: Turn, lead: Lead, pipeline: Pipeline, data: LeadReceived) -> None:
    turn.open(lead.id)
    with turn.under(pipeline.identity.rule):
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
            ),
        )
    note_foreign_points(turn, lead.id, data.points)
    _answered(turn, lead.id, data)


def _create(
    turn: Turn,
    id_: str,
    contacts: list[Contact],
    pipeline: Pipeline,
    data: LeadReceived,
    *,
    by: str | None,
) -> None:
    source = turn.book.sources.by_id(data.source)
    known = contacts[0].id if contacts else derived_id(turn.cause.id, "contact")
    fields, unread = _fields(turn, data)
    first = pipeline.stage[0]
    with turn.under((source.rule if source else None) or pipeline.identity.rule):
        turn.emit(
            id_,
            LeadCreated(
                number=number_of(id_),
                pipeline=pipeline.id,
                contact=known,
                site=data.site,
                channel=data.channel,
                source=data.source,
                received_at=turn.cause.time,
                points=data.points,
                name=data.name or (contacts[0].name if contacts else None),
                company=data.company or (contacts[0].company if contacts else None),
                subject=data.subject,
                text=data.text,
                language=data.language,
                fields=fields,
                tags=data.tags,
                mail_ids=_mail_ids(data),
                by=by,
            ),
        )
    with turn.under(first.rule):
        enter(turn, id_, pipeline.id, first.id)
    for text in unread:
        turn.emit(id_, NoteAdded(text=text))
    note_foreign_points(turn, id_, data.points)
    _answered(turn, id_, data)


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


def defaults_of(book: Rulebook) -> dict[str, str]:
    """What fields are until somebody says otherwise (000-08)."""
    declared = book.fields.values()
    return {field.id: field.default for field in declared if field.default is not None}


def _answered(turn: Turn, lead: str, data: LeadReceived) -> None:
    """Who took the call spoke with the contact, and keeps a lead that nobody owns."""
    agent = data.call.answered_by if data.call else None
    if agent is None:
        return
    try:
        agent = None if turn.directory.agent(agent).withdrawn else agent
    except Unknown:
        agent = None
    turn.emit(lead, ContactMade(channel=data.channel, direction="inbound", by=agent))
    if agent is not None and turn.lead(lead).owner is None:
        assign(turn, lead, agent)
