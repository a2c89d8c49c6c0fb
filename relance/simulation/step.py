"""The steps of a scenario: what happens, and what is expected to have happened.

A step is an inline table that is named by its first word. Whatever can be checked without
running is checked here, so that a misspelt event or field is an error and never an expectation
that cannot fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from difflib import get_close_matches
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
from shared.contract.envelope import Event
from shared.contract.topics import EVENT_CLASSES
from shared.domain.duration import parse as parse_duration

EVENTS: dict[str, type[Event]] = {cls.__name__: cls for cls in EVENT_CLASSES.values()}
"""Every event a scenario may name, by class name."""

ABOUT_THE_ENVELOPE = frozenset({"lead", "rule", "time"})
"""What an expectation may say of any event: whose lead, which rule made it, when (local)."""


def _local(instant: datetime) -> datetime:
    if instant.tzinfo is not None:
        raise ValueError("write local time of the site, without an offset")
    return instant


def _duration(text: object) -> timedelta:
    if not isinstance(text, str):
        raise ValueError("write a duration such as 31m, 2h, 1d or 1w")
    return parse_duration(text).length


_ACTION: TypeAdapter[Action] = TypeAdapter(Action)

Local = Annotated[datetime, AfterValidator(_local)]


class Step(BaseModel):
    """One thing that happens, or that is expected to have happened."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Receive(Step):
    """The outside gets in touch: a call, a form or an e-mail, at one of intake's doors.

    `as` names the lead for later steps, `owner` has the team's manager give the lead to that
    agent. `source` is an entry of `sources.toml` (default: the first of that channel).
    `id` is the sender's own id of the message; the same id again is a repeated delivery.
    `auto` marks a mail that a machine wrote.
    """

    receive: Literal["call", "form", "email"]
    as_: str | None = Field(default=None, alias="as")
    owner: str | None = None
    source: str | None = None
    id: str | None = None
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
    in_reply_to: str | None = None
    auto: bool = False


class Reply(Step):
    """The contact of `lead` answers by e-mail, in the thread if there is one."""

    reply: Literal["email"]
    lead: str | None = None
    subject: str | None = None
    text: str = "…"


class Act(Step):
    """An agent's action; whatever else the step says are the action's arguments."""

    model_config = ConfigDict(extra="allow")

    act: str
    by: str
    lead: str | None = None

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


class Declare(Step):
    """The company changes something of a site: its weekly opening hours or one setting."""

    model_config = ConfigDict(extra="allow")

    declare: Literal["calendar", "setting"]
    site: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        """For `calendar` weekday → list of [opens, closes]; for `setting` name → value."""
        return dict(self.model_extra or {})


class Wait(Step):
    """Nothing happens from outside for `wait`."""

    wait: Annotated[timedelta, BeforeValidator(_duration)]


class Until(Step):
    """Nothing happens from outside until this local time."""

    until: Local


class _Expectation(Step):
    model_config = ConfigDict(extra="allow")

    times: int | None = Field(default=None, ge=1)
    text_has: tuple[str, ...] | str = ()
    since: Literal["start"] | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The fields that must match."""
        return dict(self.model_extra or {})

    @property
    def texts(self) -> tuple[str, ...]:
        """What the event's words must contain, each."""
        return (self.text_has,) if isinstance(self.text_has, str) else self.text_has

    @property
    def event(self) -> str:
        """The event's class name."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _names_exist(self) -> _Expectation:
        check_event(self.event, self.given, bool(self.texts))
        return self


class Expect(_Expectation):
    """Such an event happened (`times`: exactly so often; else at least once)."""

    expect: str

    @property
    def event(self) -> str:
        """The event's class name."""
        return self.expect


class ExpectNo(_Expectation):
    """No such event happened."""

    expect_no: str
    times: None = None

    @property
    def event(self) -> str:
        """The event's class name."""
        return self.expect_no


class Refuse(Step):
    """The action (or declaration) is refused, for exactly these missing things and rules."""

    refuse: Act | Declare
    missing: tuple[str, ...]
    rule: tuple[str, ...]

    @model_validator(mode="before")
    @classmethod
    def _one_rule(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and isinstance(raw.get("rule"), str):
            return {**raw, "rule": (raw["rule"],)}
        return raw


class View(Step):
    """What a person would see: the leads that match the given attributes are exactly `leads`."""

    model_config = ConfigDict(extra="allow")

    view: Literal["list"]
    leads: tuple[str, ...]

    @property
    def given(self) -> dict[str, Any]:
        """Attributes of a lead that must match: owner, stage, status, …."""
        return dict(self.model_extra or {})


STEPS: dict[str, type[Step]] = {
    "receive": Receive,
    "reply": Reply,
    "act": Act,
    "declare": Declare,
    "wait": Wait,
    "until": Until,
    "expect": Expect,
    "expect_no": ExpectNo,
    "refuse": Refuse,
    "view": View,
}


def check_event(name: str, fields: Iterable[str], wants_text: bool) -> None:
    """Raise ValueError unless the event exists and has every field (and words, if wanted)."""
    if name not in EVENTS:
        raise ValueError(f"no event is called {name}{_close(name, EVENTS)}")
    known = set(EVENTS[name].model_fields) - {"because"} | ABOUT_THE_ENVELOPE
    if {"name", "deadline_set"} <= known or {"name", "kind", "due"} <= known:
        known.add("task")  # a task's deadline carries the task's id as its name
    for field in fields:
        if field not in known:
            raise ValueError(f"{name} has no field {field}{_close(field, known)}")
    if wants_text and not known & {"text", "note", "says", "why"}:
        raise ValueError(f"{name} carries no text for text_has to look at")


def _close(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def read_step(raw: object) -> Step:
    """The step that an inline table says; ValueError says what was expected."""
    if not isinstance(raw, dict):
        raise ValueError('a step is an inline table such as { wait = "31m" }')
    word = next(iter(raw), "nothing")
    if word not in STEPS:
        raise ValueError(f"a step begins with one of {', '.join(STEPS)}; this one with {word}")
    return STEPS[word].model_validate(raw)
