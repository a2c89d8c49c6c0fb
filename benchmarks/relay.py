"""The relay: how many rows a second it drains, and how long a row takes at 500 a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.bench import Bench
from benchmarks.percentile import percentile
from benchmarks.result import Result, Run
from shared.contract.topics import PIPELINE
from shared.runtime import kafka, outbox
from shared.runtime.activity import Activity
from shared.runtime.outbox import Message
from shared.runtime.postgres import Postgres
from shared.runtime.relay import Relay
from shared.runtime.settings import Settings

ROW = "relay"
ROWS, PER_S, FOR_S = 30_000, 500, 4
_LOOK_S = 0.005
_BYTES = 1_000

# Of as many subjects as leads would be: six rows each.
_FILL = """
insert into outbox (topic, key, value)
select $1, convert_to('lead-' || (n / 6)::text, 'UTF8'), convert_to(repeat('x', $3), 'UTF8')
from generate_series(1, $2) as n
"""


async def measure(bench: Bench) -> list[Result]:
    """In this process, with nothing beside it."""
    side = await bench.ours()
    settings = Settings(kafka=side.kafka)
    postgres = Postgres(side.dsn, "pipeline")
    await postgres.open(20)
    drained: list[Run] = []
    median: list[Run] = []
    worst: list[Run] = []
    try:
        for number in range(bench.runs):
            drained.append(Run(await _drained(settings, postgres, bench.many(ROWS))))
            waits_ms = await _waits_ms(settings, postgres)
            median.append(Run(percentile(waits_ms, 50)))
            worst.append(Run(percentile(waits_ms, 99)))
            bench.say(
                f"run {number + 1}: {drained[-1].ours:,.0f} rows/s; at {PER_S}/s "
                f"p50 {median[-1].ours:.1f} ms, p99 {worst[-1].ours:.1f} ms"
            )
    finally:
        await postgres.close()
    return [
        Result.of(ROW, "the relay drains", "rows/s", drained),
        Result.of(ROW, f"commit to Kafka at {PER_S}/s, p50", "ms", median, less=True),
        Result.of(ROW, f"commit to Kafka at {PER_S}/s, p99", "ms", worst, less=True),
    ]


async def _drained(settings: Settings, postgres: Postgres, rows: int) -> float:
    """Rows a second, from the election to the last row's deletion."""
    await postgres.pool.execute(_FILL, PIPELINE.name, rows, _BYTES)
    async with _running(settings, postgres) as relay:
        began_s = perf_counter()
        while not await relay.drained():  # noqa: ASYNC110 - a table tells
            await asyncio.sleep(_LOOK_S)
        return rows / (perf_counter() - began_s)


async def _waits_ms(settings: Settings, postgres: Postgres) -> list[float]:
    """From a row's commit until a consumer has it, one transaction a row."""
    many = PER_S * FOR_S
    async with _running(settings, postgres) as relay, _reader(settings) as reader:
        reading = asyncio.create_task(_read(reader, many))
        began_s = perf_counter()
        for number in range(many):
            await asyncio.sleep(max(0.0, began_s + number / PER_S - perf_counter()))
            async with postgres.transaction() as tx:
                said = json.dumps({"at": perf_counter(), "x": "x" * _BYTES}).encode()
                await outbox.store(tx, [Message(PIPELINE.name, uuid4().bytes, said)])
            relay.wake.set()
        return await asyncio.wait_for(reading, 60)


async def _read(reader: AIOKafkaConsumer, many: int) -> list[float]:
    waits: list[float] = []
    while len(waits) < many:
        for records in (await reader.getmany(timeout_ms=1_000)).values():
            now_s = perf_counter()
            waits += [(now_s - json.loads(record.value)["at"]) * 1_000 for record in records]
    return waits


@asynccontextmanager
async def _running(settings: Settings, postgres: Postgres) -> AsyncIterator[Relay]:
    """An elected relay."""
    relay = Relay("pipeline", settings, postgres, Activity())
    task = asyncio.create_task(relay.run())
    try:
        async with asyncio.timeout(20):
            while not relay.is_elected:  # noqa: ASYNC110 - it has a flag only
                await asyncio.sleep(_LOOK_S)
        yield relay
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer at the topic's end."""
    reader = kafka.reader(settings)
    await reader.start()
    try:
        reader.assign([TopicPartition(PIPELINE.name, n) for n in range(PIPELINE.partitions)])
        await reader.seek_to_end()
        yield reader
    finally:
        await reader.stop()
