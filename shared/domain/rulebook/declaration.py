"""What a rulebook declares: pipelines with their stages, fields, tasks, and the other lists."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.contract.intake import Channel
from shared.domain.duration import parse
from shared.domain.rulebook.condition import AllOf
from shared.domain.rulebook.word import Part, Ref

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


class Identity(Part):
    """How a second request of the same contact is taken; `link`: its open lead keeps it."""

    policy: Literal["link"] = "link"
    rule: RuleId | None = None


class Stage(Declaration):
    """Where a lead can be. `next` are the stages an agent can move it to.

    A stage that `closes` ends the lead that way; it is final. `optional`: may be skipped.
    """

    next: tuple[Id, ...] = ()
    optional: bool = False
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


class FieldDeclaration(Declaration):
    """Something known about a lead, or `of` its contact. A `list` has `values` (id → label)."""

    type: Literal["text", "list", "date", "number", "url"] = "text"
    values: dict[str, Label] = {}
    of: Literal["lead", "contact"] = "lead"

    @model_validator(mode="after")
    def _list_has_values(self) -> Self:
        if (self.type == "list") != bool(self.values):
            raise ValueError('values go with type = "list", and a list needs them')
        return self


class TaskDeclaration(Declaration):
    """A kind of task; the label is its title. `channel`: how the contact is reached by it."""

    channel: Channel | None = None


class AttemptDeclaration(Declaration):
    """A code agents log. `counts_if` is judged when the attempt is logged, for ever (001-05)."""

    channel: Channel
    counted: bool = True
    counts_if: AllOf = ()


class Setting(Part):
    """A duration that each site may choose, between `min` and `max` (003-04)."""

    id: Id
    label: Label
    min: str
    max: str
    default: str
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
        if value is None or self.problem(value) is None:
            return value or self.default
        try:
            return self.min if parse(value).length < parse(self.min).length else self.max
        except ValueError:
            return self.default


class Digest(Part):
    """A daily message at a local time, by template, with these sections.

    `to = "owner"`: each agent gets their own leads. `to = "manager"`: each team's manager gets
    all leads of the team, per adviser.
    """

    template: Annotated[str, Ref("template")]
    to: Literal["owner", "manager"]
    at: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
    sections: Annotated[
        tuple[Literal["due_today", "late", "no_open_task"], ...], Field(min_length=1)
    ]
    rule: RuleId | None = None
    says: str | None = None


class Late(Part):
    """The numbered sentence behind the late flag; what it means is fixed (003-11)."""

    rule: RuleId
    says: str | None = None
