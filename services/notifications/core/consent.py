"""Who does not want to be written to: contact points and channels, whatever lead they are on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.contract.intake import PointKind
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import ConsentGiven, ConsentRevoked

Revocation = tuple[PointKind, str, str]
"""A contact point (kind, value) and a channel by which it must not be used any more."""

POINT_OF: dict[MessageChannel, PointKind] = {"sms": "phone", "email": "email"}
"""The kind of contact point that a channel needs."""


@dataclass(frozen=True, slots=True)
class Word:
    """The last word on a point and a channel, and which of them it was."""

    revision: int
    given: bool

    def overrules(self, other: Word) -> bool:
        """Leads are read side by side, so words come in any order. Of two of one revision the
        refusal counts."""
        return (self.revision, not self.given) >= (other.revision, not other.given)


Words = Mapping[Revocation, Word]


def heard(words: Words, data: ConsentRevoked | ConsentGiven) -> Words:
    """All last words after one more, for every message that is not handed over yet."""
    word = Word(data.revision, isinstance(data, ConsentGiven))
    about: list[Revocation] = [
        (point.kind, point.value, channel) for point in data.points for channel in data.channels
    ]
    return {
        **words,
        **{each: word for each in about if each not in words or word.overrules(words[each])},
    }


def revoked(words: Words) -> frozenset[Revocation]:
    """What is forbidden by these."""
    return frozenset(about for about, word in words.items() if not word.given)


def revocation_of(channel: MessageChannel, address: str) -> Revocation:
    """What would forbid a message to this address by this channel."""
    return (POINT_OF[channel], address, channel)  # the chat is for agents only
