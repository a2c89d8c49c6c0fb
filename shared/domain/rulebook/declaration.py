"""What a rulebook declares: pipelines with their stages, fields, tasks, and the other lists."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from shared.contract.intake import Channel
from shared.contract.pipeline import NumberKind
from shared.domain.duration import parse
from shared.domain.rulebook.condition import AllOf, Is
from shared.domain.rulebook.word import Listed, Part, Ref

Id = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$")]
RuleId = Annotated[str, StringConstraints(pattern=r"^([0-9]{3}-L?[0-9]{1,2}|house-[0-9]{2})$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Final = Literal["won", "lost", "invalid"]


class Declaration(Part):
    """One named thing. `label` is for people, `rule` the numbered sentence it fulfils."""

    id: Id
    label: Label
    rule: RuleId | None = None
    says: str | None = None


class Resume(Part):
    """A lead lost no longer than `within` ago is taken up again instead of a new one, where `if`
    holds for it (002-L6)."""

    within: Annotated[str, Ref("duration")]
    if_: AllOf = Field(default=(), alias="if")
    rule: RuleId | None = None


class Identity(Part):
    """How a second request of the same contact is taken, in this pipeline.

    `link`: the open lead keeps it. `create_then_invalidate`: it becomes a lead of its own, and
    of the two one is invalid; a call or a chat with somebody whose lead is known stays on it.
    `keep`: the channels in the order in which they prevail, any other with the last of them; of
    two alike the older lead, and before all the one whose owner is locked. `key`: only requests
    with the same values of these fields are the same.
    """

    policy: Literal["link", "create_then_invalidate"] = "link"
    keep: Annotated[tuple[Channel, ...], Listed] = ()
    key: Annotated[tuple[Annotated[str, Ref("field")], ...], Listed] = ()
    resume: Resume | None = None
    rule: RuleId | None = None


class Stage(Declaration):
    """Where a lead can be. `next` are the stages an agent can move it to.

    A stage that `closes` ends the lead that way; it is final.
    """

    next: tuple[Id, ...] = ()
    closes: Final | None = None


class Pipeline(Declaration):
    """A kind of work with its stages, in order; a new lead enters the first one."""

    stage: Annotated[tuple[Stage, ...], Field(min_length=1)]
    identity: Identity = Identity()

    def find(self, stage: str) -> Stage | None:
        """The stage of that id."""
        return next((known for known in self.stage if known.id == stage), None)

    def closing(self, status: str) -> Stage | None:
        """The stage that ends a lead this way, if the pipeline has one."""
        return next((known for known in self.stage if known.closes == status), None)

    @model_validator(mode="after")
    def _stages_hang_together(self) -> Self:
        """Stages are unique, lead on to known ones, and none but a closing one is a dead end."""
        ids, problems = [stage.id for stage in self.stage], []
        problems += [f"stage {id_!r} is declared twice" for id_ in ids if ids.count(id_) > 1]
        for stage in self.stage:
            if not stage.next and stage.closes is None:
                problems.append(
                    f"stage {stage.id!r} can never be left: give it next, or closes = won, lost "
                    "or invalid"
                )
            if stage.next and stage.closes is not None:
                problems.append(f"stage {stage.id!r} closes the lead, so it has no next")
            problems += [
                f"stage {stage.id!r} leads to {next_!r}, which is no stage of this pipeline"
                for next_ in stage.next
                if next_ not in ids
            ]
        if problems:
            raise ValueError("; ".join(dict.fromkeys(problems)))
        return self


class Choice(Part):
    """One value of a list; it can be chosen on local dates `from` … `until`, both included."""

    label: Label
    from_: dt.date | None = Field(default=None, alias="from")
    until: dt.date | None = None

    def is_valid(self, on: dt.date) -> bool:
        """Whether it can be chosen that day."""
        return (self.from_ or on) <= on <= (self.until or on)


def _choice(value: object) -> object:
    return {"label": value} if isinstance(value, str) else value


AnyChoice = Annotated[Choice, BeforeValidator(_choice, json_schema_input_type=str | Choice)]


class FieldDeclaration(Declaration):
    """Something known about a lead, or `of` its contact. A `list` has `values` (id → label, or
    label with the dates on which it can be chosen).

    `default` is its value in a new lead that brings none (000-08).

    `keep = "max"`: of several numbers the largest stays (001-36). `percent_of`: until somebody
    fills it, it is `percent` of that field (001-52).
    """

    type: Literal["text", "list", "date", "number", "url"] = "text"
    values: dict[str, AnyChoice] = {}
    of: Literal["lead", "contact"] = "lead"
    default: str | None = None
    keep: Literal["last", "max"] = "last"
    percent_of: Annotated[str, Ref("field")] | None = None
    percent: int | None = Field(default=None, ge=1, le=1000)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        """A list has values, and only numbers can be compared or be a part of one another."""
        problems = []
        if (self.type == "list") != bool(self.values):
            problems.append('values go with type = "list", and a list needs them')
        if self.type != "number" and (self.keep == "max" or self.percent_of):
            problems.append('keep = "max" and percent_of go with type = "number"')
        if self.default is not None and self.values and self.default not in self.values:
            problems.append(f"default {self.default!r} is none of its values")
        if (self.percent is None) != (self.percent_of is None):
            problems.append("percent and percent_of go together")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def choices(self, on: dt.date) -> dict[str, str]:
        """The values (id → label) that can be chosen that day."""
        return {id_: choice.label for id_, choice in self.values.items() if choice.is_valid(on)}


class TaskDeclaration(Declaration):
    """A kind of task; the label is its title. `channel`: how the contact is reached by it.

    `guide` is a link to read, `script` what to say (with placeholders), `asks` the fields to
    find out.
    """

    channel: Channel | None = None
    guide: str | None = None
    script: str | None = None
    asks: Annotated[tuple[Annotated[str, Ref("filled")], ...], Listed] = ()


class OutcomeDeclaration(Declaration):
    """What an agent can say a lead is, or how an attempt went. One that `closes` ends the lead."""

    closes: Final | None = None
    reason: Annotated[str, Ref("reason")] | None = None


class AttemptDeclaration(Declaration):
    """A code agents log. `counts_if` is judged when the attempt is logged, for ever (001-05).

    `cost`: what one that counts costs, in the company's currency (000-09). `number`: the kind of
    number that is dialled under this code (000-17).
    """

    channel: Channel
    counted: bool = True
    cost: int = Field(default=0, ge=0)
    number: NumberKind | None = None
    counts_if: AllOf = ()


class DocumentDeclaration(Declaration):
    """A kind of document. With `calls` the recording of each call that was answered, told by the
    phone system, is one of that kind by itself, on the lead of whoever was on the line."""

    calls: bool = False


class Words(Declaration):
    """A list of words that a text should not hold; one that ends in `*` counts by its beginning."""

    words: Annotated[tuple[Annotated[str, StringConstraints(min_length=2)], ...], Listed]


class Setting(Part):
    """A duration that each site may choose, between `min` and `max` (003-04).

    With `elapsed` a site may choose as well that it passes while the site is closed, too, whatever
    the rule counts by: `2h elapsed`.
    """

    id: Id
    label: Label
    min: str
    max: str
    default: str
    elapsed: bool = False
    rule: RuleId | None = None
    says: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        low, value, high = (parse(text).length for text in (self.min, self.default, self.max))
        if not low <= value <= high:
            raise ValueError(
                f"default {self.default} must lie between min {self.min} and max {self.max}"
            )
        return self

    def problem(self, value: str) -> str | None:
        """Why a site may not choose `value`, in one sentence; absent when it may."""
        value, elapsed = split_choice(value)
        if elapsed and not self.elapsed:
            return f"{self.id} is counted as the rulebook says; write {value} without elapsed"
        try:
            length = parse(value).length
        except ValueError as error:
            return f"{self.id}: {error}"
        if parse(value).is_exact != parse(self.default).is_exact:
            return f"{self.id} is {value}; write it in the units of {self.default}, its default"
        if parse(self.min).length <= length <= parse(self.max).length:
            return None
        rule = f" ({self.rule})" if self.rule else ""
        return f"{self.id} is {value}; it must lie between {self.min} and {self.max}{rule}"

    def chosen(self, value: str | None) -> str:
        """The site's value; outside the range the nearest bound, so that no lead is stuck."""
        length, _ = split_choice(value or self.default)
        if self.problem(length) is None:
            return length
        try:
            return self.min if parse(length).length < parse(self.min).length else self.max
        except ValueError:
            return self.default

    def is_elapsed(self, value: str | None) -> bool:
        """Whether the site chose that closed hours count too."""
        return self.elapsed and split_choice(value or "")[1]


def split_choice(value: str) -> tuple[str, bool]:
    """A site's value of a setting: the duration, and whether it says `elapsed`."""
    length, _, word = value.partition(" ")
    return (length, True) if word == "elapsed" else (value, False)


class Effort(Part):
    """How often a day a contact is to be tried on each of these channels (002-10)."""

    rounds: int = Field(ge=1, le=20)
    channels: Annotated[tuple[Channel, ...], Listed, Field(min_length=1)]


Section = (
    Literal["due_today", "late", "no_open_task", "shortfall", "absent"]
    | Annotated[str, StringConstraints(pattern=r"^task:\w+$")]
)


class Digest(Part):
    """A daily message at a local time, by template, with these sections.

    `to = "owner"`: each agent gets their own leads. `to = "manager"`: each team's manager gets
    all leads of the team, per adviser; with the section `absent` also who of them is away.
    The section `shortfall` lists the leads that were tried less than that on the last open day,
    `task:<kind>` the open tasks of that kind, whoever has them in hand.

    Templates get a list of lines for each section (`today` `late` `no_open_task` `shortfall`
    `tasks`), the most urgent first and 300 in all at most: `more` holds by the same names how many
    further ones there are, `total` how many there are altogether.
    """

    template: Annotated[str, Ref("template")]
    to: Literal["owner", "manager"]
    at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    shortfall: Effort | None = None
    rule: RuleId | None = None
    says: str | None = None

    @property
    def task_kinds(self) -> tuple[str, ...]:
        """The kinds of tasks that have a section of their own."""
        named = (section.partition(":") for section in self.sections)
        return tuple(kind for word, _, kind in named if word == "task")

    @model_validator(mode="after")
    def _says_how_often(self) -> Self:
        if ("shortfall" in self.sections) != (self.shortfall is not None):
            raise ValueError("the section shortfall and the table shortfall go together")
        return self


class Late(Part):
    """The numbered sentence behind the late flag; what it means is fixed (003-11)."""

    rule: RuleId
    says: str | None = None


class QueueSection(Part):
    """Leads that are alike for whoever asks; of them the one received first is the next."""

    label: Label
    if_: AllOf = Field(alias="if", min_length=1)

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        """Among all the leads there are, those of a status are looked at."""
        if not any(isinstance(c, Is) and "status" in c.is_ for c in self.if_):
            raise ValueError('a section says which leads it looks at: { is = { status = "open" } }')
        return self


class Queue(Declaration):
    """Which lead an agent takes next: the sections in this order, each from its first lead on."""

    order: Annotated[tuple[QueueSection, ...], Field(min_length=1)]


class Proof(Part):
    """A numbered sentence that no scenario can show, and the test that does: `file.py::name`."""

    rule: RuleId
    says: str
    test: Annotated[str, StringConstraints(pattern=r"^tests/[\w/]+\.py::test_\w+$")]


class Rest(Part):
    """An open lead may be in this stage without a next step, and `why` that is right.

    Everywhere else `relance check` wants an open task, an armed deadline or a place in a digest.
    With `if` only while that holds.
    """

    stage: Annotated[tuple[Annotated[str, Ref("stage")], ...], Listed]
    why: Annotated[str, StringConstraints(min_length=10)]
    if_: AllOf = Field(default=(), alias="if")
