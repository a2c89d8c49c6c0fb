"""A finding: one promise that was not kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Fault = Literal[
    "lost",
    "repeated",
    "disordered",
    "untold",
    "told_twice",
    "without_cause",
    "stuck",
    "set_aside",
]
"""Accepted or said and gone · took effect again · out of order · a message nobody got · got
twice · an effect of nothing · not done, and nothing is about to do it · in quarantine."""

FAULTS: tuple[Fault, ...] = get_args(Fault)


@dataclass(frozen=True, slots=True)
class Finding:
    """Which promise, about what (an id), and a sentence for people."""

    fault: Fault
    about: str
    sentence: str
