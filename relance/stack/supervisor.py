"""Starts again what died while the stack runs, later each time it dies again."""

import time
from dataclasses import dataclass
from typing import Protocol

from relance.stack.error import StackError
from relance.stack.kafka_jars import Say
from relance.stack.process import Child

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0


class Part(Protocol):
    """A program of the stack."""

    child: Child

    def launch(self) -> None:
        """Start it without waiting; raise StackError if that is impossible."""


@dataclass
class _Watched:
    part: Part
    pause_s: float = FIRST_PAUSE_S
    started_at: float = 0
    due_at: float | None = None  # when it is to be started again; None while it runs


class Supervisor:
    """Watches the parts of a stack; `look` is called a few times a second."""

    def __init__(self, parts: list[Part], say: Say) -> None:
        """Watch running parts; `say` gets what happens, a sentence each."""
        self._watched = [_Watched(part) for part in parts]
        self._say = say

    def look(self, now_s: float | None = None) -> None:
        """Notice who died and start again whose pause is over. `now_s` is monotonic time."""
        now = time.monotonic() if now_s is None else now_s
        for one in self._watched:
            if one.due_at is not None:
                if now >= one.due_at:
                    self._start_again(one, now)
            elif not one.part.child.alive:
                self._note_death(one, now)

    def _note_death(self, one: _Watched, now: float) -> None:
        if now - one.started_at > STEADY_S:
            one.pause_s = FIRST_PAUSE_S
        child = one.part.child
        self._say(
            f"{child.name} ended unexpectedly ({_how(child.exit_code)}); it starts again in "
            f"{one.pause_s:.0f} s. The end of {child.log}:\n{child.tail()}"
        )
        self._postpone(one, now)

    def _start_again(self, one: _Watched, now: float) -> None:
        try:
            one.part.launch()
        except StackError as error:
            self._say(f"{one.part.child.name} could not be started again: {error}")
            self._postpone(one, now)
            return
        one.started_at, one.due_at = now, None
        self._say(f"{one.part.child.name} runs again (process {one.part.child.pid}).")

    @staticmethod
    def _postpone(one: _Watched, now: float) -> None:
        one.due_at = now + one.pause_s
        one.pause_s = min(one.pause_s * 2, LONGEST_PAUSE_S)


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"killed by signal {-exit_code}"
    return f"exit code {exit_code}"
