"""Who is who in a performance: the leads there are, as the scenario calls them."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from relance.simulation.expectation import Known
from relance.simulation.service import Pipeline
from relance.simulation.world import World
from services.pipeline.core.lead import Lead
from services.pipeline.core.queue import standing
from shared.domain.rulebook.rulebook import Rulebook


class Failed(Exception):
    """A step does not hold; the sentence says what was expected and what happened."""


class Cast:
    """The leads of a world; `known` are the names that the scenario gave them."""

    def __init__(self, world: World, book: Rulebook, zone: ZoneInfo) -> None:
        self.world, self.book, self.known = world, book, Known(zone)

    @property
    def pipelines(self) -> list[Pipeline]:
        """The services that have leads."""
        return [each for each in self.world.services if isinstance(each, Pipeline)]

    @property
    def leads(self) -> list[Lead]:
        """All of them."""
        return [lead for each in self.pipelines for lead in each.world.leads.values()]

    def lead(self, alias: str | None) -> Lead:
        """The lead a step speaks of; without a name there must be but one open one. Raises
        `Failed`."""
        leads = self.leads
        if alias is not None:
            if why := self.unknown(alias):
                raise Failed(why)
            return next(lead for lead in leads if lead.id == self.known.leads[alias])
        if len(leads) > 1:
            leads = [lead for lead in leads if lead.is_open]
        if len(leads) != 1:
            raise Failed(f"there are {len(leads)} open leads: say which with lead = …")
        return leads[0]

    def unknown(self, alias: str | None) -> str | None:
        """Why no lead is meant by this name; None where one is, or nothing is named."""
        if alias is None or alias in self.known.leads:
            return None
        return f"no lead is called {alias}; name it with as = {alias!r} where it is received"

    def called(self, leads: Iterable[Lead]) -> list[str]:
        """What the scenario calls these leads, else their numbers for people."""
        names = {lead: alias for alias, lead in self.known.leads.items()}
        return [names.get(lead.id, lead.number) for lead in leads]

    def standing(self, queue: str | None, agent: str | None) -> list[Lead]:
        """What stands in the queue for that agent. Raises `Failed`."""
        declared = self.book.queues.get(queue or "")
        if declared is None:
            there = ", ".join(sorted(self.book.queues)) or "nothing"
            raise Failed(f"there is no queue {queue}; there is {there}")
        worlds = [each.world for each in self.pipelines]
        candidates = [(x, w.contacts[x.contact]) for w in worlds for x in w.leads.values()]
        return standing(
            declared,
            candidates,
            agent or "",
            book=self.book,
            directory=self.world.directory,
            now=self.world.now,
        )
