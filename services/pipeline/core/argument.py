"""What agents may give with an action: how long a text is at most, and what a length of time."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from shared.domain.duration import parse

LONGEST_TEXT = 10_000
LONGEST_VALUE = 2_000
"""As long as a door takes in; what is kept of a lead is said again in every message about it."""


def _exact(text: str) -> str:
    if not parse(text).is_exact:
        raise ValueError("write minutes or hours, such as 45m or 2h")
    return text


Lasts = Annotated[str, AfterValidator(_exact)]
"""How long an appointment is: `45m`, `2h`."""

FieldValue = Annotated[str, StringConstraints(max_length=LONGEST_VALUE)]
