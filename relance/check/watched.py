"""A rulebook that remembers which of its rules ran."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.domain.rulebook.effect import Effect
from shared.domain.rulebook.rulebook import Rulebook


class Watched(tuple[Effect, ...]):
    """The effects of a rule; whoever goes through them is running it."""

    def watch(self, number: int, ran: set[int]) -> Watched:
        """This tuple, which adds `number` to `ran` when it is gone through."""
        self._number, self._ran = number, ran
        return self

    def __iter__(self) -> Iterator[Effect]:
        self._ran.add(self._number)
        return super().__iter__()


def watched(book: Rulebook) -> tuple[Rulebook, set[int]]:
    """The same book, and the numbers (in file order) of those of its rules that have run."""
    ran: set[int] = set()
    rules: list[Any] = [
        rule.model_copy(update={"do": Watched(rule.do).watch(number, ran)})
        for number, rule in enumerate(book.rules)
    ]
    return book.model_copy(update={"rules": tuple(rules)}), ran
