"""A rule: something happens by itself. A requirement: something is refused until."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.contract.intake import Channel
from shared.contract.pipeline import PaymentKind
from shared.domain.rulebook.condition import ANY, AllOf
from shared.domain.rulebook.declaration import RuleId
from shared.domain.rulebook.effect import AnyEffect, Effect
from shared.domain.rulebook.trigger import TRIGGERS, Trigger
from shared.domain.rulebook.word import Listed, Part, Ref, words

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Rule(Part):
    """When this happens, and these are true, do that. `says` quotes the company's document."""

    id: RuleId
    says: Sentence
    when: Annotated[Trigger, words(lambda: TRIGGERS, "when")]
    if_: AllOf = Field(default=(), alias="if")
    do: tuple[AnyEffect, ...] = Field(min_length=1)

    def fire(self) -> tuple[Effect, ...]:
        """Its effects, in order, for whoever runs it now; to look at them is no running."""
        return self.do


class Target(Part):
    """The agent's action that a requirement binds: one word with its main argument.

    `any` binds the action whatever its argument. The other keys narrow it down.
    """

    move: Annotated[tuple[Annotated[str, Ref("stage", ANY)], ...], Listed] | None = None
    close: Annotated[tuple[Literal["won", "lost", "invalid", "any"], ...], Listed] | None = None
    complete_task: Annotated[tuple[Annotated[str, Ref("task", ANY)], ...], Listed] | None = None
    postpone_task: Annotated[tuple[Annotated[str, Ref("task", ANY)], ...], Listed] | None = None
    create_task: Annotated[tuple[Annotated[str, Ref("task", ANY)], ...], Listed] | None = None
    log_attempt: Annotated[tuple[Annotated[str, Ref("attempt", ANY)], ...], Listed] | None = None
    log_contact: Annotated[tuple[Channel | Literal["any"], ...], Listed] | None = None
    assign: Annotated[tuple[Annotated[str, Ref("party", ANY)], ...], Listed] | None = None
    acknowledge: Literal["any"] | None = None
    take: Annotated[tuple[Annotated[str, Ref("queue", ANY)], ...], Listed] | None = None
    set_fields: Annotated[tuple[Annotated[str, Ref("filled", ANY)], ...], Listed] | None = None
    note: Literal["any"] | None = None
    create_lead: Annotated[tuple[Annotated[str, Ref("pipeline", ANY)], ...], Listed] | None = None
    cancel_task: Annotated[tuple[Annotated[str, Ref("task", ANY)], ...], Listed] | None = None
    classify: Annotated[tuple[Annotated[str, Ref("outcome", ANY)], ...], Listed] | None = None
    unlink: Literal["any"] | None = None
    reopen: Annotated[tuple[Annotated[str, Ref("stage", ANY)], ...], Listed] | None = None
    send: Annotated[tuple[Annotated[str, Ref("template", ANY)], ...], Listed] | None = None
    attach: Annotated[tuple[Annotated[str, Ref("document", ANY)], ...], Listed] | None = None
    confirm_payment: Annotated[tuple[PaymentKind | Literal["any"], ...], Listed] | None = None
    block: (
        Annotated[
            tuple[Literal["call", "sms", "email", "chat", "social", "all", "any"], ...], Listed
        ]
        | None
    ) = None
    unblock: (
        Annotated[
            tuple[Literal["call", "sms", "email", "chat", "social", "all", "any"], ...], Listed
        ]
        | None
    ) = None
    hand_off: Annotated[tuple[Annotated[str, Ref("target", ANY)], ...], Listed] | None = None
    export_contact: Literal["any"] | None = None
    erase_contact: Literal["any"] | None = None
    book: Literal["any"] | None = None
    move_appointment: Literal["any"] | None = None
    cancel_appointment: Literal["any"] | None = None
    miss_appointment: Literal["any"] | None = None
    answer: Annotated[tuple[Annotated[str, Ref("question", ANY)], ...], Listed] | None = None
    from_: Annotated[tuple[Annotated[str, Ref("stage")], ...], Listed] = Field(
        default=(), alias="from"
    )
    task: Annotated[tuple[Annotated[str, Ref("task")], ...], Listed] = ()
    reason: Annotated[tuple[Annotated[str, Ref("reason")], ...], Listed] = ()
    channel: Annotated[tuple[Channel, ...], Listed] = ()

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        if len(self._named()) != 1:
            raise ValueError(f"expected exactly one action of {', '.join(ACTION_WORDS)}")
        return self

    def _named(self) -> list[str]:
        return [word for word in ACTION_WORDS if getattr(self, word) is not None]

    @property
    def action(self) -> str:
        """The action's word."""
        return self._named()[0]

    @property
    def values(self) -> tuple[str, ...]:
        """The main arguments it binds."""
        value = getattr(self, self.action)
        return (value,) if isinstance(value, str) else tuple(value)


ACTION_WORDS = (
    "move",
    "close",
    "complete_task",
    "postpone_task",
    "create_task",
    "log_attempt",
    "log_contact",
    "assign",
    "acknowledge",
    "take",
    "set_fields",
    "note",
    "create_lead",
    "cancel_task",
    "classify",
    "unlink",
    "reopen",
    "send",
    "attach",
    "confirm_payment",
    "block",
    "unblock",
    "export_contact",
    "erase_contact",
    "hand_off",
    "book",
    "move_appointment",
    "cancel_appointment",
    "miss_appointment",
    "answer",
)


class Requirement(Part):
    """What an agent does is refused until `need` holds; `if` says when it asks at all. With
    `level = "warn"` it is done, and the agent is told (`ActionWarned`)."""

    id: RuleId
    says: Sentence
    to: Target
    if_: AllOf = Field(default=(), alias="if")
    need: AllOf = Field(min_length=1)
    level: Literal["refuse", "warn"] = "refuse"
