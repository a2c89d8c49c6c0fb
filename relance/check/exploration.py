"""The reachable states of a contact's leads, explored on the real cores.

States that no rule can tell apart are merged (`abstraction.py`). What is new goes first: of the
outlines that people would tell apart the one looked at least, so that the far end of a pipeline is
reached before all the ways to linger at its beginning. It is deterministic, and bounded by
`STATES_AT_MOST`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush

from relance.check.abstraction import atoms, key, outline
from relance.check.move import Move
from relance.check.moves import beginnings, moves
from relance.people.next_step import forgotten
from relance.people.stand import House, Stand, working_morning
from relance.simulation.company import Company
from relance.simulation.world import Endless
from services.notifications.core.request import UnknownTemplate
from services.pipeline.core.engine import CascadeTooLong
from services.pipeline.core.lead import Lead
from shared.contract.envelope import Envelope
from shared.contract.pipeline import ActionRefused, ActionWarned
from shared.domain.calendar import NeverOpen
from shared.domain.directory import Unknown
from shared.domain.names import Names

STATES_AT_MOST = 4_000
BROKEN = (CascadeTooLong, Endless, Unknown, UnknownTemplate, NeverOpen)
"""What a rulebook must never lead to, whatever people do."""

Way = tuple[str, ...]


@dataclass(frozen=True)
class Forgotten:
    """An open lead that has no next step, and the shortest path to it."""

    pipeline: str
    stage: str
    path: Way


@dataclass(frozen=True)
class Broken:
    """What people can do so that the rulebook breaks, and how it does, in a sentence."""

    why: str
    path: Way


@dataclass
class Exploration:
    """What was seen: how many states, how deep, whether all were, and what is wrong.

    `stages` are those that a lead was in, `refused` the rules by which something was refused.
    """

    states: int = 0
    depth: int = 0
    whole: bool = True
    forgotten: list[Forgotten] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    stages: set[tuple[str, str]] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Place:
    stand: Stand
    path: Way

    @cached_property
    def where(self) -> tuple[Hashable, ...]:
        """The stages in which the leads are."""
        return tuple((lead.pipeline, lead.stage, lead.status) for lead in self.stand.leads)

    @cached_property
    def outline(self) -> Hashable:
        """What people would tell apart."""
        return outline(self.stand)


def explore(company: Company, states_at_most: int = STATES_AT_MOST) -> Exploration:
    """Every state within the bound."""
    return _Explorer(company, states_at_most).run()


class _Explorer:
    def __init__(self, company: Company, states_at_most: int) -> None:
        self.company, self.house, self.names = company, House.of(company), company.names()
        self.states_at_most = states_at_most
        self.atoms = atoms(company.book)
        self.found = Exploration()
        self._seen: set[Hashable] = set()
        self._looked_at: Counter[Hashable] = Counter()
        self._waiting: list[tuple[tuple[int, int], int, int, _Place]] = []
        self._told: set[tuple[str, ...]] = set()

    def run(self) -> Exploration:
        start = Stand(self.house, "explored", working_morning(self.company.directory))
        self._go(_Place(start, ()), beginnings(start))
        while self._waiting and not self._is_full():
            looked_at, depth, number, place = heappop(self._waiting)
            if (often := self._often(place)) > looked_at:
                heappush(self._waiting, (often, depth, number, place))
                continue
            self._looked_at.update((*place.where, place.outline))
            self._go(place, moves(place.stand, _known(self.names, place.stand)))
        self.found.whole = not self._waiting
        self.found.states = len(self._seen)
        return self.found

    def _is_full(self) -> bool:
        return len(self._seen) >= self.states_at_most

    def _often(self, place: _Place) -> tuple[int, int]:
        """How often the like was looked at: its rarest stage, and all that people can tell."""
        rarest = min((self._looked_at[each] for each in place.where), default=0)
        return rarest, self._looked_at[place.outline]

    def _go(self, place: _Place, ways: Iterable[Move]) -> None:
        for move in ways:
            if self._is_full():
                return
            there = place.stand.fork()
            path = (*place.path, move.words)
            try:
                done = move.do(there)
            except BROKEN as problem:
                self._broke(_sentence(problem), path)
                continue
            self.found.refused |= refusals(there.world.log)
            if done:
                self._arrived(_Place(there, path))

    def _arrived(self, place: _Place) -> None:
        name = key(place.stand, self.atoms)
        if name in self._seen:
            return
        self._seen.add(name)
        depth = len(place.path)
        heappush(self._waiting, (self._often(place), depth, len(self._seen), place))
        self.found.depth = max(self.found.depth, depth)
        self.found.stages |= {(lead.pipeline, lead.stage) for lead in place.stand.leads}
        for lead in forgotten(place.stand):
            self._forgot(lead, place.path)

    def _forgot(self, lead: Lead, path: Way) -> None:
        place = (lead.pipeline, lead.stage)
        if place not in self._told:
            self._told.add(place)

            def leads_there(way: Way) -> bool:
                try:
                    stand = self._walked(way)
                except BROKEN:
                    return False
                return stand is not None and place in _forgotten(stand)

            self.found.forgotten.append(Forgotten(*place, _shortest(path, leads_there)))

    def _broke(self, why: str, path: Way) -> None:
        if (why,) not in self._told:
            self._told.add((why,))

            def breaks(way: Way) -> bool:
                return self._breaks(way) == why

            self.found.broken.append(Broken(why, _shortest(path, breaks)))

    def _breaks(self, path: Way) -> str | None:
        """How the last of these steps breaks the rulebook; None where it does not."""
        try:
            self._walked(path)
        except BROKEN as problem:
            return _sentence(problem)
        return None

    def _walked(self, path: Way) -> Stand | None:
        """Where these steps lead; None where one of them cannot be taken."""
        stand = Stand(self.house, "explored", working_morning(self.company.directory))
        for number, words in enumerate(path):
            ways = moves(stand, _known(self.names, stand)) if number else beginnings(stand)
            move = next((way for way in ways if way.words == words), None)
            if move is None or not move.do(stand):
                return None
        return stand


def _shortest(path: Way, leads_there: Callable[[Way], bool]) -> Way:
    """The path without every step that it does not need to lead to the same."""
    for number in range(len(path)):
        shorter = path[:number] + path[number + 1 :]
        if leads_there(shorter):
            return _shortest(shorter, leads_there)
    return path


def _forgotten(stand: Stand) -> set[tuple[str, str]]:
    return {(lead.pipeline, lead.stage) for lead in forgotten(stand)}


def _sentence(problem: Exception) -> str:
    """The same for whatever lead it happens to: ids say nothing to anybody."""
    return _ID.sub("the lead", str(problem))


_ID = re.compile(r"(the )?(lead )?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def refusals(said: Iterable[Envelope]) -> set[str]:
    """The rules by which any of this is refused, or warned about."""
    told = (ActionRefused, ActionWarned)
    refused = [each.data.needs for each in said if isinstance(each.data, told)]
    return {need.rule for needs in refused for need in needs}


def _known(names: Names, stand: Stand) -> Names:
    names.tasks.update({t.id: t.title for lead in stand.leads for t in lead.tasks.values()})
    return names
