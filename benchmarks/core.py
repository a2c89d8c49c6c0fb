"""decide + evolve: how many events a second pipeline's core takes in and says, in one process.

What is replayed are the inputs of every scenario of every rulebook, so that all words of the
language have their share. No broker, no database. Seconds are those of the processor, so that
others at work on the machine do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

from benchmarks.bench import Bench
from benchmarks.result import Result, Run
from relance.cli_rulebook import all_rulebooks
from relance.scenario import Scenario, load
from relance.simulate import world_of
from relance.simulation.company import Company, read_company
from relance.simulation.performance import Performance
from relance.simulation.service import Pipeline
from services.pipeline.core.engine import CONSUMED, handle
from services.pipeline.core.world import World
from shared.contract.envelope import Envelope
from shared.contract.reminders import AgentAbsent
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook

ROW = "core"
UNIT = "events/s"
WANTED = 20_000
"""Events a second that the core has to manage."""

LEAST_S = 1.0
"""A run lasts at least so long."""


class Recording(Pipeline):
    """Pipeline that remembers what it was given."""

    def __init__(self, book: Rulebook) -> None:
        super().__init__(book)
        self.tape: list[tuple[Envelope, Directory]] = []

    def accept(self, envelope: Envelope, directory: Directory) -> list[Envelope]:
        """Keep it, then do as pipeline does; an absence is for the leads that the shell finds."""
        if type(envelope.data) in CONSUMED and not isinstance(envelope.data, AgentAbsent):
            self.tape.append((envelope, directory))
        return super().accept(envelope, directory)


@dataclass(frozen=True)
class Tape:
    """The inputs of one scenario."""

    book: Rulebook
    inputs: tuple[tuple[Envelope, Directory], ...]

    def played(self) -> Iterator[tuple[World, list[Envelope]]]:
        """Through the core from an empty world: what each input leaves, and has said."""
        world = World()
        for envelope, directory in self.inputs:
            world, events = handle(world, envelope, self.book, directory)
            yield world, events

    def play(self) -> int:
        """How many events were taken in and said."""
        return sum(1 + len(events) for _, events in self.played())


def tapes(rulebook: Path) -> list[Tape]:
    """The inputs of all scenarios of a rulebook."""
    company = read_company(rulebook)
    return [_recorded(company, scenario) for scenario in load([rulebook / "scenarios"])]


def _recorded(company: Company, scenario: Scenario) -> Tape:
    zone = ZoneInfo(company.directory.site(scenario.site).zone)
    world = world_of(company, scenario.start.replace(tzinfo=zone).astimezone(UTC))
    recording = Recording(company.book)
    world.services = [recording if isinstance(s, Pipeline) else s for s in world.services]
    Performance(scenario, "bench", company.book, world).run()
    return Tape(company.book, tuple(recording.tape))


async def measure(bench: Bench) -> list[Result]:
    """Events a second of each run, over the tapes of all rulebooks."""
    recorded = [tape for rulebook in all_rulebooks() for tape in tapes(rulebook)]
    runs = []
    for number in range(bench.runs):
        events, start = 0, process_time()
        while process_time() - start < LEAST_S:
            events += sum(tape.play() for tape in recorded)
        runs.append(Run(events / (process_time() - start)))
        bench.say(f"run {number + 1}: {runs[-1].ours:,.0f} events a second of a processor")
    name = "decide + evolve, every scenario's inputs, one process"
    return [Result.of(ROW, name, UNIT, runs, aim=WANTED)]
