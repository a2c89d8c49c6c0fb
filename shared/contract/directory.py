"""Directory documents: whole, one kind one document, last writer wins (`runtime.md` 22)."""

from __future__ import annotations

from datetime import date, time
from typing import Literal, Self

from pydantic import AwareDatetime, model_validator

from shared.contract.envelope import Event, Value

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Kind = Literal["site", "calendar", "team", "agent", "absence", "availability", "rulebook"]


class Interval(Value):
    """Open from `opens` to `closes`, local time; `closes` <= `opens` runs over midnight."""

    opens: time
    closes: time


class PublicHolidays(Value):
    """A country's public holidays (ISO 3166, `FR`), with those of one of its regions (`Alsace`)."""

    country: str
    region: str | None = None


class SpecialDay(Value):
    """One day that is not like others of its weekday: its intervals, none where it is closed.

    It counts before weekday and public holiday; `why` is for people.
    """

    on: date
    hours: tuple[Interval, ...] = ()
    why: str | None = None


class Document(Event):
    """A directory document; `withdrawn` says that it no longer counts."""

    id: str
    withdrawn: bool = False


class Calendar(Document):
    """The open intervals of each weekday; a day without any is closed.

    Public holidays are closed, and special days are as they say.
    """

    type = "relance.directory.calendar.v1"
    weekly: dict[Weekday, tuple[Interval, ...]]
    holidays: PublicHolidays | None = None
    special: tuple[SpecialDay, ...] = ()


class Site(Document):
    """A point of sale: IANA `zone`, phone `region` (ISO 3166), its calendar.

    `settings` are the site's own values of rulebook settings, for instance
    `first_response = "2h"` (003-04: 1 to 48 hours), or `"2h elapsed"` where the rulebook lets a
    site count closed hours too.
    """

    type = "relance.directory.site.v1"
    name: str
    zone: str
    region: str
    calendar: str
    language: str = "en"
    settings: dict[str, str] = {}


class Team(Document):
    """Agents who share leads; `manager` is an agent id."""

    type = "relance.directory.team.v1"
    name: str
    site: str
    manager: str | None = None


class Agent(Document):
    """A person inside. `channels` is how they want to be told; `roles` what they may do; `chat` is
    what the company's chat calls them."""

    type = "relance.directory.agent.v1"
    name: str
    initials: str
    site: str
    team: str | None = None
    roles: tuple[str, ...] = ()
    email: str | None = None
    mobile: str | None = None
    chat: str | None = None
    channels: tuple[Literal["sms", "email", "chat"], ...] = ("email",)
    language: str | None = None


class Absence(Document):
    """An agent is away from `begins` until before `ends`; `why` is for people."""

    type = "relance.directory.absence.v1"
    agent: str
    begins: AwareDatetime
    ends: AwareDatetime
    why: str | None = None

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.ends <= self.begins:
            raise ValueError("an absence ends after it begins")
        return self


class Availability(Document):
    """Whether the agent of this `id` can take a call now, as telephony or a desk says it; `busy`:
    on a call or on a break. Nobody who is not named here is busy."""

    type = "relance.directory.availability.v1"
    state: Literal["available", "busy"]


class PublishedRulebook(Document):
    """A company's procedure as it was published: the files of its folder, by name.

    `id` is its version. Of what is attached to mails `files` has the hash and `attachments` the
    bytes (base64). The one that was published last is in force; `note` says why, for people.
    `published_at` is set by intake.
    """

    type = "relance.directory.rulebook.v1"
    name: str
    files: dict[str, str]
    attachments: dict[str, str] = {}
    note: str | None = None
    published_at: AwareDatetime | None = None


DIRECTORY_EVENTS: tuple[type[Document], ...] = (
    Site,
    Calendar,
    Team,
    Agent,
    Absence,
    Availability,
    PublishedRulebook,
)
KINDS: dict[Kind, type[Document]] = {
    "site": Site,
    "calendar": Calendar,
    "team": Team,
    "agent": Agent,
    "absence": Absence,
    "availability": Availability,
    "rulebook": PublishedRulebook,
}


def kind_of(document: Document) -> Kind:
    """`site` of a Site: the middle of the record key `tenant/kind/id`."""
    return next(kind for kind, cls in KINDS.items() if type(document) is cls)


def key_of(tenant: str, document: Document) -> str:
    """The record key on `directory.v1`."""
    return f"{tenant}/{kind_of(document)}/{document.id}"


def agent_subject(tenant: str, agent: str) -> str:
    """The subject of what is said of an agent: two companies may have one of the same id, and
    what waits for the one must not hold up the other (events are in order by subject)."""
    return f"{tenant}/{agent}"
