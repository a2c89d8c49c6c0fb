"""Which reasons of a rulebook stand for a no, which for silence; told from its rules and labels."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.domain.rulebook.condition import Attempts
from shared.domain.rulebook.effect import Close
from shared.domain.rulebook.rulebook import Rulebook

SILENCE = re.compile(r"joignable|répond|réponse|отвеча|дозвон|answer|unreach", re.IGNORECASE)
"""How labels say that somebody does not answer, in the languages of our rulebooks."""


@dataclass(frozen=True)
class Reasons:
    """Ids of reasons to lose a lead for: somebody said no, or nobody answers any more."""

    refusal: tuple[str, ...]
    silence: tuple[str, ...]

    @classmethod
    def of(cls, book: Rulebook) -> Reasons:
        """Those of a rulebook, without what only makes a lead invalid (spam, a double)."""
        real = [id_ for id_ in book.reasons if id_ not in _of_none(book)]
        tried = _asking_for_attempts(book)
        silence = [id_ for id_ in real if SILENCE.search(book.reasons[id_].label)]
        silence = silence or [id_ for id_ in real if id_ in tried]
        return cls(tuple(id_ for id_ in real if id_ not in silence), tuple(silence))


def _of_none(book: Rulebook) -> set[str]:
    """Reasons with which an outcome or a rule closes as invalid."""
    by_outcome = {o.reason for o in book.outcomes.values() if o.closes == "invalid" and o.reason}
    by_rule = {
        effect.reason
        for rule in book.rules
        for effect in rule.do
        if isinstance(effect, Close) and effect.close == "invalid" and effect.reason
    }
    return by_outcome | by_rule


def _asking_for_attempts(book: Rulebook) -> set[str]:
    """Reasons that a requirement allows only after attempts."""
    return {
        reason
        for requirement in book.requires
        if any(isinstance(need, Attempts) for need in requirement.need)
        for reason in requirement.to.reason
    }
