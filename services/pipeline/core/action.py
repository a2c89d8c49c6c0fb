"""What agents can do to a lead: one class an action, told apart by `act`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.contract.envelope import Event
from shared.contract.intake import Channel
from shared.domain.rulebook.due import DueTime

LONGEST_TEXT = 10_000
LONGEST_VALUE = 2_000
"""As long as a door takes in; what is kept of a lead is said again in every message about it."""

MADE = "made"
"""The outcome of an attempt nobody says more of."""

FieldValue = Annotated[str, StringConstraints(max_length=LONGEST_VALUE)]


class ActionBase(BaseModel):
    """Arguments as an agent gives them; an argument nobody knows is an error (422).

    `main` names the argument that a requirement's `to` speaks of.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    main: ClassVar[str]

    @property
    def main_arguments(self) -> tuple[str, ...]:
        """The main argument, as `to = { <act> = … }` names it."""
        value = getattr(self, self.main)
        return tuple(value) if isinstance(value, dict) else (str(value),)


class SetFields(ActionBase):
    """Fields of the lead, or phone, email, name and company of the contact."""

    main = "fields"
    act: Literal["set_fields"] = "set_fields"
    fields: dict[str, FieldValue] = Field(min_length=1, max_length=50)


class Note(ActionBase):
    """A note on the lead, or on one of its tasks (id or kind)."""

    main = "act"
    act: Literal["note"] = "note"
    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    task: str | None = None


class LogAttempt(ActionBase):
    """A try to reach the contact: which code, and how it went (a mail is simply `made`)."""

    main = "code"
    act: Literal["log_attempt"] = "log_attempt"
    code: str
    outcome: str = MADE
    channel: Channel | None = None


class LogContact(ActionBase):
    """A two-way exchange took place."""

    main = "channel"
    act: Literal["log_contact"] = "log_contact"
    channel: Channel
    direction: Literal["inbound", "outbound"] = "outbound"


class Move(ActionBase):
    """Into another stage; one that closes is a close, with `reason`."""

    main = "to"
    act: Literal["move"] = "move"
    to: str
    reason: str | None = None


class Close(ActionBase):
    """The lead ends."""

    main = "status"
    act: Literal["close"] = "close"
    status: Literal["won", "lost", "invalid"]
    reason: str | None = None


class CreateTask(ActionBase):
    """Somebody owes something; `to` is an agent, by default the owner."""

    main = "task"
    act: Literal["create_task"] = "create_task"
    task: str
    due: DueTime | None = None
    to: str | None = None
    subject: str | None = Field(default=None, max_length=500)


class PostponeTask(ActionBase):
    """The open task (id or kind) is due later."""

    main = "task"
    act: Literal["postpone_task"] = "postpone_task"
    task: str
    due: DueTime
    note: str | None = Field(default=None, max_length=LONGEST_TEXT)


class CompleteTask(ActionBase):
    """The open task (id or kind) is done."""

    main = "task"
    act: Literal["complete_task"] = "complete_task"
    task: str
    note: str | None = Field(default=None, max_length=LONGEST_TEXT)


class Assign(ActionBase):
    """The lead gets another owner: an agent, or `next_of team:x`."""

    main = "to"
    act: Literal["assign"] = "assign"
    to: str


Action = Annotated[
    SetFields
    | Note
    | LogAttempt
    | LogContact
    | Move
    | Close
    | CreateTask
    | PostponeTask
    | CompleteTask
    | Assign,
    Field(discriminator="act"),
]


class ActionRequested(Event):
    """An agent asks for this; internal to pipeline, never on a topic. Subject: the lead id.

    The envelope's id is the cause of everything that comes of it; the shell derives it from the
    Idempotency-Key, so that a repeat makes the same ids.
    """

    type = "relance.action.requested.v1"
    by: str
    action: Action
