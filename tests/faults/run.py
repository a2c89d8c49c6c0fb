"""`make faults`: every fault in its long form, a row each, until time is up.

`ARGS="--only kafka --only disk --on toy --minutes 10 --seed 7"`. Each row that was run takes its
place in the table as soon as it is done; `--quick` is a rehearsal and keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

from relance.stack.kafka import Kafka
from relance.stack.kafka_jars import Say
from relance.stack.postgres import Postgres
from tests.faults import office_lost_positions, row
from tests.faults.ground import api_keys, burning_stack, expected_messages, seed
from tests.faults.office import Ground
from tests.faults.office_faults import FAULTS, Fault
from tests.faults.office_visit import visit
from tests.faults.proxied import PROXIED, visit_by_proxy
from tests.faults.row import HEAD, Row
from tests.faults.scourge import Plague
from tests.faults.scourges import INPUTS, INPUTS_PER_S, kills, scourges
from tests.faults.small_disk import NoSmallDisk
from tests.faults.small_disk_visit import DISKS
from tests.stack import temporary_home


@dataclass
class Run:
    """What is asked for, and what came of it."""

    only: list[str]
    minutes: float
    seed: int
    quick: bool
    at_most: int
    skip: list[str]
    rows: list[Row]
    not_run: dict[str, str]
    wrong: list[str]
    began: float

    def asks_for(self, name: str) -> bool:
        """Whether this row is asked for."""
        if self.only and not any(part.lower() in name.lower() for part in self.only):
            return False
        return not any(part.lower() in name.lower() for part in self.skip)

    def wants(self, name: str) -> bool:
        """Whether this row is asked for and there is time for it."""
        if not self.asks_for(name):
            return False
        if monotonic() - self.began > 60 * self.minutes:
            self.not_run[name] = "no time was left"
            return False
        return True

    def as_asked(self, fault: Fault) -> Fault:
        """All of it, or a rehearsal."""
        if self.quick:
            return replace(fault, times=min(fault.times, 2), events=min(fault.events, 2_000))
        return replace(fault, times=min(fault.times, self.at_most))

    async def take(self, name: str, work: Callable[[], Awaitable[Row]]) -> None:
        """Do one row; whatever goes wrong is told, and the others go on."""
        if not self.wants(name):
            return
        try:
            done = await work()
        except NoSmallDisk as error:
            self.not_run[name] = str(error)
        except Exception as error:
            self.wrong.append(f"{name}: {type(error).__name__}: {error}")
            say(f"{name:<46}WRONG: {type(error).__name__}: {str(error)[:300]}")
        else:
            self.add(done)

    def add(self, done: Row) -> None:
        """One more row."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.rows.append(replace(done, at=now))
        say(done.as_line() + ("" if done.ok else f"  {done.note}"))
        if not self.quick:  # at once: what comes later may break
            row.keep(self.rows, {"seed": self.seed, "cpus": os.cpu_count()}, order())
        if not done.ok:
            self.wrong.append(f"{done.fault}: {done.note}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@asynccontextmanager
async def grounds(brokers: int = 1, kafka: Kafka | None = None) -> AsyncIterator[Ground]:
    """Kafka and PostgreSQL of their own."""
    home = temporary_home()
    kafka = kafka or Kafka(home, say=_silent, brokers=brokers)
    postgres = Postgres(home)
    try:
        await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))
        yield Ground(kafka, postgres, "relance", Path(tempfile.mkdtemp(prefix="relance-office-")))
    finally:
        await asyncio.gather(asyncio.to_thread(kafka.kill), asyncio.to_thread(postgres.stop))
        home.remove()


LOSSES_OF_POSITIONS = {
    "retention overtook the reader": (office_lost_positions.overtaken, False),
    "topic made anew, shorter, under the reader": (office_lost_positions.made_anew, True),
}
_silent: Say = lambda _: None  # noqa: E731 - it is a value


def order() -> list[tuple[str, str]]:
    """The table's rows: name, and what they are on."""
    return [
        *((fault.name, "toy") for fault in FAULTS),
        *((answers.name, "toy") for answers in PROXIED),
        *((disk.name, "toy") for disk in DISKS),
        *((each, "toy") for each in LOSSES_OF_POSITIONS),
        *((each.name, "whole") for each in scourges(kills())),
    ]


def name() -> str:
    """Of an office: topics, schema and group are named after it."""
    return f"o{uuid.uuid4().hex[:8]}"


async def toys(run: Run) -> None:
    """Rows on offices; those with the same brokers share them."""
    for brokers in (1, 3):
        mine = [f for f in FAULTS if f.brokers == brokers]
        if not any(run.asks_for(fault.name) for fault in mine):
            continue
        async with grounds(brokers) as ground:
            for fault in mine:
                await run.take(fault.name, _of(ground, run.as_asked(fault), run.seed))
    await _positions(run)
    for proxied in PROXIED:
        await run.take(proxied.name, partial(visit_by_proxy, proxied, name(), run.seed))
    for disk in DISKS:
        await run.take(disk.name, partial(disk.visit, name(), run.seed))


async def _positions(run: Run) -> None:
    if not any(map(run.asks_for, LOSSES_OF_POSITIONS)):
        return
    async with grounds() as ground:
        for told, (loss, at_work) in LOSSES_OF_POSITIONS.items():
            await run.take(
                told,
                partial(office_lost_positions.visit, ground, name(), told, loss, at_work=at_work),
            )


def _of(ground: Ground, fault: Fault, number: int) -> Callable[[], Awaitable[Row]]:
    return lambda: visit(ground, name(), fault, number)


async def whole(run: Run) -> None:
    """Rows on the whole system: one stack, scourge after scourge, all books kept together."""
    wanted = [each for each in scourges(8 if run.quick else kills()) if run.wants(each.name)]
    if not wanted:
        return
    with burning_stack() as stack:
        plague = Plague(stack, await api_keys(stack), run.seed)
        for scourge in wanted:
            if not run.wants(scourge.name):
                continue
            try:
                done = await plague.visit(scourge, at_least=INPUTS, per_s=INPUTS_PER_S)
            except Exception as error:
                run.wrong.append(f"{scourge.name}: {type(error).__name__}: {error}")
                break  # what the stack is like now, nobody knows
            run.add(done)
            assert plague.verdict is not None
            if not done.ok:
                say(plague.verdict.first_findings())
        assert plague.verdict is not None
        expected = await expected_messages(stack, plague.verdict.ledgers)
        if plague.verdict.ledgers.messages.keys() != expected:
            run.wrong.append("the messages are not those that the requests ask for")


async def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="part of a row's name")
    parser.add_argument("--minutes", type=float, default=60, help="begin no row after so long")
    parser.add_argument("--seed", type=int, default=seed())
    parser.add_argument("--quick", action="store_true", help="each row twice at most: a rehearsal")
    parser.add_argument("--at-most", type=int, default=1_000, help="times for each row of toys")
    parser.add_argument("--skip", action="append", default=[], help="part of a row's name")
    parser.add_argument("--on", choices=("toy", "whole"), help="only rows on these")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of each try
    run = Run(
        given.only,
        given.minutes,
        given.seed,
        given.quick,
        given.at_most,
        given.skip,
        [],
        {},
        [],
        monotonic(),
    )
    say(f"seed {run.seed}\n{HEAD}")
    for on, part in (("toy", toys), ("whole", whole)):
        if given.on in (None, on):
            await part(run)
    minutes = (monotonic() - run.began) / 60
    say(f"{minutes:.1f} minutes; not run: {', '.join(run.not_run) or 'none'}")
    for wrong in run.wrong:
        say(f"WRONG: {wrong}")
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
