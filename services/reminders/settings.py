"""The settings of reminders."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import Settings


class RemindersSettings(Settings):
    """`RELANCE_ALARM_BATCH=500` and so on, beside what every service has."""

    alarm_batch: int = Field(
        default=500, ge=1, le=10_000, description="Deadlines said in one transaction."
    )
    alarm_poll_s: float = Field(
        default=1.0,
        gt=0,
        le=60,
        description="How often the alarm looks for what another replica has armed.",
    )
