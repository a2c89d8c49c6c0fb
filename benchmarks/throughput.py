"""Pipeline's whole path beside the documented FastStream way, one process and two.

Kafka → lock and load → decide → PostgreSQL → outbox → Kafka, 1 KB events.
"""

from __future__ import annotations

from benchmarks.bench import Bench
from benchmarks.result import Result, Run
from benchmarks.workload import LINKED, NEW, Workload

ROW = "throughput"
OURS, PEER = 16_000, 300
AIM = 40.0
_NAMES = {
    (NEW, 1): "a new lead (owner, task, alert), one process",
    (LINKED, 1): "somebody known writes again, one process",
    (NEW, 2): "a new lead, two processes",
}


async def measure(bench: Bench) -> list[Result]:
    """All forms, `runs` times, the sides taking turns."""
    seen: dict[tuple[str, int], list[Run]] = {form: [] for form in _NAMES}
    for number in range(bench.runs):
        first = bench.people(OURS)
        for kind in (NEW, LINKED):
            pair = Run(
                *[
                    await side.measure(Workload.of(kind, bench.many(many), first))
                    for side, many in ((await bench.ours(), OURS), (await bench.peer(), PEER))
                ]
            )
            _told(bench, seen, (kind, 1), number, pair)
        pair = Run(
            await _joined(bench, 2 * OURS, ours=True), await _joined(bench, 4 * PEER, ours=False)
        )
        _told(bench, seen, (NEW, 2), number, pair)
    return [
        Result.of(ROW, _NAMES[form], "events/s", runs, beside="documented way", aim=AIM)
        for form, runs in seen.items()
    ]


async def _joined(bench: Bench, many: int, *, ours: bool) -> float:
    side = await (bench.ours() if ours else bench.peer())
    many = bench.many(many)
    return await side.measure_joined(Workload.of(NEW, many, bench.people(many)), 2)


def _told(
    bench: Bench,
    seen: dict[tuple[str, int], list[Run]],
    form: tuple[str, int],
    number: int,
    run: Run,
) -> None:
    seen[form].append(run)
    peer = run.peer or 0
    bench.say(f"run {number + 1}: {_NAMES[form]}: {run.ours:,.0f} and {peer:,.0f} events/s")
