"""Lanes: a batch as parts that may take effect side by side, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

from shared.runtime.decoder import Item
from shared.runtime.subscription import Subscription

MOST = 3
"""While one lane decides, PostgreSQL stores another; more of them only cost transactions."""

AT_LEAST = 50
"""A lane has as many events on average: fewer are not worth a transaction."""


def of(items: Sequence[Item], subscription: Subscription) -> list[Sequence[Item]]:
    """The lanes of a batch; what has one key stays in one of them, in order.

    Across keys the outside promises no order, for they may lie on different partitions. Siblings'
    events stay together: a digest speaks of what came before it, whatever the subject.
    """
    many = 1 if subscription.sequenced else min(MOST, len(items) // AT_LEAST)
    if many < 2:
        return [items]
    lanes: list[list[Item]] = [[] for _ in range(many)]
    for item in items:
        lanes[crc32(item.record.key or b"") % many].append(item)
    return [lane for lane in lanes if lane]
