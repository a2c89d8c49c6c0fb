"""What can happen around a contact's leads, where the rulebook speaks of it: a call that goes on,
an owner who is on a call, away or gone for good."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from relance.check.move import Move
from relance.people.stand import MINUTE, Stand
from relance.simulation.input import NoSuchSource, source_of, told
from relance.simulation.step import Call
from services.pipeline.core.lead import Lead
from shared.contract.directory import Absence, Availability, Document

LEAVE = timedelta(weeks=2)


def around(stand: Stand) -> Iterator[Move]:
    """Everything of the kind that can happen next."""
    for lead in (each for each in stand.leads if each.is_open):
        yield from _on_the_line(stand, lead)
        yield from _owner(stand, lead)


def _on_the_line(stand: Stand, lead: Lead) -> Iterator[Move]:
    """The contact calls: it rings, or somebody has taken it; or a call of ours is over."""
    phone, spoken = lead.point("phone"), stand.house.spoken
    if phone is None:
        return
    agents = [agent.id for agent in stand.world.directory.agents]
    callers = [agent for agent in agents if agent != lead.owner][:1]
    callers += [lead.owner] if lead.owner else []
    wanted: list[tuple[str, Call]] = []
    if "call_started" in spoken:
        wanted.append(("the phone of the house rings for the contact", Call(call="started")))
    for agent in callers:
        if "call_started" in spoken:
            on_the_line = Call(call="started", agent=agent)
            wanted.append((f"{agent} is on the line with the contact", on_the_line))
        if "call_ended" in spoken:
            over = Call(call="ended", agent=agent, duration_s=60)
            wanted.append((f"{agent} has called the contact", over))
    for words, step in wanted:

        def do(other: Stand, step: Call = step, phone: str = phone) -> bool:
            try:
                source = source_of(other.book.sources, step)
            except NoSuchSource:
                return False
            other.until(other.now + MINUTE)
            name = f"{other.name}-{other.key()}"
            return bool(other.receive(told(step, source, name, other.now, phone)))

        yield Move(words, do)


def _owner(stand: Stand, lead: Lead) -> Iterator[Move]:
    """The owner goes on leave, is on a call, leaves for good; and is there again."""
    owner, directory = lead.owner, stand.world.directory
    if owner is None or directory.agent(owner).withdrawn:
        return
    state = directory.availability(owner, stand.now)
    if state == "absent":
        return
    if stand.house.watches_presence:
        leave = Absence(id=f"{owner}-leave", agent=owner, begins=stand.now, ends=stand.now + LEAVE)
        yield _declared(f"{owner} goes on leave for two weeks", leave)
        busy = state == "available"
        now = Availability(id=owner, state="busy" if busy else "available")
        yield _declared(f"{owner} is {'on a call' if busy else 'free again'}", now)
    gone = directory.agent(owner).model_copy(update={"withdrawn": True})
    yield _declared(f"{owner} leaves the company", gone)


def _declared(words: str, document: Document) -> Move:
    def do(stand: Stand) -> bool:
        stand.world.declare(document)
        return True

    return Move(words, do)
