"""`make bench`: what Relance does on this machine, beside what it could be measured by.

ARGS="--only throughput --only relay" measures some rows and keeps the others' figures;
ARGS=--quick looks whether all of it works, in two minutes, and keeps nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from benchmarks import core, door, growth, limit, profile, relay, result, throughput
from benchmarks.bench import Bench
from benchmarks.result import Result

ROWS: Mapping[str, Callable[[Bench], Awaitable[list[Result]]]] = {
    module.ROW: module.measure for module in (throughput, limit, profile, growth, relay, door, core)
}


async def measured(bench: Bench, rows: Sequence[str]) -> list[Result]:
    """The results of these rows."""
    results: list[Result] = []
    try:
        for row in rows:
            bench.say(f"── {row}")
            results += await ROWS[row](bench)
    finally:
        bench.stop()
    return results


def main() -> None:
    """Measure, print, keep."""
    parser = ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=list(ROWS), help="this row; repeatable")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one short run of each, not kept")
    chosen = parser.parse_args()
    load = os.getloadavg()[0]
    if load > 1:
        print(f"Others use this machine (load {load:.1f}): figures will be low.", file=sys.stderr)
    rows = list(dict.fromkeys(chosen.only or ROWS))
    bench = Bench(quick=chosen.quick, runs=1 if chosen.quick else chosen.runs)
    results = asyncio.run(measured(bench, rows))
    for each in results:
        print(each)
    if not chosen.quick:
        known = {each.name: each for each in result.read() if each.row not in rows}
        fresh = {each.name: each for each in results}
        order = list(ROWS)
        kept = sorted({**known, **fresh}.values(), key=lambda each: order.index(each.row))
        result.write(kept)


if __name__ == "__main__":
    main()
