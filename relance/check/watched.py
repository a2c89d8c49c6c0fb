"""A rulebook that remembers which of its rules ran."""

from __future__ import annotations

from pydantic import PrivateAttr

from shared.domain.rulebook.effect import Effect
from shared.domain.rulebook.rule import Rule
from shared.domain.rulebook.rulebook import Rulebook


class WatchedRule(Rule):
    """A rule that notes when it is run."""

    _number: int = PrivateAttr()
    _ran: set[int] = PrivateAttr()

    @classmethod
    def of(cls, rule: Rule, number: int, ran: set[int]) -> WatchedRule:
        """The same rule, which adds `number` to `ran` when it fires."""
        fields = {name: getattr(rule, name) for name in Rule.model_fields}
        watched = cls.model_construct(**fields)
        watched._number, watched._ran = number, ran
        return watched

    def fire(self) -> tuple[Effect, ...]:
        """Its effects, in order."""
        self._ran.add(self._number)
        return self.do


def watched(book: Rulebook) -> tuple[Rulebook, set[int]]:
    """The same book, and the numbers (in file order) of those of its rules that have run."""
    ran: set[int] = set()
    rules = tuple(WatchedRule.of(rule, n, ran) for n, rule in enumerate(book.rules))
    return book.model_copy(update={"rules": rules}), ran
