"""How the mail catcher misbehaves on purpose, for fault tests."""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Behaviour(BaseModel):
    """What goes wrong with the next messages; as made by default, nothing does.

    `reply` is an SMTP answer given instead of accepting ("451", "550 No such user") at `stage`.
    `drop_after_data` closes the connection instead of answering a message that was received
    whole; `keep` says whether it was kept all the same (both happen in the world, and the sender
    cannot tell which). `delay_s` waits before answering. `times` counts the messages or
    recipients that it happens to; absent, it lasts until the next change.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    reply: str | None = Field(default=None, pattern=r"^[245]\d\d( .*)?$")
    stage: Literal["recipient", "data"] = "data"
    drop_after_data: bool = False
    keep: bool = True
    delay_s: float = Field(default=0, ge=0, le=600)
    times: int | None = Field(default=None, ge=1)

    @property
    def is_bad(self) -> bool:
        """Whether anything goes wrong."""
        return bool(self.reply or self.drop_after_data or self.delay_s)

    def become(self, other: "Behaviour") -> None:
        """Take over all of `other`."""
        for name in Behaviour.model_fields:
            setattr(self, name, getattr(other, name))

    def next(self, stage: str) -> "Fault":
        """Return what goes wrong now, and count it."""
        if not self.is_bad or stage != self.stage:
            return Fault()
        fault = Fault(_with_text(self.reply), self.drop_after_data, self.keep, self.delay_s)
        if self.times == 1:
            self.become(Behaviour())
        elif self.times:
            self.times -= 1
        return fault


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one message; by default nothing."""

    reply: str | None = None
    drop: bool = False
    keep: bool = True
    delay_s: float = 0


def _with_text(reply: str | None) -> str | None:
    return f"{reply} as the test asked" if reply and len(reply) == 3 else reply
