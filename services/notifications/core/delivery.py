"""Sending, without the sending: what is due, may it go, and what each result means."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from services.notifications.core import message as told
from services.notifications.core.consent import Revocation, revocation_of
from services.notifications.core.content import Links, address_of, compose
from services.notifications.core.handoff import content_of
from services.notifications.core.message import WAITING, Message, State
from services.notifications.core.permission import must_wait
from services.notifications.core.request import policy_of, target_of, template_of
from services.notifications.core.template import TemplateError
from shared.contract.envelope import Because, Envelope
from shared.domain.count import counted
from shared.domain.directory import Directory
from shared.domain.rulebook.message import Policy
from shared.domain.rulebook.rulebook import Rulebook

Step = tuple[Message, list[Envelope]]
"""A message after a step, and what is to be told of it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it; `provider_id` is what it calls it."""

    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will never take it."""

    why: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """For certain the provider does not have it; another try may succeed."""

    why: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """It was handed over, and no answer came: it may have gone."""

    why: str


Result = Accepted | Refused | NotTaken | Unclear


def release(
    message: Message,
    now: datetime,
    book: Rulebook,
    directory: Directory,
    links: Links | None = None,
    *,
    revoked: Collection[Revocation] = (),
) -> Step:
    """A due message, judged: `sending` with its content, `held`, `suppressed` or `failed`.

    `revoked` are the revocations of its address, read in the transaction that releases it.

    Raises the directory's `Unknown` and `UnknownTemplate`.
    """
    if message.asked.to.kind == "target":  # a system has neither hours nor a consent to give
        target_of(message.asked, book)
        return message.sending(content_of(message, book.messages.company, now)), []
    return _to_person(message, now, book, directory, links=links, revoked=revoked)


def _to_person(
    message: Message,
    now: datetime,
    book: Rulebook,
    directory: Directory,
    *,
    links: Links | None,
    revoked: Collection[Revocation],
) -> Step:
    asked, template = message.asked, template_of(message.asked, book)
    address = address_of(asked, message.channel, directory)
    if address is None:
        return message.ended("suppressed"), [told.suppressed(message, "no_address", now)]
    if asked.to.kind == "contact" and revocation_of(message.channel, address) in revoked:
        return message.ended("suppressed"), [told.suppressed(message, "no_consent", now)]
    wait = must_wait(message, template, book.messages, now, directory)
    if wait is not None and wait.why == "absent" and template.purpose == "digest":
        # Yesterday's plan is of no use to who comes back; their manager was told (decision 8).
        return message.ended("suppressed"), [told.suppressed(message, "absent", now)]
    if wait is not None:
        held = message.held(wait.until, directory.version)
        because = wait.rule and Because(rulebook=book.name, version=book.version, rule=wait.rule)
        news = [] if message.deferred else [told.deferred(held, wait.why, now, because or None)]
        return held, news
    try:
        content = compose(
            message, template, address, now=now, book=book, directory=directory, links=links
        )
    except TemplateError as error:
        why = f"template {template.id!r} cannot be rendered: {error}"
        return message.ended("failed"), [told.failed(message, why, now)]
    return message.sending(content), []


def settle(
    message: Message,
    result: Result,
    now: datetime,
    policy: Policy,
    attempts_at_most: int | None = None,
) -> Step:
    """What the result of a hand-over makes of a `sending` message.

    `Unclear` is for when nobody can say any more: then the template's policy decides, and the
    message is counted by name. After `attempts_at_most` tries `NotTaken` is a failure.
    """
    if message.content is None:
        raise ValueError(f"message {message.id} was never handed over")
    match result:
        case Accepted(provider_id):
            return message.ended("sent"), [told.sent(message, message.content, provider_id, now)]
        case Refused(why):
            return message.ended("failed"), [told.failed(message, why, now)]
        case Unclear():
            return _unclear(message, now, policy)
        case NotTaken(why):
            if message.withdrawn:
                return message.ended("suppressed"), [told.suppressed(message, "withdrawn", now)]
            if attempts_at_most is not None and message.attempts >= attempts_at_most:
                why = f"not taken in {counted(message.attempts, 'attempt')}: {why}"
                return message.ended("failed"), [told.failed(message, why, now)]
            return message.waiting_again(), []


def _unclear(message: Message, now: datetime, policy: Policy) -> Step:
    if policy == "at_most_once" or message.withdrawn:
        return message.ended("unknown"), [told.unknown(message, "assumed_sent", now)]
    return message.waiting_again(), [told.unknown(message, "sent_again", now)]


def next_instant(messages: Iterable[Message]) -> datetime | None:
    """When the next message may go; None when nothing waits."""
    return min((m.send_after for m in messages if m.status in WAITING), default=None)


def deliver(
    state: State,
    now: datetime,
    book: Rulebook,
    directory: Directory,
    links: Links | None = None,
    *,
    revoked: Collection[Revocation] = (),
) -> tuple[State, list[Envelope]]:
    """Everything due at `now`, handed to a provider that takes all (simulation)."""
    changed: dict[str, Message] = {}
    told_: list[Envelope] = []
    for message in state.values():
        if message.status not in WAITING or message.send_after > now:
            continue
        released, news = release(message, now, book, directory, links, revoked=revoked)
        if released.status == "sending":
            policy = policy_of(released.asked, book)
            released, news = settle(released, Accepted(), now, policy)
        changed[message.id] = released
        told_ += news
    return {**state, **changed}, told_
