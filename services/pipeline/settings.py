"""Pipeline's settings: those of the runtime and its own."""

from __future__ import annotations

from pydantic import Field

from shared.runtime.settings import Settings


class PipelineSettings(Settings):
    """Environment `RELANCE_…`."""

    answers_kept_d: int = Field(
        default=7,
        ge=1,
        le=90,
        description="Days for which a repeated Idempotency-Key gets the first answer.",
    )
