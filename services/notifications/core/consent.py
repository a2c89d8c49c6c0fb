"""Who does not want to be written to: contact points and channels, whatever lead they are on."""

from __future__ import annotations

from shared.contract.intake import PointKind
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import ConsentRevoked

Revocation = tuple[PointKind, str, str]
"""A contact point (kind, value) and a channel by which it must not be used any more."""

POINT_OF: dict[MessageChannel, PointKind] = {"sms": "phone", "email": "email"}
"""The kind of contact point that a channel needs."""


def revocations(data: ConsentRevoked) -> frozenset[Revocation]:
    """What the event forbids, from now on, for every message that is not handed over yet."""
    return frozenset(
        (point.kind, point.value, channel) for point in data.points for channel in data.channels
    )


def revocation_of(channel: MessageChannel, address: str) -> Revocation:
    """What would forbid a message to this address by this channel."""
    return (POINT_OF[channel], address, channel)  # the chat is for agents only
