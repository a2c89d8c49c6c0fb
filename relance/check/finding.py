"""One thing that is wrong with a rulebook, in a sentence that a person can act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "file",
    "nobody",
    "template",
    "stage",
    "never",
    "contradiction",
    "unproved",
    "forgotten",
    "broken",
    "scenario",
]
"""file: cannot be read · nobody: a role, a team or an agent that is not there · template: cannot be
rendered · stage: no lead gets there · never: a rule that never runs · contradiction: two rules that
cannot both be right · unproved: a numbered row without a proof · forgotten: an open lead without a
next step · broken: what makes the cores fail · scenario: one that cannot be read."""


@dataclass(frozen=True)
class Finding:
    """`where` is a rule, a stage or a file; `path` the steps that lead there, if any."""

    kind: Kind
    where: str
    says: str
    path: tuple[str, ...] = ()
