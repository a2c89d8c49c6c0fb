"""Queues: which lead an agent takes next: by the section of the queue, then who came first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.pipeline.core import order
from services.pipeline.core.condition import all_hold
from services.pipeline.core.contact import Contact
from services.pipeline.core.lead import Lead
from services.pipeline.core.stage import assign, reopen
from services.pipeline.core.turn import Scene, Turn
from shared.domain.directory import Directory
from shared.domain.rulebook.declaration import Queue
from shared.domain.rulebook.effect import PREVIOUS
from shared.domain.rulebook.rulebook import Rulebook

Place = tuple[int, order.Place]


def place_of(scene: Scene, queue: Queue) -> Place | None:
    """Where the lead stands for whoever acts; None where it is not for them."""
    if scene.lead.erased_at is not None:
        return None
    for number, section in enumerate(queue.order):
        if all_hold(section.if_, scene):
            return number, order.place(scene.lead)
    return None


def standing(
    queue: Queue,
    candidates: Iterable[tuple[Lead, Contact]],
    agent: str,
    *,
    book: Rulebook,
    directory: Directory,
    now: datetime,
) -> list[Lead]:
    """The leads that stand in the queue for this agent, the next one first."""
    placed = []
    for lead, contact in candidates:
        scene = Scene(lead, contact, book, directory, max(now, lead.time), agent)
        place = place_of(scene, queue)
        if place is not None:
            placed.append((place, lead))
    return [lead for _, lead in sorted(placed, key=lambda pair: pair[0])]


def take(turn: Turn, lead: str, by: str) -> None:
    """The lead is the agent's; a closed one is open again, where it was."""
    reopen(turn, lead, PREVIOUS, by)
    assign(turn, lead, by, by)
