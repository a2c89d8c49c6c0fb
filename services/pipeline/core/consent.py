"""Who may not be contacted, and by what: for one lead, or for the person whatever the lead.

A block binds everybody: agents are refused, rules leave it, what was owed or queued is taken back.
It is undone by an agent who may, with a reason, or by the person themself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import get_args

from services.pipeline.core.contact import HOUSE, Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.phrase import Phrases
from services.pipeline.core.task import cancel_task
from services.pipeline.core.turn import Scene, Turn
from shared.contract.intake import Channel
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import (
    ConsentGiven,
    ConsentRevoked,
    LeadBlocked,
    LeadUnblocked,
    NotificationWithdrawn,
)
from shared.domain.rulebook.effect import ALL
from shared.domain.rulebook.rulebook import Rulebook

OUTWARD: tuple[Channel, ...] = ("call", "sms", "email", "chat", "social")
"""The channels by which somebody can be reached; `all` of them."""

WRITTEN: tuple[MessageChannel, ...] = tuple(
    channel for channel in get_args(MessageChannel) if channel in OUTWARD
)
"""Those by which notifications writes to people."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Word:
    """Whose word it is: the agent's who said it, or the person's own, and what they said."""

    by: str | None = None
    why: str | None = None


NOBODY = Word()
"""A rule's."""


def channels_of(names: Iterable[str]) -> tuple[Channel, ...]:
    """The channels that `block` names."""
    wanted = set(names)
    return tuple(channel for channel in OUTWARD if ALL in wanted or channel in wanted)


def nothing_left(lead: Lead) -> bool:
    """Whether there is no channel any more by which this lead may be worked."""
    return lead.forbidden.keys() >= set(OUTWARD)


def blocking_rule(scene: Scene, channels: Collection[str]) -> str | None:
    """The rule that forbids every one of these channels here; None while one of them is free."""
    blocked = scene.lead.forbidden
    rules = [blocked.get(channel) for channel in channels]
    return None if not rules or None in rules else rules[0]


def sentence_of(book: Rulebook, rule: str) -> str:
    """What the rule says, in the company's own words."""
    told = [each.says for each in book.rules if each.id == rule]
    told += [each.says for each in book.requires if each.id == rule]
    if not told and rule == HOUSE:
        return Phrases(book.language).say("blocked_says")
    return next(iter(told), rule)


def block(
    turn: Turn,
    lead: str,
    channels: tuple[Channel, ...],
    whole_person: bool,
    word: Word = NOBODY,
) -> None:
    """Nobody may use these channels on this lead any more, or to reach this person at all."""
    if not whole_person:
        _block_lead(turn, lead, channels, word.by)
        return
    contact = turn.contact(turn.lead(lead).contact)
    if set(channels) - contact.revoked.keys():
        turn.emit(lead, revocation(turn, contact, channels, word))
    honour(turn, lead)


def unblock(
    turn: Turn, lead: str, channels: tuple[Channel, ...], whole_person: bool, word: Word
) -> None:
    """They may be used again: on this lead, or for the person where only their own word forbade
    it. What is blocked on a lead for a reason of its own (000-42) stays so."""
    why = word.why or ""
    if not whole_person:
        _unblock_lead(turn, lead, channels, LeadUnblocked(channels=(), why=why, by=word.by))
        return
    contact = turn.contact(turn.lead(lead).contact)
    given = tuple(channel for channel in channels if channel in contact.revoked)
    if not given:
        return
    turn.emit(lead, consent(turn, contact, given, word))
    told = LeadUnblocked(channels=(), why=why, whole_person=True, by=word.by)
    for id_ in contact.leads:
        if turn.has_lead(id_):
            _unblock_lead(turn, id_, given, told)


def revocation(
    turn: Turn, contact: Contact, channels: tuple[Channel, ...], word: Word
) -> ConsentRevoked:
    """The contact's word, with all the points that it is about."""
    points = tuple(point.plain for point in contact.points)
    return ConsentRevoked(
        contact=contact.id,
        channels=channels,
        points=points,
        revision=_next_revision(turn, contact),
        why=word.why,
        by=word.by,
    )


def consent(
    turn: Turn, contact: Contact, channels: tuple[Channel, ...], word: Word
) -> ConsentGiven:
    """The same for a consent that is given again."""
    return ConsentGiven(
        contact=contact.id,
        channels=channels,
        points=tuple(point.plain for point in contact.points),
        revision=_next_revision(turn, contact),
        why=word.why or "",
        by=word.by,
    )


def honour(turn: Turn, lead: str) -> None:
    """What the person said once holds for every lead and every contact point of theirs, those
    that were learnt or joined later too."""
    contact = turn.contact(turn.lead(lead).contact)
    if not contact.revoked:
        return
    rule = next(iter(contact.revoked.values()))
    channels = channels_of(contact.revoked)
    with turn.under(rule):
        if not {p.plain for p in contact.points} <= set(contact.revoked_at):
            again = revocation(turn, contact, channels, NOBODY)
            turn.emit(lead, again.model_copy(update={"revision": contact.revision}))
        for id_ in contact.leads:
            if turn.has_lead(id_):
                _block_lead(turn, id_, channels, None, whole_person=True)


def _next_revision(turn: Turn, contact: Contact) -> int:
    """Higher than any before of this contact; and than those of an earlier contact with the same
    point, who was erased: so it is counted in microseconds."""
    return max(contact.revision + 1, (turn.now - _EPOCH) // timedelta(microseconds=1))


def _block_lead(
    turn: Turn,
    lead: str,
    channels: tuple[Channel, ...],
    by: str | None,
    *,
    whole_person: bool = False,
) -> None:
    """Block what is not blocked yet; calls that are owed and messages that wait are taken back."""
    state = turn.lead(lead)
    known = state.person_blocked if whole_person else state.blocked
    new = tuple(channel for channel in channels if channel not in known)
    if not new:
        return
    turn.open(lead)
    turn.emit(lead, LeadBlocked(channels=new, whole_person=whole_person, by=by))
    state = turn.lead(lead)
    for task in state.open_tasks():
        if task.channel in state.forbidden:
            cancel_task(turn, lead, task)
    for channel in _withdrawn(state, new):
        turn.emit(
            lead, NotificationWithdrawn(lead=lead, to="contact", channel=channel, why="blocked")
        )


def _unblock_lead(
    turn: Turn, lead: str, channels: Collection[Channel], told: LeadUnblocked
) -> None:
    state = turn.lead(lead)
    known = state.person_blocked if told.whole_person else state.blocked
    freed = tuple(channel for channel in channels if channel in known)
    if freed:
        turn.open(lead)
        turn.emit(lead, told.model_copy(update={"channels": freed}))


def _withdrawn(lead: Lead, new: Collection[str]) -> tuple[MessageChannel | None, ...]:
    """The channels to take messages back from; None stands for all of them."""
    if set(WRITTEN) <= lead.forbidden.keys():
        return (None,)
    return tuple(channel for channel in WRITTEN if channel in new)
