"""What pipeline asks: a request becomes one message a channel, a withdrawal stops what waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from services.notifications.core.message import (
    UNFINISHED,
    WAITING,
    Message,
    State,
    message_id,
    request_of,
    suppressed,
)
from shared.contract.envelope import Envelope
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import (
    HandoffRequested,
    LeadErased,
    NotificationRequested,
    NotificationWithdrawn,
)
from shared.domain.directory import Directory
from shared.domain.rulebook.message import Policy, Target, Template
from shared.domain.rulebook.rulebook import Rulebook

TO_SYSTEMS: MessageChannel = "webhook"
"""How other systems are told."""

COLLECTED_FOR = timedelta(minutes=1)
"""So long after the last request of an occasion its one message waits for another."""


class UnknownTemplate(LookupError):
    """The rulebook in force has no such template, or no such target (yet)."""

    def __init__(self, id_: str, book: Rulebook, kind: str = "template") -> None:
        super().__init__(
            f"rulebook {book.name} {book.version} has no {kind} {id_!r}: "
            "declare it in messages.toml"
        )


def handle(
    state: State, envelope: Envelope, book: Rulebook, directory: Directory
) -> tuple[State, list[Envelope]]:
    """The state after `envelope`, and what is to be told of it.

    A request is only taken down here; `delivery` judges and sends. Other events change nothing.
    Raises `UnknownTemplate`, and the directory's `Unknown` for an agent it does not have.
    """
    if isinstance(envelope.data, NotificationRequested | HandoffRequested):
        return {**state, **_expanded(state, envelope, book, directory)}, []
    if isinstance(envelope.data, NotificationWithdrawn):
        return _withdrawn(state, envelope, envelope.data)
    if isinstance(envelope.data, LeadErased):
        everything = NotificationWithdrawn(lead=envelope.subject, why="erased")
        return _withdrawn(state, envelope, everything)
    return state, []


def policy_of(asked: NotificationRequested, book: Rulebook) -> Policy:
    """What is done while nobody knows whether it went; raises `UnknownTemplate`."""
    if asked.to.kind == "target":
        return target_of(asked, book).policy
    return template_of(asked, book).policy


def target_of(asked: NotificationRequested, book: Rulebook) -> Target:
    """The system that is handed a lead; raises `UnknownTemplate`."""
    target = book.messages.targets.get(asked.to.id)
    if target is None:
        raise UnknownTemplate(asked.to.id, book, "target")
    return target


def template_of(asked: NotificationRequested, book: Rulebook) -> Template:
    """The template that is asked for; raises `UnknownTemplate`."""
    template = book.messages.by_id(asked.template)
    if template is None:
        raise UnknownTemplate(asked.template, book)
    return template


def _expanded(
    state: State, envelope: Envelope, book: Rulebook, directory: Directory
) -> dict[str, Message]:
    """The new messages of a request; none for what was asked for before."""
    asked = request_of(envelope)
    channels: tuple[MessageChannel, ...]
    if asked.to.kind == "target":
        target_of(asked, book)
        channels = (TO_SYSTEMS,)
    else:
        channels = _channels(asked, template_of(asked, book), directory)
    if asked.collect:
        return dict(_collected(state, envelope, channel) for channel in channels)
    ids = {message_id(envelope.tenant, asked, channel): channel for channel in channels}
    return {
        id_: Message(id_, envelope, channel, send_after=envelope.time)
        for id_, channel in ids.items()
        if id_ not in state
    }


def _collected(state: State, envelope: Envelope, channel: MessageChannel) -> tuple[str, Message]:
    """The message that waits for more of its occasion, with this one too; one that comes when it
    has gone already is told for itself: rather once more than not at all."""
    asked = request_of(envelope)
    id_ = message_id(envelope.tenant, asked, channel)
    waits = state.get(id_)
    until = envelope.time + COLLECTED_FOR
    if waits is None:
        return id_, Message(id_, envelope, channel, send_after=until)
    if waits.status in WAITING:
        about = asked.values.get("lead")
        more = (*waits.more, about) if isinstance(about, dict) else waits.more
        return id_, replace(waits, more=more, send_after=max(waits.send_after, until))
    late = asked.model_copy(update={"occasion": f"{asked.occasion}:{envelope.id}"})
    id_ = message_id(envelope.tenant, late, channel)
    return id_, Message(id_, envelope.model_copy(update={"data": late}), channel, send_after=until)


def _channels(
    asked: NotificationRequested, template: Template, directory: Directory
) -> tuple[MessageChannel, ...]:
    """By which channels this person gets this template.

    Those the template has, for an agent those they chose (003-01), as far as an address is
    known. Where none is left the template's first one remains, to be suppressed and told.
    """
    if asked.to.kind == "agent":
        agent = directory.agent(asked.to.id)
        known = {"sms": agent.mobile, "email": agent.email, "chat": agent.chat}
        possible: set[MessageChannel] = {channel for channel in agent.channels if known[channel]}
    else:
        kinds = {point.kind for point in asked.to.points}
        possible = {channel for kind, channel in _BY_POINT.items() if kind in kinds}
    return tuple(c for c in template.channels if c in possible) or template.channels[:1]


_BY_POINT: dict[str, MessageChannel] = {"phone": "sms", "email": "email"}


def _withdrawn(
    state: State, envelope: Envelope, withdrawal: NotificationWithdrawn
) -> tuple[State, list[Envelope]]:
    """What waits is suppressed; what is being handed over must at least not go again."""
    changed: dict[str, Message] = {}
    told = []
    for message in state.values():
        if message.status not in UNFINISHED or not _meant(message, withdrawal):
            continue
        if message.status in WAITING:
            changed[message.id] = message.ended("suppressed")
            told.append(suppressed(message, "withdrawn", envelope.time, cause=envelope))
        else:
            changed[message.id] = replace(message, withdrawn=True)
    return {**state, **changed}, told


def _meant(message: Message, withdrawal: NotificationWithdrawn) -> bool:
    asked = message.asked
    return (
        asked.lead == withdrawal.lead
        and withdrawal.to in (None, asked.to.id, asked.to.kind)
        and withdrawal.template in (None, asked.template)
        and withdrawal.channel in (None, message.channel)
        and withdrawal.appointment in (None, asked.appointment)
    )
