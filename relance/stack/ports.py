"""The fixed ports of the stack that a person uses: all beside one another, movable together."""

import os
from dataclasses import astuple, dataclass, fields

from relance.stack.error import StackError
from relance.stack.port import choose_port

DEFAULT_BASE = 8400


@dataclass(frozen=True)
class Ports:
    """One port each, in this order from the base on; 0 means any free one."""

    intake: int = 0
    pipeline: int = 0
    reminders: int = 0
    notifications: int = 0
    mail_page: int = 0
    mail_smtp: int = 0
    intake_smtp: int = 0
    kafka: int = 0
    postgres: int = 0

    @classmethod
    def from_base(cls, base: int) -> "Ports":
        """Return neighbouring ports from `base` on."""
        return cls(*range(base, base + len(fields(cls))))

    @classmethod
    def of_environment(cls) -> "Ports":
        """Return the ports from RELANCE_PORT_BASE on (8400); raise StackError for a wrong value."""
        text = os.environ.get("RELANCE_PORT_BASE", str(DEFAULT_BASE))
        if not text.isdigit() or not 1024 <= int(text) <= 65_000:
            raise StackError(
                f"RELANCE_PORT_BASE is {text!r} and should be a number from 1024 to 65000: "
                "the first of nine ports for the local stack."
            )
        return cls.from_base(int(text))

    def check(self) -> None:
        """Raise StackError naming the first port that is busy, before anything is started."""
        for field, port in zip(fields(self), astuple(self), strict=True):
            choose_port(port, field.name.replace("_", " "))
