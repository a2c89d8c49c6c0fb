"""`make bench`: what Relance does on this machine, beside what it could be measured by.

Measured is what the image runs: pipeline's core compiled (a minute, once; needs gcc).
ARGS=--source measures the checkout's source as it is, and keeps nothing.
ARGS="--only throughput --only relay" measures some rows and keeps the others' figures;
ARGS=--quick looks whether all of it works, in two minutes, and keeps nothing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Awaitable, Callable, Mapping, Sequence

from benchmarks import compiled, core, door, growth, limit, profile, relay, result, throughput
from benchmarks.bench import Bench
from benchmarks.result import Result
from relance.stack.home import Home

ROWS: Mapping[str, Callable[[Bench], Awaitable[list[Result]]]] = {
    module.ROW: module.measure for module in (throughput, limit, profile, growth, relay, door, core)
}


async def measured(bench: Bench, rows: Sequence[str]) -> list[str]:
    """Measure these rows and keep each as soon as it is there; those that could not be."""
    failed: list[str] = []
    try:
        for row in rows:
            bench.say(f"── {row}")
            try:
                results = await ROWS[row](bench)
            except Exception as error:
                # The others' figures are worth having; what this one left behind is not.
                bench.say(f"{row} could not be measured: {type(error).__name__}: {error}")
                failed.append(row)
                bench.stop()
                continue
            for each in results:
                print(each, flush=True)
            if bench.keeps:
                _keep(row, results)
    finally:
        bench.stop()
    return failed


def _keep(row: str, results: Sequence[Result]) -> None:
    """These figures of a row instead of its former ones, in the order of the rows."""
    order = list(ROWS)
    others = [each for each in result.read() if each.row != row]
    result.write(sorted([*others, *results], key=lambda each: order.index(each.row)))


def _run_compiled() -> None:
    """Begin again on the packages with the compiled core; returns once that is what runs."""
    folder = Home.of_checkout().folder / "compiled"
    if compiled.runs(folder):
        return
    print("Compiling pipeline's core, unless it is there …", file=sys.stderr)
    if not compiled.make(folder):
        sys.exit("ARGS=--source measures without compiling.")
    command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
    os.execve(sys.executable, command, compiled.environment(folder))


def main() -> None:
    """Measure, print, keep; exits 1 if a row could not be measured."""
    parser = ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", choices=list(ROWS), help="this row; repeatable")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--quick", action="store_true", help="one short run of each, not kept")
    parser.add_argument("--source", action="store_true", help="the core not compiled, not kept")
    chosen = parser.parse_args()
    if not chosen.source:
        _run_compiled()
    load = os.getloadavg()[0]
    if load > 1:
        print(f"Others use this machine (load {load:.1f}): figures will be low.", file=sys.stderr)
    keeps = not (chosen.quick or chosen.source)
    bench = Bench(quick=chosen.quick, keeps=keeps, runs=1 if chosen.quick else chosen.runs)
    failed = asyncio.run(measured(bench, list(dict.fromkeys(chosen.only or ROWS))))
    if failed:
        sys.exit(f"Not measured: {', '.join(failed)}. The logs are in {bench.folder}.")


if __name__ == "__main__":
    main()
