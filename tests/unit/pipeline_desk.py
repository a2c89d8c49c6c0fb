"""A desk for tests of pipeline's core: the shipped rulebook, its directory, a world in hand."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from services.pipeline.core.action import ActionRequested
from services.pipeline.core.engine import handle
from services.pipeline.core.lead import Lead, Task
from services.pipeline.core.world import World
from shared.contract.directory import KINDS
from shared.contract.envelope import Envelope, Event, derived_id
from shared.contract.intake import ContactPoint, LeadReceived
from shared.contract.pipeline import ActionRefused, DeadlineSet
from shared.contract.reminders import LeadOverdue
from shared.domain.directory import Directory
from shared.domain.rulebook.loader import load
from shared.domain.rulebook.rulebook import Rulebook

FOLDER = Path(__file__).parents[2] / "rulebooks" / "axelerator"
MINSK = ZoneInfo("Europe/Minsk")
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=MINSK)
IVAN = ContactPoint(kind="phone", value="+375291234567")
IVAN_MAIL = ContactPoint(kind="email", value="ivan@example.com")

E = TypeVar("E", bound=Event)


@cache
def files() -> dict[str, str]:
    found = (path for path in FOLDER.rglob("*") if path.is_file())
    return {str(path.relative_to(FOLDER)): path.read_text() for path in found}


@cache
def axelerator() -> Rulebook:
    return load(files())


@cache
def company() -> Directory:
    tables = tomllib.loads(files()["directory.toml"])
    return Directory.of(
        cls.model_validate(row) for kind, cls in KINDS.items() for row in tables.get(kind, ())
    )


class Desk:
    """One world, moved on by inputs; `now` is their time, `events` what the last one made."""

    def __init__(self, book: Rulebook | None = None, directory: Directory | None = None) -> None:
        self.book = book or axelerator()
        self.directory = directory or company()
        self.world, self.now = World(), MONDAY
        self.events: list[Envelope] = []
        self._inputs = 0

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    def envelope(self, data: Event, subject: str = "-") -> Envelope:
        self._inputs += 1
        return Envelope(
            id=derived_id("test", str(self._inputs)),
            source="/test",
            type=data.type,
            subject=subject,
            time=self.now,
            tenant="axelerator",
            data=data,
        )

    def put(self, data: Event, subject: str = "-") -> list[Envelope]:
        self.world, self.events = handle(
            self.world, self.envelope(data, subject), self.book, self.directory
        )
        return self.events

    def receive(self, *points: ContactPoint, channel: Any = "call", **more: Any) -> Lead:
        source = {"call": "phone", "form": "site", "email": "mail"}[channel]
        received = LeadReceived(channel=channel, source=source, site="minsk", points=points, **more)
        self.put(received)
        return self.lead(self.events[0].subject)

    def act(self, lead: Lead, act: str, by: str = "anna", **arguments: Any) -> list[Envelope]:
        data = ActionRequested.model_validate({"by": by, "action": {"act": act, **arguments}})
        return self.put(data, lead.id)

    def refuse(self, lead: Lead) -> list[Envelope]:
        """The client said no: with a recording that proves it the lead is lost."""
        self.act(lead, "attach", kind="call_recording")
        return self.act(lead, "close", status="lost", reason="refused", evidence="call_recording")

    def no_answer(self, lead: Lead) -> list[Envelope]:
        return self.act(lead, "log_attempt", code="call", outcome="no_answer")

    def fire(self, lead: Lead, deadline_set: Envelope) -> list[Envelope]:
        data = deadline_set.data
        assert isinstance(data, DeadlineSet)
        overdue = LeadOverdue(name=data.name, deadline_set=deadline_set.id, due_at=self.now)
        return self.put(overdue, lead.id)

    def lead(self, id_: str | Lead) -> Lead:
        return self.world.leads[id_ if isinstance(id_, str) else id_.id]

    def task(self, lead: Lead, name: str) -> Task:
        return self.lead(lead).open_tasks(name)[0]

    def all(self, kind: type[E]) -> list[E]:
        return [event.data for event in self.events if isinstance(event.data, kind)]

    def one(self, kind: type[E]) -> E:
        (found,) = self.all(kind)
        return found

    def envelope_of(self, kind: type[Event]) -> Envelope:
        (found,) = [event for event in self.events if isinstance(event.data, kind)]
        return found

    def names(self) -> list[str]:
        return [type(event.data).__name__ for event in self.events]

    def refused(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(need.rule, need.missing) for need in self.one(ActionRefused).needs]
