"""Who may not be contacted, and by what: for one lead, or for the person whatever the lead.

A block binds everybody: agents are refused, rules leave it, what was owed or queued is taken back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import get_args

from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.task import cancel_task
from services.pipeline.core.turn import Scene, Turn
from shared.contract.intake import Channel
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import ConsentRevoked, LeadBlocked, NotificationWithdrawn
from shared.domain.rulebook.effect import ALL
from shared.domain.rulebook.rulebook import Rulebook

OUTWARD: tuple[Channel, ...] = ("call", "sms", "email", "chat", "social")
"""The channels by which somebody can be reached; `all` of them."""

WRITTEN: tuple[MessageChannel, ...] = tuple(
    channel for channel in get_args(MessageChannel) if channel in OUTWARD
)
"""Those by which notifications writes to people."""


def channels_of(names: Iterable[str]) -> tuple[Channel, ...]:
    """The channels that `block` names."""
    wanted = set(names)
    return tuple(channel for channel in OUTWARD if ALL in wanted or channel in wanted)


def nothing_left(lead: Lead) -> bool:
    """Whether there is no channel any more by which this lead may be worked."""
    return lead.blocked.keys() >= set(OUTWARD)


def blocking_rule(scene: Scene, channels: Collection[str]) -> str | None:
    """The rule that forbids every one of these channels here; None while one of them is free."""
    blocked = scene.lead.blocked
    rules = [blocked.get(channel) for channel in channels]
    return None if not rules or None in rules else rules[0]


def sentence_of(book: Rulebook, rule: str) -> str:
    """What the rule says, in the company's own words."""
    told = [each.says for each in book.rules if each.id == rule]
    told += [each.says for each in book.requires if each.id == rule]
    return next(iter(told), rule)


def block(
    turn: Turn, lead: str, channels: tuple[Channel, ...], whole_person: bool, by: str | None = None
) -> None:
    """Nobody may use these channels on this lead any more, or to reach this person at all."""
    if not whole_person:
        _block_lead(turn, lead, channels, by)
        return
    contact = turn.contact(turn.lead(lead).contact)
    if set(channels) - contact.revoked.keys():
        _revoke(turn, lead, contact, channels, by)
    honour(turn, lead)


def honour(turn: Turn, lead: str) -> None:
    """What the person said once holds for every lead and every contact point of theirs, those
    that were learnt or joined later too."""
    contact = turn.contact(turn.lead(lead).contact)
    if not contact.revoked:
        return
    rule = next(iter(contact.revoked.values()))
    with turn.under(rule):
        if not {p.plain for p in contact.points} <= set(contact.revoked_at):
            _revoke(turn, lead, contact, channels_of(contact.revoked), None)
        for id_ in contact.leads:
            if turn.has_lead(id_):
                _block_lead(turn, id_, channels_of(contact.revoked), None)


def _revoke(
    turn: Turn, lead: str, contact: Contact, channels: tuple[Channel, ...], by: str | None
) -> None:
    points = tuple(point.plain for point in contact.points)
    turn.emit(lead, ConsentRevoked(contact=contact.id, channels=channels, points=points, by=by))


def _block_lead(turn: Turn, lead: str, channels: tuple[Channel, ...], by: str | None) -> None:
    """Block what is not blocked yet; calls that are owed and messages that wait are taken back."""
    new = tuple(channel for channel in channels if channel not in turn.lead(lead).blocked)
    if not new:
        return
    turn.open(lead)
    turn.emit(lead, LeadBlocked(channels=new, by=by))
    state = turn.lead(lead)
    for task in state.open_tasks():
        if task.channel in state.blocked:
            cancel_task(turn, lead, task)
    for channel in _withdrawn(state, new):
        turn.emit(
            lead, NotificationWithdrawn(lead=lead, to="contact", channel=channel, why="blocked")
        )


def _withdrawn(lead: Lead, new: Collection[str]) -> tuple[MessageChannel | None, ...]:
    """The channels to take messages back from; None stands for all of them."""
    if set(WRITTEN) <= lead.blocked.keys():
        return (None,)
    return tuple(channel for channel in WRITTEN if channel in new)
