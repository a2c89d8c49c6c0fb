"""`do`: what a rule does. One class a word; `EFFECTS` is the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from shared.domain.rulebook.due import DueTime
from shared.domain.rulebook.word import Listed, Part, Ref, Word, words

ALL = "all"
"""As a value of a word that takes back: every one of them."""

PREVIOUS = "previous"
"""As a stage to reopen in: the last one before the lead was closed."""

CONTACT = "contact"
"""The one party outside; everybody else is an agent."""

PartyName = Annotated[str, Ref("party")]
TaskName = Annotated[str, Ref("task")]


class Effect(Word):
    """One thing a rule does to the lead in hand; `on = "linked"`: to the other lead of the same
    contact, that of the event or of the rule's condition `linked`."""

    on: Literal["linked"] | None = None


class CreateTask(Effect):
    """Somebody owes something; `to` is the owner unless said."""

    word = "create_task"
    create_task: TaskName
    due: DueTime | None = None
    to: PartyName = "owner"
    subject: str | None = None


class PostponeTask(Effect):
    """The open task of that kind is due later; without one nothing happens."""

    word = "postpone_task"
    postpone_task: TaskName
    due: DueTime
    note: str | None = None


class CompleteTask(Effect):
    """The open tasks of that kind are done."""

    word = "complete_task"
    complete_task: TaskName
    note: str | None = None


class CancelTask(Effect):
    """The open tasks of these kinds, or `all`, are no longer owed."""

    word = "cancel_task"
    cancel_task: Annotated[tuple[Annotated[str, Ref("task", ALL)], ...], Listed]


class SetDeadline(Effect):
    """Watch this instant under this name; one of the same name is replaced."""

    word = "set_deadline"
    set_deadline: str
    due: DueTime


class ClearDeadline(Effect):
    """Watch it no longer; `all` means every named one."""

    word = "clear_deadline"
    clear_deadline: Annotated[str, Ref("deadline", ALL)]


class Note(Effect):
    """A note on the lead, word for word."""

    word = "note"
    note: str = Field(min_length=1)


class SetFields(Effect):
    """Fields get these values."""

    word = "set_fields"
    set_fields: dict[Annotated[str, Ref("field")], str] = Field(min_length=1)


class Assign(Effect):
    """The lead gets this owner; `next_of team:x` never an earlier one. With `task` its open tasks
    of that kind do."""

    word = "assign"
    assign: PartyName
    task: TaskName | None = None


class Move(Effect):
    """The lead enters this stage; one that closes is run as that close."""

    word = "move"
    move: Annotated[str, Ref("stage")]


class Close(Effect):
    """The lead ends."""

    word = "close"
    close: Literal["won", "lost", "invalid"]
    reason: Annotated[str, Ref("reason")] | None = None


class Reopen(Effect):
    """The closed lead is open again, in this stage or in the one before it was closed."""

    word = "reopen"
    reopen: Annotated[str, Ref("stage", PREVIOUS)]


class CreateLead(Effect):
    """One more lead of the same contact, in this pipeline; it is linked to the one in hand."""

    word = "create_lead"
    create_lead: Annotated[str, Ref("pipeline")]


class LogAttempt(Effect):
    """An attempt is logged by itself, under this code."""

    word = "log_attempt"
    log_attempt: Annotated[str, Ref("attempt")]


class MissAppointment(Effect):
    """The contact did not come to the appointment."""

    word = "miss_appointment"
    miss_appointment: Literal[True]


class HandOff(Effect):
    """Another system is told of the lead as it is now."""

    word = "hand_off"
    hand_off: Annotated[str, Ref("target")]


class Send(Effect):
    """A person is told by a template, once per lead, day, stay in the stage, or cause.

    `collect = "batch"`: an agent is told once of all leads of one file (`leads` and `count` in the
    template); a lead that came in no file is told at once.
    """

    word = "send"
    send: Annotated[str, Ref("template")]
    to: Annotated[str, Ref("party", CONTACT)] = CONTACT
    once_per: Literal["lead", "day", "stage", "cause"] = "cause"
    collect: Literal["batch"] | None = None


class Withdraw(Effect):
    """What is not sent yet of this template, or `all`, shall not be."""

    word = "withdraw"
    withdraw: Annotated[str, Ref("template", ALL)]


class Answer(Part):
    """What can be answered; one with `agent` names an agent too, for rules the party `answer`."""

    label: str = Field(min_length=1)
    agent: bool = False


def _answer(value: object) -> object:
    return {"label": value} if isinstance(value, str) else value


AnyAnswer = Annotated[Answer, BeforeValidator(_answer, json_schema_input_type=str | Answer)]


class Ask(Effect):
    """Agents are asked by the template of that name, once per lead; the first answer counts.

    `answers` are what can be said: id → label, or label with `agent = true`.
    """

    word = "ask"
    ask: Annotated[str, Ref("template")]
    to: PartyName = "manager"
    answers: dict[str, AnyAnswer] = Field(min_length=1)


class Block(Effect):
    """Nobody uses these channels, or `all`, any more: on this lead, or `for` the contact whatever
    the lead. It binds agents and rules alike; what was owed or queued is taken back."""

    word = "block"
    block: Annotated[tuple[Literal["call", "sms", "email", "chat", "social", "all"], ...], Listed]
    for_: Literal["lead", "contact"] = Field(default="lead", alias="for")


EFFECTS: Mapping[str, type[Effect]] = {
    cls.word: cls
    for cls in (
        CreateTask,
        PostponeTask,
        CompleteTask,
        CancelTask,
        SetDeadline,
        ClearDeadline,
        Note,
        SetFields,
        Assign,
        Move,
        Close,
        Reopen,
        CreateLead,
        LogAttempt,
        MissAppointment,
        HandOff,
        Send,
        Withdraw,
        Ask,
        Block,
    )
}

AnyEffect = Annotated[Effect, words(lambda: EFFECTS, "do")]
