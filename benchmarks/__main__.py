"""`make bench`: pipeline's whole path beside the documented FastStream way, in the same run.

Kafka → lock and load → decide → PostgreSQL → outbox → Kafka, one process, 1 KB events.
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser

from benchmarks.result import Result, Run, write
from benchmarks.side import Side
from benchmarks.workload import Workload
from relance.stack.home import Home

UNIT = "events/s"
LINKED, NEW = "somebody known writes again", "a new lead: owner, task, alert"
EFFECTS = {NEW: 6, LINKED: 1}


async def compare(runs: int, ours_many: int, peer_many: int) -> list[Result]:
    """Both workloads, `runs` times, the sides taking turns."""
    folder = Home.of_checkout().folder / "bench"
    ours = Side("ours", "services.pipeline", folder)
    peer = Side("peer", "benchmarks.peer", folder)
    sides = {"ours": (ours, ours_many), "peer": (peer, peer_many)}
    seen: dict[str, list[dict[str, float]]] = {NEW: [], LINKED: []}
    try:
        for side, _ in sides.values():
            side.start()
            await side.prepare()
        for number in range(runs):
            for name, rows in seen.items():
                rows.append({})
                for key, (side, many) in sides.items():
                    rows[-1][key] = await side.measure(_workload(name, number, many))
                print(f"run {number + 1}: {name}: {rows[-1]}", file=sys.stderr)
    finally:
        for side, _ in sides.values():
            side.stop()
    return [
        Result.of(name, UNIT, [Run(round(row["ours"], 1), round(row["peer"], 1)) for row in rows])
        for name, rows in seen.items()
    ]


def _workload(name: str, number: int, many: int) -> Workload:
    """Of run `number`: people nobody knows yet, then the same people once more."""
    return Workload(name, many, EFFECTS[name], run=f"{name} {number}", first=number * 100_000)


def main() -> None:
    """Run it and keep the result."""
    parser = ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--ours", type=int, default=8_000, help="events a run on our side")
    parser.add_argument("--peer", type=int, default=300, help="events a run on the peer's side")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    if load > 1:
        print(f"Others use this machine (load {load:.1f}): figures will be low.", file=sys.stderr)
    results = asyncio.run(compare(chosen.runs, chosen.ours, chosen.peer))
    write(results)
    for result in results:
        print(
            f"{result.name}: {result.ours:,.0f} {UNIT}, documented way {result.peer:,.0f} {UNIT}, "
            f"{result.ratio:.1f} ×"
        )


if __name__ == "__main__":
    main()
