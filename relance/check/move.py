"""One thing that can happen, said in words so that a path of them can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relance.people.stand import Stand


@dataclass(frozen=True)
class Move:
    """`words` for people; `do` returns whether it could be done."""

    words: str
    do: Callable[[Stand], bool]
