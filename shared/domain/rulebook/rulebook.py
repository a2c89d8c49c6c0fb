"""The rulebook: one company's procedure as a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from shared.domain.rulebook.condition import AnyOf, Condition, Not, Task
from shared.domain.rulebook.declaration import (
    AttemptDeclaration,
    Declaration,
    Digest,
    DocumentDeclaration,
    FieldDeclaration,
    Id,
    Late,
    OutcomeDeclaration,
    Pipeline,
    Proof,
    Queue,
    Rest,
    Setting,
    Stage,
    TaskDeclaration,
    Words,
)
from shared.domain.rulebook.message import Messages
from shared.domain.rulebook.rule import Requirement, Rule
from shared.domain.rulebook.source import Sources
from shared.domain.rulebook.word import Part


def by_id(tables: object) -> object:
    """`[[field]]` tables keyed by their `id`, in file order; an id given twice is an error."""
    if not isinstance(tables, Iterable) or isinstance(tables, Mapping | str):
        return tables
    keyed: dict[object, object] = {}
    for table in tables:
        id_ = table.get("id", "?") if isinstance(table, Mapping) else "?"
        if not isinstance(id_, str):
            raise PydanticCustomError("twice", "an id is a text in quotes, not {id}", {"id": id_})
        if id_ in keyed:
            raise PydanticCustomError("twice", "{id} is declared twice", {"id": repr(id_)})
        keyed[id_] = table
    return keyed


ById = BeforeValidator(by_id)


def _at_one_time(digests: tuple[Digest, ...]) -> tuple[Digest, ...]:
    """Digests are due once a morning, all together."""
    times = sorted({digest.at for digest in digests})
    if len(times) > 1:
        raise ValueError(f"all digests go at one time, not at {' and '.join(times)}")
    return digests


def _looks_at_the_actor(condition: Condition) -> bool:
    if isinstance(condition, Not):
        return _looks_at_the_actor(condition.not_)
    if isinstance(condition, AnyOf):
        return any(_looks_at_the_actor(each) for branch in condition.any_of for each in branch)
    return isinstance(condition, Task) and condition.task.of == "actor"


class Rulebook(Part):
    """Everything one company declares; frozen, checked, made by `loader.load`.

    `version` is a short hash of the files. Tables are keyed by id, in file order. The keys are
    the names of the TOML tables (`[[rule]]` → `rule`); the plural properties say the same.
    """

    name: Id
    version: str
    tenant: Id
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    pipelines: Annotated[dict[str, Pipeline], ById] = Field(alias="pipeline", min_length=1)
    fields: Annotated[dict[str, FieldDeclaration], ById] = Field(default={}, alias="field")
    tasks: Annotated[dict[str, TaskDeclaration], ById] = Field(default={}, alias="task")
    outcomes: Annotated[dict[str, OutcomeDeclaration], ById] = Field(default={}, alias="outcome")
    reasons: Annotated[dict[str, Declaration], ById] = Field(default={}, alias="reason")
    attempts: Annotated[dict[str, AttemptDeclaration], ById] = Field(default={}, alias="attempt")
    documents: Annotated[dict[str, DocumentDeclaration], ById] = Field(default={}, alias="document")
    words: Annotated[dict[str, Words], ById] = Field(default={})
    settings: Annotated[dict[str, Setting], ById] = Field(default={}, alias="setting")
    queues: Annotated[dict[str, Queue], ById] = Field(default={}, alias="queue")
    digests: Annotated[tuple[Digest, ...], AfterValidator(_at_one_time)] = Field(
        default=(), alias="digest"
    )
    late: Late | None = None
    proofs: tuple[Proof, ...] = Field(default=(), alias="proof")
    rests: tuple[Rest, ...] = Field(default=(), alias="rest")
    rules: tuple[Rule, ...] = Field(default=(), alias="rule")
    requires: tuple[Requirement, ...] = Field(default=(), alias="require")
    sources: Sources = Sources()
    messages: Messages

    @cached_property
    def stages(self) -> dict[tuple[str, str], Stage]:
        """All stages by (pipeline, stage)."""
        return {(p.id, stage.id): stage for p in self.pipelines.values() for stage in p.stage}

    @cached_property
    def _rules_by_trigger(self) -> dict[tuple[str, str], tuple[Rule, ...]]:
        index: dict[tuple[str, str], tuple[Rule, ...]] = {}
        for rule in self.rules:
            for value in dict.fromkeys(rule.when.values):
                key = (rule.when.word, value)
                index[key] = (*index.get(key, ()), rule)
        return index

    @cached_property
    def _order(self) -> dict[int, int]:
        return {id(rule): number for number, rule in enumerate(self.rules)}

    def rules_on(self, happened: Iterable[tuple[str, str]]) -> tuple[Rule, ...]:
        """The rules that these (word, value) start, each once, in file order."""
        index = self._rules_by_trigger
        found = [rule for key in happened for rule in index.get(key, ())]
        if len(found) < 2:
            return tuple(found)
        unique = {id(rule): rule for rule in found}
        return tuple(sorted(unique.values(), key=lambda rule: self._order[id(rule)]))

    @cached_property
    def _requires_by_action(self) -> dict[tuple[str, str], tuple[Requirement, ...]]:
        index: dict[tuple[str, str], tuple[Requirement, ...]] = {}
        for requirement in self.requires:
            for value in dict.fromkeys(requirement.to.values):
                key = (requirement.to.action, value)
                index[key] = (*index.get(key, ()), requirement)
        return index

    def requires_on(self, action: str, values: Iterable[str]) -> tuple[Requirement, ...]:
        """The requirements that bind `action` with any of these main arguments, in file order."""
        index = self._requires_by_action
        found = {id(r): r for v in (*values, "any") for r in index.get((action, v), ())}
        return tuple(r for r in self.requires if id(r) in found) if found else ()

    def asks_what_the_actor_owes(self, action: str) -> bool:
        """Whether any requirement on this action looks at the actor's tasks on other leads."""
        return action in self._actions_by_debt

    @cached_property
    def _actions_by_debt(self) -> frozenset[str]:
        return frozenset(
            requirement.to.action
            for requirement in self.requires
            if any(map(_looks_at_the_actor, (*requirement.if_, *requirement.need)))
        )

    def setting_problems(self, site_settings: Mapping[str, str]) -> tuple[str, ...]:
        """What is wrong with a site's settings, a sentence each (003-04)."""
        problems: list[str] = []
        for name, value in site_settings.items():
            setting: Any = self.settings.get(name)
            if setting is None:
                known = ", ".join(self.settings) or "none"
                problems.append(f"{name} is no setting of rulebook {self.name}; it has {known}")
            elif (problem := setting.problem(value)) is not None:
                problems.append(problem)
        return tuple(problems)
