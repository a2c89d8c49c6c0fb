"""What somebody who gets in touch has in mind; it decides how their lead ends."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

Kind = Literal["buys", "declines", "fades", "none"]

SHARES: dict[Kind, float] = {"buys": 0.2, "declines": 0.35, "fades": 0.35, "none": 0.1}
"""Of a hundred: who goes all the way, who says no, who stops answering, who is no customer."""
REACHED = 0.5
"""So many calls to somebody who answers at all are answered."""
WEIGHS = {"buys": 0.75, "declines": 0.35}
"""So many conversations bring the lead to the next stage; else it is spoken of again."""
SAYS_NO = 0.4
"""So many conversations with somebody who declines are the one in which they say so."""


@dataclass(frozen=True)
class Mind:
    """`answers`: after so many conversations somebody who fades is never reached again."""

    kind: Kind
    answers: int

    @classmethod
    def of(cls, rng: Random) -> Mind:
        """A mind drawn at random."""
        (kind,) = rng.choices(list(SHARES), list(SHARES.values()))
        return cls(kind, rng.choice((0, 0, 1, 2, 3)))

    def is_reached(self, conversations: int, rng: Random) -> bool:
        """Whether this call is answered, after so many conversations."""
        gone = self.kind == "fades" and conversations >= self.answers
        return not gone and rng.random() < REACHED

    def says_no(self, rng: Random) -> bool:
        """Whether this conversation is the last."""
        return self.kind == "declines" and rng.random() < SAYS_NO

    def goes_on(self, rng: Random) -> bool:
        """Whether this conversation brings the lead to its next stage."""
        return rng.random() < WEIGHS.get(self.kind, WEIGHS["declines"])
