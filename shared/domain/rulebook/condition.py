"""`if` and `need`: what must be true. One class a word; `CONDITIONS` is the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from shared.contract.intake import Channel
from shared.contract.pipeline import DocumentStatus
from shared.domain.rulebook.due import Duration, Moment
from shared.domain.rulebook.word import Listed, Names, Part, Ref, Word, words

PartyName = Annotated[str, Ref("party")]

SpanMoment = Annotated[str, Ref("moment")]

ANY = "any"
"""As a name: whatever it is."""


class Condition(Word):
    """Something that is true of a lead, or not yet."""


def _branch(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


AnyCondition = Annotated[Condition, words(lambda: CONDITIONS, "if")]
AllOf = tuple[AnyCondition, ...]
Branch = Annotated[AllOf, BeforeValidator(_branch, json_schema_input_type=AnyCondition | AllOf)]


class Range(Part):
    """Bounds, both included."""

    at_least: int | None = None
    at_most: int | None = None


class Count(Part):
    """How many; at least one bound is given."""

    at_least: int | None = None
    at_most: int | None = None
    exactly: int | None = None

    def admits(self, number: int) -> bool:
        """Whether that many are right."""
        low = self.exactly if self.exactly is not None else self.at_least
        high = self.exactly if self.exactly is not None else self.at_most
        return (low is None or number >= low) and (high is None or number <= high)


class ExchangeCount(Count):
    """How many exchanges, and which ones; by default all since the lead was received."""

    channel: Channel | Literal["each_known"] | None = None
    since: Moment = "received"

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None and self.exactly is None:
            raise ValueError("expected at_least, at_most or exactly")
        return self


class AttemptCount(ExchangeCount):
    """How many attempts; by default only counted ones, of any code and outcome.

    `channel = "each_known"`: that many in all, and at least one on every channel known of the
    contact. `apart`: an attempt counts when it is at least that long after the one before it.
    `days`: counted are not attempts but the local dates on which there was one.
    """

    days: bool = False
    code: Annotated[str, Ref("attempt")] | None = None
    outcome: Annotated[str, Ref("outcome")] | None = None
    counted: bool = True
    apart: Duration | None = None


class Span(Part):
    """Time between two moments of a lead; a field of type date is one too, at its midnight."""

    since: SpanMoment
    until: SpanMoment = "now"
    at_least: Duration | None = None
    at_most: Duration | None = None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("expected at_least or at_most")
        return self


class TaskCount(Part):
    """How many tasks of a kind (or of `any`), in a status, of the lead; or those that whoever acts
    owes on any lead (for requirements).

    Without a bound one is enough.

    `note`: only those completed with one of these notes.
    """

    name: Annotated[str, Ref("task", ANY)]
    status: Literal["open", "completed"] = "open"
    of: Literal["lead", "actor"] = "lead"
    note: Names = ()
    at_least: int | None = None
    at_most: int | None = None


class MessageCount(Part):
    """How many messages of these templates went out, or were opened; default: one."""

    template: Annotated[tuple[Annotated[str, Ref("template")], ...], Listed]
    status: Literal["sent", "opened"] = "sent"
    at_least: int | None = None
    exactly: int | None = None


class Documents(Part):
    """Documents of these kinds, in a status; `all`: of every kind, else one is enough."""

    kind: Annotated[tuple[Annotated[str, Ref("document")], ...], Listed]
    status: DocumentStatus | None = None
    all: bool = False


class Is(Condition):
    """An attribute or a field has one of these values, or lies within bounds."""

    word = "is"
    is_: dict[Annotated[str, Ref("attribute")], Range | Names] = Field(alias="is", min_length=1)


class Filled(Condition):
    """These fields or contact points are known; `at_least` of them is enough where given. With
    `current` a value of a list that cannot be chosen any more today is none."""

    word = "filled"
    filled: Annotated[tuple[Annotated[str, Ref("filled")], ...], Listed]
    at_least: int | None = None
    current: bool = False


class Given(Condition):
    """The action came with these arguments, or with one of the allowed values."""

    word = "given"
    given: dict[str, Names] | Names


class Attempts(Condition):
    """So many attempts to reach the contact."""

    word = "attempts"
    attempts: AttemptCount


class Contacts(Condition):
    """So many two-way exchanges."""

    word = "contacts"
    contacts: ExchangeCount


class Elapsed(Condition):
    """So much time has passed."""

    word = "elapsed"
    elapsed: Span


class Task(Condition):
    """The lead has, or had, such a task."""

    word = "task"
    task: TaskCount


class Message(Condition):
    """So many messages of these templates."""

    word = "message"
    message: MessageCount


class Document(Condition):
    """The lead has such documents."""

    word = "document"
    document: Documents


class Wording(Part):
    """Texts that hold a word of these lists: arguments of the action, or fields."""

    field: Names
    words: Annotated[tuple[Annotated[str, Ref("words")], ...], Listed]


class Mentions(Condition):
    """A text holds one of these words, whatever its capitals and accents; whole words count, one
    that ends in `*` counts by its beginning."""

    word = "mentions"
    mentions: Wording


class By(Condition):
    """Whoever acts is one of these."""

    word = "by"
    by: Annotated[tuple[PartyName, ...], Listed]


class WhoIsThere(Part):
    """A party of whom everybody is available, busy (on a call, on a break) or absent."""

    party: PartyName
    is_: Literal["available", "busy", "absent"] = Field(alias="is")


class Availability(Condition):
    """Whether somebody can take a call now; of nobody nothing is true."""

    word = "availability"
    availability: WhoIsThere


class Linked(Condition):
    """All of these are true of another lead of the same contact: of the one that the event speaks
    of, where it speaks of one, else of any."""

    word = "linked"
    linked: Branch = Field(min_length=1)


class Not(Condition):
    """The opposite."""

    word = "not"
    not_: AnyCondition = Field(alias="not")


class AnyOf(Condition):
    """One of these is enough; a list inside means all of that list."""

    word = "any_of"
    any_of: tuple[Branch, ...] = Field(min_length=1)


CONDITIONS: Mapping[str, type[Condition]] = {
    cls.word: cls
    for cls in (
        Is,
        Filled,
        Given,
        Attempts,
        Contacts,
        Elapsed,
        Task,
        Message,
        Document,
        Mentions,
        By,
        Availability,
        Linked,
        Not,
        AnyOf,
    )
}
