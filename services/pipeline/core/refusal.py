"""Why an agent's action cannot be done: every missing need at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from services.pipeline.core import action as acts
from services.pipeline.core.action import ActionBase
from services.pipeline.core.condition import all_hold, missing
from services.pipeline.core.describe import describe
from services.pipeline.core.house import of_the_house, open_task, place_of
from services.pipeline.core.turn import Scene
from shared.contract.pipeline import Need
from shared.domain.rulebook.rule import Requirement

Bindings = Iterable[tuple[str, tuple[str, ...]]]


def needs(scene: Scene, action: ActionBase) -> tuple[Need, ...]:
    """Everything that stands against the action; none means that it can be done."""
    found = [*of_the_house(scene, action), *_of_the_rulebook(scene, action, "refuse")]
    return tuple(dict.fromkeys(found))


def warnings(scene: Scene, action: ActionBase) -> tuple[Need, ...]:
    """What the rulebook would have otherwise, without standing against the action."""
    return tuple(dict.fromkeys(_of_the_rulebook(scene, action, "warn")))


def _of_the_rulebook(
    scene: Scene, action: ActionBase, level: Literal["refuse", "warn"]
) -> Iterator[Need]:
    for requirement in _binding(scene, action):
        if requirement.level != level or not all_hold(requirement.if_, scene):
            continue
        for condition in requirement.need:
            lacking = missing(condition, scene)
            if lacking:
                yield Need(
                    rule=requirement.id,
                    says=requirement.says,
                    condition=condition.word,
                    missing=lacking,
                    satisfied_by=describe(condition, scene),
                )


def _binding(scene: Scene, action: ActionBase) -> tuple[Requirement, ...]:
    """The requirements that bind this action, in file order.

    A close and a move into the stage that closes are one door: both requirements bind both.
    """
    book, lead = scene.book, scene.lead
    bound: list[Requirement] = []
    for word, values in _doors(scene, action):
        bound += book.requires_on(word, values)
    arguments = scene.arguments or {}
    return tuple(
        requirement
        for requirement in bound
        if (not requirement.to.task or _kind_of_task(scene) in requirement.to.task)
        and (not requirement.to.from_ or lead.stage in requirement.to.from_)
        and (not requirement.to.reason or arguments.get("reason") in requirement.to.reason)
        and (not requirement.to.channel or arguments.get("channel") in requirement.to.channel)
    )


def _kind_of_task(scene: Scene) -> str | None:
    task = scene.task_in_hand
    return task.name if task is not None else None


def _doors(scene: Scene, action: ActionBase) -> Bindings:
    if isinstance(action, acts.Move):
        stage = scene.book.stages.get(place_of(scene, action.to))
        into = (action.to, place_of(scene, action.to)[1])
        closes = stage.closes if stage else None
        return [("move", into)] + ([("close", (closes,))] if closes else [])
    if isinstance(action, acts.Close):
        stage = scene.book.pipelines[scene.lead.pipeline].closing(action.status)
        return [("close", (action.status,))] + ([("move", (stage.id,))] if stage else [])
    word = str(getattr(action, "act", ""))
    values = action.main_arguments
    if isinstance(action, acts.Classify | acts.Acknowledge) and action.outcome is not None:
        classified = ("classify", (action.outcome,))
        return [(word, values), classified, *_closing_doors(scene, action.outcome)]
    if isinstance(action, acts.CreateLead):
        return [(word, (str((scene.arguments or {}).get("pipeline")),))]
    if isinstance(action, acts.CompleteTask | acts.PostponeTask | acts.CancelTask):
        task = open_task(scene.lead, action.task)
        return [(word, (*values, task.name) if task else values)]
    return [(word, values)]


def _closing_doors(scene: Scene, outcome: str) -> Bindings:
    """An outcome that closes is run as that close, with what is required of it."""
    declared = scene.book.outcomes.get(outcome)
    if declared is None or declared.closes is None:
        return []
    stage = scene.book.pipelines[scene.lead.pipeline].closing(declared.closes)
    return [("close", (declared.closes,)), *([("move", (stage.id,))] if stage else [])]
