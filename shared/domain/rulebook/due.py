"""A due time as a rule says it: symbolic, against moments of the lead."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from shared.contract.due import Of
from shared.domain.duration import mismatch, parse
from shared.domain.rulebook.word import Part, Ref

Moment = Literal[
    "now",
    "received",
    "stage_entered",
    "last_contact",
    "last_attempt",
    "last_call",
    "opened",
    "appointment",
    "closed",
    "today",
]
"""`last_contact` is the receipt while nobody has spoken; `last_attempt` the last counted one,
`last_call` the last counted one by phone (while there is none, the receipt too);
`opened` the last time that a mail of ours was opened first; `appointment` the start of the last one
booked: what is due by it follows it, moved or cancelled."""

MOMENTS: tuple[str, ...] = get_args(Moment)

Duration = Annotated[str, Ref("duration")]
"""`30m`, `2h`, `1d`, `1w`, `3mo`, or the name of a setting."""

At = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|end_of_day|next_opening)$")]


class DueTime(Part):
    """`{ in, of, from, at }`, `{ before, from, of, at, if_past }`, `{ on, at }` or `{ at }`.

    `on` is a date, or a field of type date: while that is empty, nothing is due; nor is anything by
    an appointment while there is none.
    """

    in_: Duration | None = Field(default=None, alias="in")
    before: Duration | None = None
    on: Annotated[
        dt.date | Annotated[str, Ref("date field")] | None, Field(union_mode="left_to_right")
    ] = None
    of: Of = "elapsed"
    from_: Moment = Field(default="now", alias="from")
    at: At | None = None
    if_past: Literal["now", "skip"] = "now"

    @model_validator(mode="after")
    def _one_anchor(self) -> Self:
        """Exactly one way to say when; `at` alone is today at that time."""
        given = [name for name in ("in_", "before", "on") if getattr(self, name) is not None]
        if len(given) > 1 or (not given and self.at is None):
            raise ValueError("expected exactly one of in, before, on, or at alone")
        return self

    @model_validator(mode="after")
    def _countable(self) -> Self:
        """Open hours count minutes and hours, working days count days."""
        for text in (self.in_, self.before):
            if text is not None and (problem := self.uncountable(text)) is not None:
                raise ValueError(problem)
        return self

    def uncountable(self, text: str) -> str | None:
        """Why the duration `text` cannot be counted here; a name of a setting is not judged."""
        try:
            duration = parse(text)
        except ValueError:
            return None
        return mismatch(duration, self.of)
