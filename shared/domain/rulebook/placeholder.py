"""Placeholders of a rulebook's own texts (notes, titles, scripts): closed, checked at load."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args

Name = Literal["agent", "initials", "date", "source", "company", "contact", "note", "day", "round"]
"""agent, initials: whoever acts, else the owner · date: today at the site · source: how the lead
came, by its label · company: ours · contact: the person's name · note: what the agent wrote with
the action that started the rule · day: on how many local dates somebody has tried to reach the
contact since they were last reached · round: how often today, by the channel tried most. Any field
id stands for its value.
"""

NAMES: tuple[str, ...] = get_args(Name)
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def unknown(text: str, fields: Iterable[str]) -> str | None:
    """Which placeholder of `text` stands for nothing, in a sentence; None if all are known."""
    known = (*NAMES, *fields)
    for found in PLACEHOLDER.finditer(text):
        if found[1] not in known:
            return f"{{{found[1]}}} stands for nothing; known: {', '.join(known)}"
    return None
