"""Where a group stands on a partition, and whether Kafka still has it (`runtime.md` 3)."""

from __future__ import annotations

from dataclasses import dataclass

from shared.domain.count import counted, noun


@dataclass(frozen=True, slots=True)
class Range:
    """What Kafka has of a partition: records from `begins` up to, not including, `ends`."""

    begins: int
    ends: int


def gone(place: str, group: str, position: int, kept: Range) -> str | None:
    """Why `group` cannot go on at `position` of `place` (`topic/partition`); None if it can.

    One sentence: records it has not read were deleted (retention, a truncated log), or the topic
    was made anew. Going on at whatever is there would lose leads in silence.
    """
    if kept.begins <= position <= kept.ends:
        return None
    what = (
        f"{counted(kept.begins - position, 'record')} that {group} has not read "
        f"{noun(kept.begins - position, 'is', 'are')} gone"
        if position < kept.begins
        else f"{group} has read further than the log goes: the topic was truncated or made anew"
    )
    return (
        f"{place}: {what} (it stands at {position}, Kafka has {kept.begins} to {kept.ends}). "
        f"See `relance offsets show {group}`, then choose with `relance offsets set {group}`."
    )


def jumped(place: str, group: str, expected: int, came: int) -> str | None:
    """Why the record at offset `came` cannot follow, when `expected` was next; None if it can."""
    if came == expected:
        return None
    what = "records in between are gone" if came > expected else "the topic was made anew"
    return (
        f"{place}: {what}: {group} expected {expected}, and {came} came. "
        f"See `relance offsets show {group}`, then choose with `relance offsets set {group}`."
    )
