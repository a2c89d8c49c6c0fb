"""How far pipeline is from what its PostgreSQL could do: the very statements, bare.

Each batch is decided once in a transaction that is rolled back, its statements and their
arguments kept; then they run with nothing between them. Of the whole path that leaves out Kafka
on both ends, decoding, deciding, writing JSON, and what the relay does to the outbox.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from types import SimpleNamespace
from typing import Any, cast

from benchmarks.bench import Bench
from benchmarks.result import Result, Run
from benchmarks.workload import LINKED, NEW, Workload
from relance import directory
from relance.stack.stack import RULEBOOK
from services.pipeline.handlers import subscriptions
from shared.contract.topics import INTAKE
from shared.domain.directory import Directory
from shared.runtime import decoder, rulebook_folder
from shared.runtime.batch import Batch
from shared.runtime.companies import Companies, Company
from shared.runtime.decoder import Item
from shared.runtime.postgres import Postgres, Transaction
from shared.runtime.subscription import Subscription

ROW = "limit"
MANY, AT_ONCE = 16_000, 500
AIM = 0.5
_NAMES = {NEW: "a new lead, distance to the limit", LINKED: "writes again, distance to the limit"}

Statement = tuple[str, tuple[object, ...], Mapping[str, object]]
"""How it is asked for (`fetch`, …), and with what."""


class _Recorder:
    """A transaction that keeps what it is told to do."""

    def __init__(self, tx: Transaction) -> None:
        self.statements: list[Statement] = []
        self._tx = tx

    def __getattr__(self, name: str) -> Any:
        does = getattr(self._tx, name)
        if name not in ("execute", "fetch", "fetchval", "fetchrow", "copy_records_to_table"):
            return does

        async def kept(*arguments: object, **named: object) -> object:
            self.statements.append((name, arguments, named))
            return await does(*arguments, **named)

        return kept


async def measure(bench: Bench) -> list[Result]:
    """Both workloads, ours and bare taking turns."""
    side, subscription = await bench.ours(), _subscription()
    seen: dict[str, list[Run]] = {NEW: [], LINKED: []}
    postgres = Postgres(side.dsn, "pipeline")
    await postgres.open(20)
    try:
        for number in range(bench.runs):
            many = bench.many(MANY)
            ours, bare = bench.people(many), bench.people(many)
            for kind, runs in seen.items():
                whole = await side.measure(Workload.of(kind, many, ours))
                limit = await _bare(postgres, subscription, Workload.of(kind, many, bare))
                # Or the next process would publish what the bare statements wrote there.
                await postgres.pool.execute("truncate outbox")
                runs.append(Run(whole, limit))
                bench.say(f"run {number + 1}: {_NAMES[kind]}: {whole:,.0f} of {limit:,.0f}")
    finally:
        await postgres.close()
    return [
        Result.of(ROW, _NAMES[kind], "events/s", runs, beside="bare SQL, by 500", aim=AIM)
        for kind, runs in seen.items()
    ]


async def _bare(postgres: Postgres, subscription: Subscription, workload: Workload) -> float:
    """Events a second of the bare statements."""
    items = [_item(event.to_bytes()) for event in workload.events()]
    took_s = 0.0
    for start in range(0, len(items), AT_ONCE):
        statements = await _recorded(postgres, subscription, items[start : start + AT_ONCE])
        began_s = perf_counter()
        async with postgres.transaction() as tx:
            for name, arguments, named in statements:
                await getattr(tx, name)(*arguments, **named)
        took_s += perf_counter() - began_s
    return len(items) / took_s


async def _recorded(
    postgres: Postgres, subscription: Subscription, items: Sequence[Item]
) -> list[Statement]:
    """What the batch would do, which is then undone."""
    async with postgres.pool.acquire() as session:
        undone = session.transaction()
        await undone.start()
        try:
            recorder = _Recorder(session)
            await Batch("pipeline", subscription, cast("Transaction", recorder)).take(items)
        finally:
            await undone.rollback()
    return recorder.statements


def _subscription() -> Subscription:
    book = rulebook_folder.read(RULEBOOK)
    company = Company(book, Directory.of(directory.read(RULEBOOK / "directory.toml")))
    companies = Companies({book.tenant: company})

    async def known(_: Transaction) -> Companies:
        return companies

    return next(s for s in subscriptions(known, b"key") if s.topic == INTAKE)


def _item(value: bytes) -> Item:
    """As if it had come from Kafka."""
    record = SimpleNamespace(
        topic=INTAKE.name, partition=0, offset=0, key=None, value=value, headers=()
    )
    return decoder.read(record, INTAKE)
