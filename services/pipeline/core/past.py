"""What was done about a lead, for whoever has to judge it afterwards: its steps and its papers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from pydantic import JsonValue

from services.pipeline.core.turn import Scene
from shared.domain.directory import Unknown
from shared.domain.rulebook.effect import CONTACT

Values = dict[str, JsonValue]
STEPS_AT_MOST = 50
"""The newest ones: a mail about a lead of months must not become a book."""


def past_values(scene: Scene, template: str) -> Values:
    """`history` and `documents`, each where the template speaks of it: they are long, and most
    messages do without.

    `history`: the newest steps, oldest first, of which each has `what` (attempt, conversation or
    message), `at`, `channel`, `by`, `label` and `outcome`; with it `earlier` (how many are not
    told) and `done` (the tasks that were completed: `title`, `by`, `note`).
    `documents`: `label`, `name`, `url`, `status` and `at` of each.
    """
    declared = scene.book.messages.templates[template]
    return {
        name: value
        for word, tell in PAST.items()
        if declared.speaks_of(word)
        for name, value in tell(scene).items()
    }


def _history(scene: Scene) -> Values:
    steps = sorted(_steps(scene), key=lambda step: step[0])
    done: list[JsonValue] = [
        {"title": task.title, "by": _name(scene, task.to), "note": task.note}
        for task in scene.lead.tasks.values()
        if task.status == "completed"
    ]
    return {
        "history": [{"at": at.isoformat(), **step} for at, step in steps[-STEPS_AT_MOST:]],
        "earlier": max(0, len(steps) - STEPS_AT_MOST),
        "done": done,
    }


def _steps(scene: Scene) -> Iterator[tuple[datetime, Values]]:
    lead, book = scene.lead, scene.book
    for attempt in lead.attempts:
        code, outcome = book.attempts.get(attempt.code), book.outcomes.get(attempt.outcome)
        step = _step(scene, "attempt", attempt.channel, attempt.by)
        step["label"] = code.label if code else attempt.code
        step["outcome"] = outcome.label if outcome else None
        yield attempt.at, step
    for exchange in lead.contacts:
        yield exchange.at, _step(scene, "conversation", exchange.channel, exchange.by)
    for message in lead.messages:
        template = book.messages.by_id(message.template)
        if message.to == CONTACT:
            step = _step(scene, "message", message.channel, None)
            yield message.sent_at, step | {"label": template.label if template else None}


def _step(scene: Scene, what: str, channel: str, by: str | None) -> Values:
    name = _name(scene, by)
    return {"what": what, "channel": channel, "by": name, "label": None, "outcome": None}


def _name(scene: Scene, agent: str | None) -> str | None:
    try:
        return scene.directory.agent(agent).name if agent else None
    except Unknown:
        return agent


def _documents(scene: Scene) -> Values:
    kinds = scene.book.documents
    told: list[JsonValue] = [
        {
            "label": kinds[paper.kind].label if paper.kind in kinds else paper.kind,
            "name": paper.name,
            "url": paper.url,
            "status": paper.status,
            "at": paper.at.isoformat(),
        }
        for paper in scene.lead.documents
    ]
    return {"documents": told}


PAST: Mapping[str, Callable[[Scene], Values]] = {"history": _history, "documents": _documents}
