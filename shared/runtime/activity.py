"""Activity: what a process has in hand, so that the stepping clock knows when all is quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Activity:
    """`count` rises with every start and end of work; `in_hand` names what is not finished.

    Whoever saw the same count twice with nothing in hand knows that nothing happened between.
    """

    def __init__(self) -> None:
        self.count = 0
        self.in_hand: Counter[str] = Counter()

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        """Something named `what` is being done."""
        self.count += 1
        self.in_hand[what] += 1
        try:
            yield
        finally:
            self.count += 1
            self.in_hand[what] -= 1

    def busy(self) -> list[str]:
        """What is in hand at this moment."""
        return [what for what, times in self.in_hand.items() if times > 0]
