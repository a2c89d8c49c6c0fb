"""Failpoints: named places where a process can be made to die, to prove that nothing is lost there.

`RELANCE_FAILPOINT=relay.published` kills the process (SIGKILL, so nothing is tidied up) when it
comes to that place, `relay.published:5` the fifth time. Unset, a place costs one comparison.
"""

from __future__ import annotations

import os
import signal

from shared.runtime.settings import WrongSetting

SETTING = "RELANCE_FAILPOINT"

PLACES = {
    "batch.begun": "its transaction is open, nothing is done",
    "batch.done": "all is done, nothing is committed",
    "batch.committed": "committed, its offsets are not",
    "offsets.committed": "the group knows how far the database is",
    "parking.done": "what waited is taken up, nothing is committed",
    "parking.committed": "what waited has taken effect, nobody is woken",
    "unit.done": "an action or a firing is done, nothing is committed",
    "unit.committed": "it is committed, its caller has no answer",
    "relay.begun": "the relay has its rows, Kafka has none",
    "relay.published": "Kafka has the rows, they are not deleted",
    "relay.deleted": "the rows are deleted",
    "doors.acknowledged": "Kafka has what came in, its sender has no answer",
    "message.claimed": "a message is in hand, its provider has not been called",
    "message.handed_over": "its provider has it, that is not recorded",
}
"""Every place, and what is true there."""

_armed = ""
_left = 0


def arm(wanted: str) -> None:
    """Die at this place (`name` or `name:times`); "" nowhere. Raises `WrongSetting`."""
    global _armed, _left
    name, _, times = wanted.partition(":")
    if wanted and (name not in PLACES or not (times or "1").isdecimal()):
        raise WrongSetting(
            f"{SETTING}={wanted} names no failpoint: it is one of {', '.join(PLACES)}, "
            "with :5 for the fifth time."
        )
    _armed, _left = name, int(times or 1)


def here(place: str) -> None:
    """The process is at this place; if it is the one that is armed, it dies."""
    if place == _armed:
        _count_down()


def _count_down() -> None:
    global _left  # noqa: PLW0603 - as above
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
