"""The steps of a scenario by which something happens; `expected.py` has the others.

Whatever can be checked without running is checked here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)

from services.pipeline.core.action import Action
from shared.contract.directory import Availability, Interval, SpecialDay, Weekday
from shared.domain.duration import parse as parse_duration

_ACTION: TypeAdapter[Action] = TypeAdapter(Action)

_WEEKLY: TypeAdapter[dict[Weekday, tuple[Interval, ...]]] = TypeAdapter(
    dict[Weekday, tuple[Interval, ...]]
)


def _local(instant: datetime) -> datetime:
    if instant.tzinfo is not None:
        raise ValueError("write local time of the site, without an offset")
    return instant


def _duration(text: object) -> timedelta:
    if not isinstance(text, str):
        raise ValueError("write a duration such as 31m, 2h, 1d or 1w")
    return parse_duration(text).length


Local = Annotated[datetime, AfterValidator(_local)]


class Step(BaseModel):
    """One thing that happens, or that is expected to have happened."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class FileRow(Step):
    """One lead of a file; `owner` is written in it, `as` names the lead for later steps."""

    as_: str | None = Field(default=None, alias="as")
    id: str | None = None
    owner: str | None = None
    phone: str | None = None
    email: str | None = None
    name: str | None = None
    company: str | None = None
    text: str | None = None
    fields: dict[str, str] = {}


class Receive(Step):
    """The outside gets in touch: a call, a form, an SMS or an e-mail, at one of intake's doors; or
    a file of leads is put there, with `rows`, or with the one row that the step itself is.

    `as` names the lead for later steps, `owner` has the team's manager give the lead to that
    agent. `source` is an entry of `sources.toml` (default: the first of that channel).
    `id` is the sender's own id of the message; the same id again is a repeated delivery. A form
    that is `anonymous` comes without one.
    `auto` marks a mail that a machine wrote.
    """

    receive: Literal["call", "form", "email", "sms", "file"]
    rows: tuple[FileRow, ...] = ()
    as_: str | None = Field(default=None, alias="as")
    owner: str | None = None
    source: str | None = None
    id: str | None = None
    anonymous: bool = False
    phone: str | None = None
    email: str | None = None
    name: str | None = None
    company: str | None = None
    subject: str | None = None
    text: str | None = None
    language: str | None = None
    fields: dict[str, str] = {}
    direction: Literal["inbound", "outbound"] = "inbound"
    outcome: Literal["missed", "answered", "ringing"] = "missed"
    answered_by: str | None = None
    duration_s: int | None = None
    recording_url: str | None = None
    in_reply_to: str | None = None
    auto: bool = False

    @model_validator(mode="after")
    def _says_what_arrives(self) -> Receive:
        """What such a message cannot carry must not be written in it and then be ignored."""
        for field in sorted(self.model_fields_set - _ANYWAY - _CARRIED[self.receive]):
            known = ", ".join(sorted(_CARRIED[self.receive]))
            raise ValueError(f"an input of {self.receive} carries no {field}; it carries {known}")
        return self

    @property
    def file_rows(self) -> tuple[FileRow, ...]:
        """The rows of a file."""
        said = self.model_dump(include=set(FileRow.model_fields), by_alias=True, exclude_unset=True)
        return self.rows or (FileRow.model_validate(said),)


_ANYWAY = frozenset({"receive", "as_", "owner", "source", "id"})
_CARRIED: dict[str, frozenset[str]] = {
    "call": frozenset(
        {"phone", "outcome", "direction", "answered_by", "duration_s", "recording_url"}
    ),
    "form": frozenset(
        {
            "anonymous",
            "phone",
            "email",
            "name",
            "company",
            "subject",
            "text",
            "language",
            "fields",
        }
    ),
    "sms": frozenset({"phone", "text"}),
    "email": frozenset({"email", "name", "subject", "text", "in_reply_to", "auto"}),
    "file": frozenset({"rows", "phone", "email", "name", "company", "text", "fields"}),
}


class Call(Step):
    """A call as the phone system tells it: it goes on (taken by `agent`, or still ringing), or
    one of ours is over. `phone` is the contact's; without it that of `lead`."""

    call: Literal["started", "ended"]
    phone: str | None = None
    lead: str | None = None
    source: str | None = None
    direction: Literal["inbound", "outbound"] | None = None
    outcome: Literal["missed", "answered"] = "answered"
    agent: str | None = None
    duration_s: int | None = None
    recording_url: str | None = None


class Reply(Step):
    """The contact of `lead` answers by e-mail, in the thread if there is one; or their calendar
    answers the last invitation (`accepted`, `declined`, `tentative`)."""

    reply: Literal["email", "accepted", "declined", "tentative"]
    lead: str | None = None
    subject: str | None = None
    text: str = "…"


class Open(Step):
    """The contact of `lead` opens the last e-mail of this template."""

    open: str
    lead: str | None = None


class Act(Step):
    """An agent's action; whatever else the step says are the action's arguments.

    `as` names the lead that a `create_lead` makes.
    """

    model_config = ConfigDict(extra="allow")

    act: str
    by: str
    lead: str | None = None
    as_: str | None = Field(default=None, alias="as")

    @property
    def action(self) -> Action:
        """The action as pipeline's API takes it."""
        return _ACTION.validate_python(self.json_action)

    @property
    def json_action(self) -> dict[str, Any]:
        """The action as an agent sends it."""
        return {"act": self.act, **(self.model_extra or {})}

    @model_validator(mode="after")
    def _is_an_action(self) -> Act:
        _ = self.action
        return self


class Away(BaseModel):
    """An absence as a step says it: local times of the agent's site; the same `from` again
    changes the one that was declared, `withdrawn` takes it back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    agent: str
    from_: Local = Field(alias="from")
    to: Local
    withdrawn: bool = False

    @model_validator(mode="after")
    def _lasts(self) -> Away:
        if self.to <= self.from_:
            raise ValueError("an absence ends after it begins: `to` lies before `from`")
        return self


class Answer(Step):
    """Whoever was asked about `lead` answers, by the link in the message they got.

    `to` is the agent whom the answer names; `by` who answers, where several were asked.
    """

    answer: str
    to: str | None = None
    lead: str | None = None
    by: str | None = None


def _listed(spans: object) -> list[object]:
    if not isinstance(spans, list | tuple):
        raise ValueError('write hours as a list of [opens, closes]: [["09:00", "18:00"]]')
    return list(spans)


def _interval(span: object) -> dict[str, object]:
    if not isinstance(span, list | tuple) or len(span) != 2:
        raise ValueError('write hours as [opens, closes], such as ["09:00", "18:00"]')
    opens, closes = span
    return {"opens": opens, "closes": closes}


class Declare(Step):
    """The company changes something: a site's weekly opening hours, one setting, an absence, or
    whether an agent can take a call.

    `calendar`: each weekday as a list of [opens, closes]; a day that is not named is closed.
    `closing`: a day (`on`) on which the site is closed, or open at `hours` of its own. `setting`:
    its name and value. `absence`: `agent`, `from`, `to`; `withdrawn` takes it back.
    `availability`: `agent` and `state`, `available` or `busy`.
    """

    model_config = ConfigDict(extra="allow")

    declare: Literal["calendar", "closing", "setting", "absence", "availability"]
    site: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        """For `calendar` weekday → list of [opens, closes]; for `setting` name → value; for
        `absence` what `away` reads, for `closing` what `day` reads."""
        return dict(self.model_extra or {})

    @property
    def weekly(self) -> dict[Weekday, tuple[Interval, ...]]:
        """The opening hours of a `calendar`; a day that is not named is closed."""
        return _WEEKLY.validate_python(
            {day: [*map(_interval, _listed(spans))] for day, spans in self.values.items()}
        )

    @property
    def availability(self) -> Availability:
        """Whether somebody can take a call, for an `availability`."""
        if set(self.values) != {"agent", "state"}:
            raise ValueError('an availability says agent and state ("available" or "busy")')
        return Availability(id=self.values["agent"], state=self.values["state"])

    @property
    def day(self) -> SpecialDay:
        """The day on which the site is closed, or open at `hours` of its own, for a `closing`."""
        hours = [*map(_interval, _listed(self.values.get("hours", [])))]
        return SpecialDay.model_validate({"on": self.values.get("on"), "hours": hours})

    @property
    def away(self) -> Away:
        """Who is away from when to when, for an `absence`."""
        return Away.model_validate(self.values)

    @model_validator(mode="after")
    def _can_be_read(self) -> Declare:
        if self.declare == "calendar":
            _ = self.weekly
        elif self.declare == "absence":
            _ = self.away
        elif self.declare == "availability":
            _ = self.availability
        elif self.declare == "closing":
            _ = self.day
        return self


class Wait(Step):
    """Nothing happens from outside for `wait`."""

    wait: Annotated[timedelta, BeforeValidator(_duration)]


class Until(Step):
    """Nothing happens from outside until this local time."""

    until: Local
