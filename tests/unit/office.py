"""A small company for the tests of reminders: Minsk nine to six, a bar, and a shut shop."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from shared.contract.directory import Agent, Calendar, Document, Interval, Site, Weekday
from shared.contract.due import Due
from shared.contract.envelope import Envelope, Event, derived_id
from shared.contract.pipeline import DeadlineSet
from shared.domain.directory import Directory

MINSK = ZoneInfo("Europe/Minsk")
WORKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
LEAD = derived_id("lead")


def at(text: str, zone: str = "Europe/Minsk") -> datetime:
    """A site's local time as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def site(id_: str, calendar: str = "office", zone: str = "Europe/Minsk") -> Site:
    return Site(id=id_, name=id_.title(), zone=zone, region="BY", calendar=calendar)


def agent(id_: str, at_site: str = "minsk", *, withdrawn: bool = False) -> Agent:
    return Agent(
        id=id_, name=id_.title(), initials=id_[:2].upper(), site=at_site, withdrawn=withdrawn
    )


OFFICE = Calendar(
    id="office", weekly={day: (Interval(opens=time(9), closes=time(18)),) for day in WORKDAYS}
)
SHUT = Calendar(id="shut", weekly={})
DOCUMENTS: tuple[Document, ...] = (
    OFFICE,
    SHUT,
    site("minsk"),
    site("paris", zone="Europe/Paris"),
    site("shut", "shut"),
    agent("anna"),
    agent("boris"),
    agent("paul", "paris"),
)
DIRECTORY = Directory.of(DOCUMENTS)


def event(data: Event, now: datetime, *, lead: str = LEAD, id_: str = "") -> Envelope:
    """What pipeline says at `now`."""
    return Envelope(
        id=derived_id(lead, id_ or repr(data), now.isoformat()),
        source="/pipeline",
        type=data.type,
        subject=lead,
        time=now,
        tenant="axelerator",
        correlationid=derived_id("the input"),
        data=data,
    )


def deadline_set(name: str, due: Due, now: datetime, lead: str = LEAD) -> Envelope:
    return event(DeadlineSet(name=name, due=due, kind="task", site="minsk"), now, lead=lead)
