"""What arrived, as the one normal event that intake says. Pure: time and chance come in."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from services.intake.core.arrival import Arrival, CallNews
from services.intake.core.reach import (
    Unusable,
    may_be_good,
    missing_of,
    points_of,
    text_with,
    unreachable,
)
from services.intake.core.text import block, line
from services.intake.core.wish import Wish, own_words, wish_of, wish_of_mail
from shared.contract.envelope import Envelope, Event, derived_id
from shared.contract.intake import (
    CalendarAnswer,
    CallEnded,
    CallFacts,
    CallStarted,
    ContactPoint,
    InboundIgnored,
    InboundQuarantined,
    InvitationAnswered,
    LeadReceived,
    MailFacts,
    OptInReceived,
    OptOutReceived,
)
from shared.domain.rulebook.source import Source

INTAKE = "/intake"
FIELDS_MOST = 50
VALUE_LONGEST = 2_000
AnyFacts = TypeVar("AnyFacts", CallFacts, CallNews, MailFacts)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Under which circumstances an input was accepted.

    `at` is when; `region` is that of the source's site, absent while the directory does not know
    the site; `chance` is a random UUID for inputs without any id of their own; `hash_key` keys
    the record key, so that a topic listing shows nobody's phone.
    """

    tenant: str
    at: datetime
    region: str | None
    chance: str
    hash_key: bytes


def normalise(source: Source, arrival: Arrival, acceptance: Acceptance) -> Envelope:
    """`LeadReceived`, `CallStarted`, `CallEnded`, `InvitationAnswered`, `OptOutReceived`,
    `OptInReceived`, or `InboundIgnored` with its reason. Raises `Refusal`.

    The id is derived from the provider's id, so a repeat makes the same event; an input without
    one gets a random id and a `dedupe_key` that the same content makes again (`runtime.md` 10).
    """
    if arrival.ignored is not None:
        return _ignored(source, arrival, acceptance, arrival.ignored)
    if arrival.answer is not None:
        return _invitation_answered(source, arrival, acceptance, arrival.answer)
    points, unusable = points_of(arrival, acceptance.region)
    if not points and not may_be_good(unusable, acceptance.region):
        if arrival.call is not None or arrival.news is not None:
            why = unusable[0][1] if unusable else "the call came without the caller's number"
            return _ignored(source, arrival, acceptance, f"nobody can be called back: {why}")
        if arrival.mail is None:
            raise unreachable(source, unusable)
    if arrival.news is not None:
        return _news(source, arrival, arrival.news, acceptance, points)
    if points and (wish := _wish(source, arrival)) is not None:
        return _wished(source, arrival, acceptance, points, wish)
    return _received(source, arrival, acceptance, points, unusable)


def _wish(source: Source, arrival: Arrival) -> Wish | None:
    """STOP or START, where it is a person's reply: a portal's mail is not, a form neither."""
    if arrival.mail is not None and not source.portal:
        wish = wish_of_mail(arrival.subject, arrival.text)
    else:
        wish = wish_of(arrival.text) if source.channel == "sms" else None
    return None if wish == "start" and not source.consent else wish


def quarantined(
    source: str, why: str, acceptance: Acceptance, provider_id: str | None = None
) -> Envelope:
    """The event that says: this could not be read, its bytes are kept."""
    data = InboundQuarantined(source=source, why=line(why, 1_000) or "no reason given")
    return _envelope(source, data, acceptance, provider_id=provider_id)


def raw_id_of(event_id: str) -> str:
    """The id of the record on `intake.raw.v1` that holds the bytes of an event."""
    return derived_id(event_id, "raw")


def record_key(acceptance: Acceptance, points: Sequence[ContactPoint]) -> str | None:
    """The keyed hash of the first contact point: orders a person's inputs, names nobody.

    Of each company another one, so that what waits for one company never holds up the other's.
    """
    if not points:
        return None
    named = f"{acceptance.tenant}:{points[0].kind}:{points[0].value}".encode()
    return hmac.new(acceptance.hash_key, named, hashlib.sha256).hexdigest()[:32]


def _received(
    source: Source,
    arrival: Arrival,
    acceptance: Acceptance,
    points: tuple[ContactPoint, ...],
    unusable: Sequence[Unusable],
) -> Envelope:
    text = text_with(arrival.text, unusable)
    received = LeadReceived(
        channel=source.channel,
        source=source.id,
        site=source.site,
        points=points,
        name=line(arrival.name),
        company=line(arrival.company),
        subject=line(arrival.subject, 1_000),
        text=text,
        language=line(arrival.language, 20),
        fields=_fields(arrival.fields),
        tags=source.tags,
        missing=missing_of(source, arrival, points),
        occurred_at=arrival.occurred_at,
        call=_cleaned(arrival.call),
        mail=_cleaned(arrival.mail),
        owner=line(arrival.owner),
        batch=arrival.batch,
        consents=source.consent if arrival.consents else (),
    )
    if arrival.provider_id is None:
        received = received.model_copy(update={"dedupe_key": _dedupe_key(received)})
    key = record_key(acceptance, points)
    return _envelope(source.id, received, acceptance, provider_id=arrival.provider_id, key=key)


def _wished(
    source: Source,
    arrival: Arrival,
    acceptance: Acceptance,
    points: tuple[ContactPoint, ...],
    wish: Wish,
) -> Envelope:
    """Somebody does not want to be written to here, or does again."""
    own = own_words(arrival.text or "") if arrival.mail is not None else arrival.text
    text = block(own or arrival.subject, VALUE_LONGEST) or wish.upper()
    data: OptOutReceived | OptInReceived
    if wish == "stop":
        data = OptOutReceived(channel=source.channel, source=source.id, points=points, text=text)
    else:
        data = OptInReceived(
            channel=source.channel,
            channels=source.consent,
            source=source.id,
            points=points,
            text=text,
        )
    key = record_key(acceptance, points)
    return _envelope(source.id, data, acceptance, provider_id=arrival.provider_id, key=key)


def _news(
    source: Source,
    arrival: Arrival,
    call: CallNews,
    acceptance: Acceptance,
    points: tuple[ContactPoint, ...],
) -> Envelope:
    """A call that goes on, or one of ours that is over."""
    said = _cleaned(call) or call
    told = {
        "call": said.call,
        "source": source.id,
        "site": source.site,
        "points": points,
        "agent": said.agent,
        "occurred_at": arrival.occurred_at,
    }
    data: CallStarted | CallEnded
    if said.phase == "started":
        data = CallStarted.model_validate(
            told | {"direction": said.direction, "dialled": said.dialled}
        )
    else:
        more = {
            "outcome": said.outcome,
            "duration_s": said.duration_s,
            "recording_url": said.recording_url,
        }
        data = CallEnded.model_validate(told | more)
    key = record_key(acceptance, points)
    return _envelope(source.id, data, acceptance, provider_id=arrival.provider_id, key=key)


def _invitation_answered(
    source: Source, arrival: Arrival, acceptance: Acceptance, answer: CalendarAnswer
) -> Envelope:
    data = InvitationAnswered(
        source=source.id,
        appointment=answer.appointment,
        answer=answer.answer,
        revision=answer.revision,
        text=block(arrival.text or "", VALUE_LONGEST),
    )
    points, _ = points_of(arrival, acceptance.region)
    key = record_key(acceptance, points)
    return _envelope(source.id, data, acceptance, provider_id=arrival.provider_id, key=key)


def _ignored(source: Source, arrival: Arrival, acceptance: Acceptance, why: str) -> Envelope:
    data = InboundIgnored(source=source.id, why=line(why, 1_000) or "no reason given")
    return _envelope(source.id, data, acceptance, provider_id=arrival.provider_id)


def _envelope(
    source: str,
    data: LeadReceived
    | CallStarted
    | CallEnded
    | InvitationAnswered
    | OptOutReceived
    | OptInReceived
    | InboundIgnored
    | InboundQuarantined,
    acceptance: Acceptance,
    *,
    provider_id: str | None,
    key: str | None = None,
) -> Envelope:
    id_ = event_id(acceptance.tenant, source, type(data), provider_id) or acceptance.chance
    return Envelope(
        id=id_,
        source=INTAKE,
        type=data.type,
        subject=key or id_,
        time=acceptance.at,
        tenant=acceptance.tenant,
        data=data.model_copy(update={"raw_id": raw_id_of(id_)}),
    )


def event_id(tenant: str, source: str, event: type[Event], provider_id: str | None) -> str | None:
    """The id that a provider's id makes, for ever (`runtime.md` 10); absent without one."""
    return None if provider_id is None else derived_id(tenant, source, event.type, provider_id)


def _fields(fields: dict[str, str]) -> dict[str, str]:
    cleaned = {name: block(value, VALUE_LONGEST) for name, value in fields.items()}
    filled = [(name, value) for name, value in cleaned.items() if value is not None]
    return dict(filled[:FIELDS_MOST])


def _cleaned(facts: AnyFacts | None) -> AnyFacts | None:
    """Facts whose texts hold nothing harmful; ids keep their whole length."""
    if facts is None:
        return None
    values: dict[str, object] = dict(facts)
    update = {name: line(value, 2_000) for name, value in values.items() if isinstance(value, str)}
    lists = {
        name: tuple(filter(None, (line(str(item), 2_000) for item in value)))
        for name, value in values.items()
        if isinstance(value, tuple)
    }
    return facts.model_copy(update={**update, **lists})


def _dedupe_key(received: LeadReceived) -> str:
    """A hash of the content: who, from where, saying what; not when."""
    content = received.model_dump_json(exclude={"occurred_at", "raw_id", "dedupe_key", "tags"})
    return hashlib.sha256(content.encode()).hexdigest()[:32]
