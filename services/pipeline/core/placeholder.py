"""Placeholders in a rulebook's texts, filled from the lead in hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from services.pipeline.core.lead import Attempt
from services.pipeline.core.moment import instant, local_date
from services.pipeline.core.phrase import Phrases
from services.pipeline.core.turn import Scene
from shared.contract.directory import Agent
from shared.domain.directory import Unknown
from shared.domain.rulebook.placeholder import PLACEHOLDER


def fill(scene: Scene, text: str) -> str:
    """The text for a person. What is not known yet is left out with the blanks around it."""
    if "{" not in text:
        return text
    filled = PLACEHOLDER.sub(lambda found: _value(scene, found[1]), text)
    return "\n".join(" ".join(line.split()) for line in filled.splitlines())


def _value(scene: Scene, name: str) -> str:
    told = VALUES.get(name)
    if told is not None:
        return told(scene)
    value = scene.lead.fields.get(name, "")
    field = scene.book.fields[name]
    return str(field.values[value].label) if value in field.values else value


def _agent(scene: Scene) -> Agent | None:
    """Whoever acts, else the owner."""
    agent = scene.actor or scene.lead.owner
    try:
        return scene.directory.agent(agent) if agent else None
    except Unknown:
        return None


def _name(scene: Scene) -> str:
    agent = _agent(scene)
    return agent.name if agent else ""


def _initials(scene: Scene) -> str:
    agent = _agent(scene)
    return agent.initials if agent else ""


def _source(scene: Scene) -> str:
    source = scene.book.sources.by_id(scene.lead.source)
    return source.label if source else scene.lead.source


def _day(scene: Scene) -> str:
    tried = since_contact(scene)
    return str(len({local_date(scene, attempt.at) for attempt in tried}))


def _round(scene: Scene) -> str:
    tried = (a.channel for a in since_contact(scene) if local_date(scene, a.at) == scene.today)
    return str(max(Counter(tried).values(), default=0))


def since_contact(scene: Scene) -> list[Attempt]:
    """The counted attempts since the contact was last reached."""
    start = instant(scene, "last_contact")
    return [
        a for a in scene.lead.attempts if a.counted and (a.at > start or not scene.lead.contacts)
    ]


VALUES: Mapping[str, Callable[[Scene], str]] = {
    "agent": _name,
    "initials": _initials,
    "date": lambda scene: Phrases(scene.book.language).date(scene.today),
    "note": lambda scene: str((scene.arguments or {}).get("note") or ""),
    "day": _day,
    "round": _round,
    "source": _source,
    "company": lambda scene: scene.book.messages.company,
    "contact": lambda scene: scene.lead.name or scene.contact.name or "",
}
