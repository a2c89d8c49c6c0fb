"""How parts of events are said: instants, people, due times, quoted text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.contract.due import Due
from shared.contract.intake import ContactPoint
from shared.domain.lead_number import number_of
from shared.domain.names import Names

SHOWN_CHARACTERS = 120
"""As much of somebody's text as a line of the story quotes."""

OF = {"elapsed": "", "open_hours": " of open hours", "working_days": " (working days)"}


@dataclass(frozen=True)
class Say:
    """Says parts of events: instants in `zone`, ids by what `names` knows of them."""

    names: Names
    zone: ZoneInfo

    def at(self, instant: datetime) -> str:
        """Mon 2 Mar 18:00."""
        local = instant.astimezone(self.zone)
        return f"{local:%a} {local.day} {local:%b %H:%M}"

    def by(self, agent: str | None) -> str:
        """Who did it; nothing where nobody did."""
        return f" by {self.names.agent(agent)}" if agent else ""

    def lead(self, id_: str) -> str:
        """Its number for people."""
        return f"№{number_of(id_)}"

    def stage(self, id_: str) -> str:
        """A stage by its label, else its id."""
        return f"«{self.names.stages.get(id_, id_)}»"

    def task(self, id_: str, kind: str | None = None) -> str:
        """A task by its title, else by its kind, else by its id."""
        return f"«{self.names.tasks.get(id_, kind or id_)}»"

    def person(self, name: str | None, points: Iterable[ContactPoint]) -> str:
        """A person by name and contact points."""
        return ", ".join([*([name] if name else []), *(point.value for point in points)])

    def due(self, due: Due | None) -> str:
        """Until when, as a part of a sentence; nothing where nothing is due."""
        if due is None:
            return ""
        at = f" at {due.at.replace('_', ' ')}" if due.at else ""
        if due.in_:
            return f", due in {due.in_}{OF[due.of]}{at}"
        if due.before:
            what = " the appointment" if due.anchor else ""
            return f", due {due.before} before{what}{at}"
        when = self.at(due.instant) if due.instant else f"{due.on}"
        return f", due {when}{at}"


def quoted(text: str | None) -> str:
    """The beginning of somebody's text, on one line, in quotes."""
    line = " ".join((text or "").split())
    cut = line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"
    return f"«{cut}»" if cut else ""
