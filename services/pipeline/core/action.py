"""What agents can do to a lead: one class an action, told apart by `act`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.pipeline.core.argument import LONGEST_TEXT, LONGEST_VALUE, FieldValue, Lasts
from shared.contract.envelope import Event
from shared.contract.intake import Channel
from shared.contract.pipeline import DocumentStatus, PaymentKind
from shared.domain.rulebook.due import DueTime
from shared.domain.rulebook.effect import PREVIOUS


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
    outcome: str = "made"
    channel: Channel | None = None


class LogContact(ActionBase):
    """A two-way exchange took place."""

    main = "channel"
    act: Literal["log_contact"] = "log_contact"
    channel: Channel
    direction: Literal["inbound", "outbound"] = "outbound"


class Move(ActionBase):
    """Into another stage; one that closes is a close, with `reason` and `evidence`."""

    main = "to"
    act: Literal["move"] = "move"
    to: str
    reason: str | None = None
    evidence: str | None = Field(default=None, max_length=LONGEST_VALUE)


class Close(ActionBase):
    """The lead ends. `evidence`: id or kind of a document of the lead, or one of its letters."""

    main = "status"
    act: Literal["close"] = "close"
    status: Literal["won", "lost", "invalid"]
    reason: str | None = None
    evidence: str | None = Field(default=None, max_length=LONGEST_VALUE)


class Classify(ActionBase):
    """The lead is what this outcome says; one that closes ends it.

    `duplicate_of`: the number or id of the same person's lead that stays.
    """

    main = "outcome"
    act: Literal["classify"] = "classify"
    outcome: str
    reason: str | None = None
    duplicate_of: str | None = Field(default=None, max_length=60)


class Acknowledge(ActionBase):
    """The owner takes the lead up, one at a time, with a note; `outcome` classifies it at once."""

    main = "act"
    act: Literal["acknowledge"] = "acknowledge"
    note: str | None = Field(default=None, max_length=LONGEST_TEXT)
    outcome: str | None = None


class Unlink(ActionBase):
    """Two people were taken for one: each gets their contact points and leads back."""

    main = "act"
    act: Literal["unlink"] = "unlink"


class Take(ActionBase):
    """The lead, as a rule the first of this queue, is the agent's now."""

    main = "queue"
    act: Literal["take"] = "take"
    queue: str


class Reopen(ActionBase):
    """The closed lead is open again, in this stage or in the `previous` one."""

    main = "to"
    act: Literal["reopen"] = "reopen"
    to: str = PREVIOUS


class Attach(ActionBase):
    """A document of a kind is on the lead; the same kind and name again is its new status."""

    main = "kind"
    act: Literal["attach"] = "attach"
    kind: str
    status: DocumentStatus = "received"
    name: str | None = Field(default=None, max_length=500)
    url: str | None = Field(default=None, max_length=LONGEST_VALUE)


class ConfirmPayment(ActionBase):
    """Money is on the account."""

    main = "kind"
    act: Literal["confirm_payment"] = "confirm_payment"
    kind: PaymentKind
    amount: str | None = Field(default=None, max_length=100)


class Send(ActionBase):
    """The contact is written to, by a template; `subject` and `text` are for one that asks."""

    main = "template"
    act: Literal["send"] = "send"
    template: str
    subject: str | None = Field(default=None, max_length=500)
    text: str | None = Field(default=None, max_length=LONGEST_TEXT)


class ExportContact(ActionBase):
    """Everything that is kept of the lead's contact is handed out, for the person to see."""

    main = "act"
    act: Literal["export_contact"] = "export_contact"


class EraseContact(ActionBase):
    """The lead's contact is forgotten, on all their leads and for ever; what they had forbidden
    stays forbidden. Refused with every reason, of any of their leads, that the rulebook has."""

    main = "act"
    act: Literal["erase_contact"] = "erase_contact"


class HandOff(ActionBase):
    """Another system (one of the rulebook's targets) is told of the lead as it is now."""

    main = "target"
    act: Literal["hand_off"] = "hand_off"
    target: str


class Book(ActionBase):
    """An appointment with the contact. `start` without an offset is local time of the site."""

    main = "act"
    act: Literal["book"] = "book"
    start: datetime
    lasts: Lasts = "1h"
    place: str | None = Field(default=None, max_length=500)


class MoveAppointment(ActionBase):
    """The appointment takes place at another time; what is not said stays as it was."""

    main = "act"
    act: Literal["move_appointment"] = "move_appointment"
    start: datetime
    lasts: Lasts | None = None
    place: str | None = Field(default=None, max_length=500)


class CancelAppointment(ActionBase):
    """The appointment does not take place."""

    main = "act"
    act: Literal["cancel_appointment"] = "cancel_appointment"


class MissAppointment(ActionBase):
    """The contact did not come."""

    main = "act"
    act: Literal["miss_appointment"] = "miss_appointment"


class Block(ActionBase):
    """Nobody uses these channels, or `all`, any more: `for` this lead, or for the contact."""

    main = "channels"
    act: Literal["block"] = "block"
    channels: tuple[Literal["call", "sms", "email", "chat", "social", "all"], ...] = Field(
        min_length=1
    )
    for_: Literal["lead", "contact"] = Field(default="lead", alias="for")

    @property
    def main_arguments(self) -> tuple[str, ...]:
        """The channels."""
        return self.channels


class Unblock(ActionBase):
    """They may be used again, on this lead, or for the contact: the block was a mistake, or the
    person said so. `why` is kept with who did it; who may is for the rulebook to say."""

    main = "channels"
    act: Literal["unblock"] = "unblock"
    channels: tuple[Literal["call", "sms", "email", "chat", "social", "all"], ...] = Field(
        min_length=1
    )
    for_: Literal["lead", "contact"] = Field(default="lead", alias="for")
    why: str = Field(min_length=1, max_length=LONGEST_VALUE)

    @property
    def main_arguments(self) -> tuple[str, ...]:
        """The channels."""
        return self.channels


class CancelTask(ActionBase):
    """The open task (id or kind) is no longer owed."""

    main = "task"
    act: Literal["cancel_task"] = "cancel_task"
    task: str


class CreateLead(ActionBase):
    """A new lead by hand: somebody got in touch by a way that no door sees (001-14).

    `pipeline` is the rulebook's first unless said; `channel` follows from what is known of the
    contact; `owner` is whoever acts unless said.
    """

    main = "pipeline"
    act: Literal["create_lead"] = "create_lead"
    pipeline: str | None = None
    channel: Channel | None = None
    source: str | None = Field(default=None, max_length=200)
    site: str | None = None
    owner: str | None = None
    phone: FieldValue | None = None
    email: FieldValue | None = None
    name: FieldValue | None = None
    company: FieldValue | None = None
    subject: FieldValue | None = None
    text: str | None = Field(default=None, max_length=LONGEST_TEXT)
    fields: dict[str, FieldValue] = Field(default={}, max_length=50)


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
    """The lead gets another owner: an agent, or `next_of team:x`. With `task` (id or kind) only
    that task is somebody else's: an agent's, or its `issuer`'s; `note` is what they are told."""

    main = "to"
    act: Literal["assign"] = "assign"
    to: str
    task: str | None = None
    note: str | None = Field(default=None, max_length=LONGEST_TEXT)


class AnswerQuestion(ActionBase):
    """What an agent says to a question about the lead; `to` is the agent whom it names."""

    main = "question"
    act: Literal["answer"] = "answer"
    question: str
    answer: str
    to: str | None = None


LeadAction = Annotated[
    SetFields
    | Note
    | LogAttempt
    | LogContact
    | Move
    | Close
    | CreateTask
    | PostponeTask
    | CompleteTask
    | CancelTask
    | Assign
    | Acknowledge
    | Take
    | Classify
    | Unlink
    | Reopen
    | Attach
    | ConfirmPayment
    | Send
    | Block
    | Unblock
    | ExportContact
    | EraseContact
    | HandOff
    | Book
    | MoveAppointment
    | CancelAppointment
    | MissAppointment
    | AnswerQuestion,
    Field(discriminator="act"),
]
"""What can be done to a lead that is there."""

Action = Annotated[LeadAction | CreateLead, Field(discriminator="act")]


class ActionRequested(Event):
    """An agent asks for this; internal to pipeline, never on a topic. Subject: the lead id (for
    `create_lead` the id that the lead will have).

    The envelope's id is the cause of everything that comes of it; the shell derives it from the
    Idempotency-Key, so that a repeat makes the same ids.
    """

    type = "relance.action.requested.v1"
    by: str
    action: Action
