"""What goes before what it went after: the fewest moves from one order to another."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def moved(old: Sequence[T], new: Sequence[T]) -> Iterator[tuple[T, T | None]]:
    """Of what both have, what has another place: (it, what it comes before now; None: nothing)."""
    place = {each: number for number, each in enumerate(old)}
    both = [each for each in new if each in place]
    staying = _longest_rising([place[each] for each in both])
    for number, each in enumerate(both):
        if place[each] not in staying:
            yield each, both[number + 1] if number + 1 < len(both) else None


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """As many of different numbers as rise from first to last."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        length = bisect_left(tails, number)
        before[number] = tails[length - 1] if length else None
        tails[length : length + 1] = [number]
    found: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
