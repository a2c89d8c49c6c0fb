"""Events of several topics in the order in which one led to the other."""

from __future__ import annotations

from collections.abc import Iterable

from shared.contract.envelope import Envelope


def in_order(events: Iterable[Envelope]) -> list[Envelope]:
    """By time; at one instant story by story, and within a story causes before effects."""
    by_id = {event.id: event for event in events}
    depths: dict[str, int] = {}

    def depth(event: Envelope) -> int:
        if event.id not in depths:
            depths[event.id] = 0  # a circle cannot be, but must not hang the story
            cause = by_id.get(event.causationid or "")
            depths[event.id] = depth(cause) + 1 if cause else 0
        return depths[event.id]

    return sorted(
        by_id.values(),
        key=lambda e: (e.time, e.correlationid or e.id, depth(e), e.source, e.sequence or 0),
    )
