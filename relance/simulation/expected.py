"""The steps of a scenario that expect something.

A misspelt event or field is an error when the file is read, and never an expectation that
cannot fail.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal, Self, get_args

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from relance.simulation.step import Act, Declare, Step
from shared.contract.envelope import Event
from shared.contract.topics import EVENT_CLASSES

EVENTS: dict[str, type[Event]] = {cls.__name__: cls for cls in EVENT_CLASSES.values()}
"""Every event a scenario may name, by class name."""

ABOUT_THE_ENVELOPE = frozenset({"lead", "rule", "time"})
"""What an expectation may say of any event: whose lead, which rule made it, when (local)."""


def _is_compared_as_instant(event: str, name: str) -> bool:
    info = EVENTS[event].model_fields.get(name)
    told = (info.annotation, *get_args(info.annotation)) if info else ()
    return name == "time" or AwareDatetime in told


def _is_instant(value: object) -> bool:
    try:
        return isinstance(value, datetime) or bool(datetime.fromisoformat(str(value)))
    except ValueError:
        return False


class _Expectation(Step, ABC):
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
    @abstractmethod
    def event(self) -> str:
        """The event's class name."""

    @model_validator(mode="after")
    def _names_exist(self) -> _Expectation:
        check_event(self.event, self.given, bool(self.texts))
        for name, value in self.given.items():
            if _is_compared_as_instant(self.event, name) and not _is_instant(value):
                raise ValueError(f"{name}: {value!r} is no local time such as 2026-03-02T09:00")
        return self


class Expect(_Expectation):
    """Such an event happened (`times`: exactly so often; else at least once) since the last step
    that was no expectation; since the beginning with `since = "start"`.

    The event is one of `docs/events`, by its title. Whatever else the step says must be so: any
    field of the event, `lead` (whose, by its `as`), `rule` (which made it), `time` (local), `task`
    (its kind); and its words contain each of `text_has`.
    """

    expect: str

    @property
    def event(self) -> str:
        """The event's class name."""
        return self.expect


class ExpectNo(_Expectation):
    """No such event happened; said as for `expect`, without `times`."""

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
    """What a person would see.

    `list`: the leads that match the given attributes are exactly `leads`; those that something is
    due for, in its order, with `order = "urgency"`; `manager`: of whose teams the owners are;
    `contact_of`: of the same contact as that lead. `spend`: what the attempts on `lead` have cost
    is `amount`. `export`: what is handed out of the contact of `lead` has these values (`data`;
    of a list in the same order, of a table what is written), and these words anywhere
    (`text_has`), those not (`text_has_no`). `queue`: what the agent `by` would take next from that
    queue is `leads`, in that order.
    """

    model_config = ConfigDict(extra="allow")

    view: Literal["list", "spend", "queue", "export"]
    queue: str | None = None
    by: str | None = None
    leads: tuple[str, ...] = ()
    order: Literal["urgency"] | None = None
    manager: str | None = None
    contact_of: str | None = None
    lead: str | None = None
    amount: int | None = None
    data: dict[str, Any] | None = None
    text_has: tuple[str, ...] = ()
    text_has_no: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if (self.amount is None) == (self.view == "spend"):
            raise ValueError("amount goes with a view of the spend, and that needs it")
        says = bool(self.data or self.text_has or self.text_has_no)
        if says != (self.view == "export"):
            raise ValueError("data and texts go with a view of an export, and that needs them")
        if (self.view == "queue") != (self.queue is not None and self.by is not None):
            raise ValueError("queue and by go with a view of a queue, and that needs both")
        return self

    @property
    def given(self) -> dict[str, Any]:
        """Attributes of a lead that must match: owner, stage, status, …."""
        return dict(self.model_extra or {})


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
