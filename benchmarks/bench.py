"""One run of `make bench`: how long, where, and the servers that rows share."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from benchmarks.side import Side
from relance.stack.home import Home
from services.pipeline.handlers import MEMBERS


@dataclass
class Bench:
    """`quick` looks whether everything works; its figures mean little. `keeps`: they are kept.

    `ours` and `peer` are started when first asked for. Persons are numbered through, so that
    nobody is new twice.
    """

    quick: bool = False
    keeps: bool = True
    runs: int = 5
    folder: Path = field(default_factory=lambda: Home.of_checkout().folder / "bench")
    _sides: dict[str, Side] = field(default_factory=dict)
    _people: int = 0
    _began_s: float = field(default_factory=monotonic)

    async def ours(self) -> Side:
        """Pipeline, as it is."""
        group = "pipeline.intake.events.v1"
        return await self._side("ours", "services.pipeline", group, MEMBERS)

    async def peer(self) -> Side:
        """The same effect, the documented way."""
        return await self._side("peer", "benchmarks.peer", "peer")

    def people(self, many: int) -> int:
        """The number of the first of so many people that nobody knows yet."""
        first, self._people = self._people, self._people + many
        return first

    def many(self, full: int) -> int:
        """How many events to measure by: fewer in the quick form."""
        return full // 3 if self.quick else full

    def say(self, what: str) -> None:
        """Tell whoever waits what goes on."""
        print(f"{monotonic() - self._began_s:5.0f} s  {what}", file=sys.stderr, flush=True)

    def stop(self) -> None:
        """Stop the servers."""
        for side in self._sides.values():
            side.stop()
        self._sides.clear()

    async def _side(self, name: str, module: str, group: str, members: int = 1) -> Side:
        if name not in self._sides:
            self.say(f"starting Kafka and PostgreSQL for {name} …")
            side = self._sides[name] = Side(name, module, group, self.folder, members)
            side.start()
            await side.prepare()
        return self._sides[name]
