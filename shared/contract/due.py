"""A due time as it travels in events: symbolic, so that reminders can plan it again."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contract.envelope import Value

Of = Literal["elapsed", "open_hours", "working_days"]


class Due(Value):
    """When something is due; exactly one of `in`, `before`, `on` or `instant` is given.

    `in`/`before` are durations (`30m`, `2h`, `1d`, `1w`, `3mo`) counted from `from` by `of`;
    `on` is a local date of the site; `instant` is exact. `at` then fixes the time of day in the
    site's zone: `HH:MM`, `end_of_day` or `next_opening`. `if_past` says what a `before` that
    already lies in the past does. `anchor` is the id of the appointment that `from` is the time
    of: a due time follows it, and is planned again when it moves.
    """

    in_: str | None = Field(default=None, alias="in")
    before: str | None = None
    on: date | None = None
    instant: AwareDatetime | None = None
    of: Of = "elapsed"
    from_: AwareDatetime | None = Field(default=None, alias="from")
    at: str | None = None
    anchor: str | None = None
    if_past: Literal["now", "skip"] = "now"
