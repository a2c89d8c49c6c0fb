"""Why an agent's action cannot be done: every missing need at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from services.pipeline.core import action as acts
from services.pipeline.core.action import MADE, ActionBase
from services.pipeline.core.condition import all_hold, missing
from services.pipeline.core.describe import describe
from services.pipeline.core.fields import READERS, read_point
from services.pipeline.core.lead import Lead, Task
from services.pipeline.core.party import NEXT_OF
from services.pipeline.core.phrase import Phrases
from services.pipeline.core.turn import Scene
from shared.contract.pipeline import Need
from shared.domain.directory import Unknown
from shared.domain.rulebook.reference import CONTACT_FIELDS
from shared.domain.rulebook.rule import Requirement

ITSELF = "house-00"
"""The rule behind what every rulebook demands: known names, an open lead, a reachable stage."""

ON_CLOSED = (acts.Note, acts.SetFields, acts.CompleteTask, acts.LogContact)
"""What can be done to a closed lead."""

Bindings = Iterable[tuple[str, tuple[str, ...]]]


def needs(scene: Scene, action: ActionBase) -> tuple[Need, ...]:
    """Everything that stands against the action; none means that it can be done."""
    found = [*_of_the_house(scene, action), *_of_the_rulebook(scene, action)]
    return tuple(dict.fromkeys(found))


def open_task(lead: Lead, name: str) -> Task | None:
    """The open task with that id, else the oldest open one of that kind."""
    return next((t for t in lead.open_tasks() if name in (t.id, t.name)), None)


def _of_the_rulebook(scene: Scene, action: ActionBase) -> Iterator[Need]:
    for requirement in _binding(scene, action):
        if not all_hold(requirement.if_, scene):
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
        if (not requirement.to.from_ or lead.stage in requirement.to.from_)
        and (not requirement.to.reason or arguments.get("reason") in requirement.to.reason)
        and (not requirement.to.channel or arguments.get("channel") in requirement.to.channel)
    )


def _doors(scene: Scene, action: ActionBase) -> Bindings:
    if isinstance(action, acts.Move):
        stage = scene.book.stages.get(_place(scene, action.to))
        into = (action.to, _place(scene, action.to)[1])
        closes = stage.closes if stage else None
        return [("move", into)] + ([("close", (closes,))] if closes else [])
    if isinstance(action, acts.Close):
        stage = scene.book.pipelines[scene.lead.pipeline].closing(action.status)
        return [("close", (action.status,))] + ([("move", (stage.id,))] if stage else [])
    word = str(getattr(action, "act", ""))
    values = action.main_arguments
    if isinstance(action, acts.CompleteTask | acts.PostponeTask):
        task = open_task(scene.lead, action.task)
        return [(word, (*values, task.name) if task else values)]
    return [(word, values)]


def _place(scene: Scene, name: str) -> tuple[str, str]:
    pipeline, _, stage = name.rpartition(".")
    return pipeline or scene.lead.pipeline, stage


def _of_the_house(scene: Scene, action: ActionBase) -> Iterator[Need]:
    phrases = Phrases(scene.book.language)
    if not scene.lead.is_open and not isinstance(action, ON_CLOSED):
        yield _need("open", phrases.say("open_says"), ("status",), phrases.say("open"))
    yield from HOUSE.get(type(action), _nothing)(scene, action, phrases)


def _need(condition: str, says: str, lacking: tuple[str, ...], by: str, rule: str = ITSELF) -> Need:
    return Need(rule=rule, says=says, condition=condition, missing=lacking, satisfied_by=by)


def _nothing(_: Scene, __: Any, ___: Phrases) -> Iterator[Need]:
    yield from ()


def _unknown(phrases: Phrases, kind: str, name: str, choice: Iterable[str]) -> Need:
    says = phrases.say("known_says", kind=phrases.noun(kind), name=name)
    return _need("known", says, (kind,), phrases.say("known", choice, name=name))


def _fields(scene: Scene, action: acts.SetFields, phrases: Phrases) -> Iterator[Need]:
    region = scene.directory.site(scene.lead.site).region
    for name, value in action.fields.items():
        field = scene.book.fields.get(name)
        if name in READERS and value and read_point(name, value, region).point is None:
            says = phrases.say("point_says", value=value)
            yield _need("value", says, (name,), phrases.say("point"))
        elif field is None and name not in CONTACT_FIELDS:
            yield _unknown(phrases, "field", name, (*scene.book.fields, *CONTACT_FIELDS))
        elif field is not None and field.values and value.strip() not in field.values:
            says = phrases.say("value_says", field=field.label, value=value)
            choice = [f"{key} ({label})" for key, label in field.values.items()]
            by = phrases.say("value", choice, name=value)
            yield _need("value", says, (name,), by, field.rule or ITSELF)


def _attempt(scene: Scene, action: acts.LogAttempt, phrases: Phrases) -> Iterator[Need]:
    if action.code not in scene.book.attempts:
        yield _unknown(phrases, "code", action.code, scene.book.attempts)
    if action.outcome != MADE and action.outcome not in scene.book.outcomes:
        yield _unknown(phrases, "outcome", action.outcome, (MADE, *scene.book.outcomes))


def _move(scene: Scene, action: acts.Move, phrases: Phrases) -> Iterator[Need]:
    stage = scene.book.stages.get(_place(scene, action.to))
    if stage is None:
        stages = [s.id for s in scene.book.pipelines[scene.lead.pipeline].stage]
        yield _unknown(phrases, "stage", action.to, stages)
        return
    yield from _reachable(scene, stage.id, phrases)
    yield from _reason(scene, action.reason, phrases)


def _close(scene: Scene, action: acts.Close, phrases: Phrases) -> Iterator[Need]:
    yield from _reason(scene, action.reason, phrases)


def _reachable(scene: Scene, to: str, phrases: Phrases) -> Iterator[Need]:
    """A stage is entered from the stages that lead to it; a closed lead goes nowhere."""
    here = scene.book.stages.get((scene.lead.pipeline, scene.lead.stage))
    if here is None or to == here.id or to in here.next or not scene.lead.is_open:
        return
    pipeline = scene.book.pipelines[scene.lead.pipeline]
    labels = {stage.id: stage.label for stage in pipeline.stage}
    says = phrases.say("next_says", left=here.label, stage=labels.get(to, to))
    by = phrases.say("next", [labels[next_] for next_ in here.next])
    yield _need("stage", says, ("stage",), by, pipeline.rule or ITSELF)


def _reason(scene: Scene, reason: str | None, phrases: Phrases) -> Iterator[Need]:
    if reason is not None and reason not in scene.book.reasons:
        yield _unknown(phrases, "reason", reason, scene.book.reasons)


def _new_task(scene: Scene, action: acts.CreateTask, phrases: Phrases) -> Iterator[Need]:
    if action.task not in scene.book.tasks:
        yield _unknown(phrases, "task", action.task, scene.book.tasks)
    if action.to is not None:
        yield from _agent(scene, action.to, phrases)


def _task_in_hand(
    scene: Scene,
    action: acts.CompleteTask | acts.PostponeTask | acts.Note,
    phrases: Phrases,
) -> Iterator[Need]:
    if action.task is None or open_task(scene.lead, action.task) is not None:
        return
    tasks = [task.name for task in scene.lead.open_tasks()]
    says = phrases.say("task_in_hand_says", name=action.task)
    yield _need("task", says, ("task",), phrases.say("task_in_hand", tasks))


def _owner(scene: Scene, action: acts.Assign, phrases: Phrases) -> Iterator[Need]:
    if action.to.startswith(NEXT_OF):
        if not scene.directory.agents_of(action.to.removeprefix(NEXT_OF)):
            yield _unknown(phrases, "team", action.to, ())
        return
    yield from _agent(scene, action.to, phrases)


def _agent(scene: Scene, agent: str, phrases: Phrases) -> Iterator[Need]:
    try:
        known = not scene.directory.agent(agent).withdrawn
    except Unknown:
        known = False
    if not known:
        yield _unknown(phrases, "agent", agent, (a.id for a in scene.directory.agents))


HOUSE: Mapping[type[ActionBase], Callable[[Scene, Any, Phrases], Iterator[Need]]] = {
    acts.SetFields: _fields,
    acts.LogAttempt: _attempt,
    acts.Move: _move,
    acts.Close: _close,
    acts.CreateTask: _new_task,
    acts.PostponeTask: _task_in_hand,
    acts.CompleteTask: _task_in_hand,
    acts.Note: _task_in_hand,
    acts.Assign: _owner,
}
