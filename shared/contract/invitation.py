"""An appointment on its way into a calendar."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from shared.contract.envelope import Value


class Invitation(Value):
    """An appointment for the contact's calendar: `appointment` is its UID for ever, `revision`
    grows with each change (SEQUENCE), `host` is the agent they meet."""

    method: Literal["request", "cancel"]
    appointment: str
    revision: int
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    place: str | None = None
    host: str | None = None
