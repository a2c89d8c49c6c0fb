"""A bench for toys in the test's own process: one toy, a topic to tell it things, and limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from pydantic import SecretStr

from shared.contract.envelope import Envelope
from shared.runtime import kafka, quarantine, topics
from shared.runtime.settings import Settings
from tests.toy.service import Toy, toy_topic, toy_topics

LIMIT_S = 15.0

# Unconfigured, structlog prints tracebacks with every local variable: seconds each.
structlog.configure(
    processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
    logger_factory=structlog.PrintLoggerFactory(),
)


class Bench:
    """`async with Bench(…) as bench`; everything it waits for has a limit."""

    def __init__(self, bootstrap: str, dsn: str, prefix: str, **settings: Any) -> None:
        self.settings = Settings(
            kafka=bootstrap,
            postgres=SecretStr(dsn),
            migrate=True,
            gate_margin_s=0.25,
            **settings,
        )
        self.name = prefix
        self.source = toy_topic(f"{prefix}in.events.v1")
        self._producer: AIOKafkaProducer | None = None
        self._toys: list[Toy] = []
        self._consumers: list[AIOKafkaConsumer] = []

    async def __aenter__(self) -> Self:
        await topics.apply(self.settings)
        await topics.apply(self.settings, [self.source, *toy_topics(self.name)])
        self._producer = kafka.producer(self.settings, client_id="b", request_timeout_ms=5000)
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for toy in self._toys:
            await toy.stop()
        for consumer in self._consumers:
            await consumer.stop()
        assert self._producer is not None
        await self._producer.stop()

    async def toy(self, **options: Any) -> Toy:
        """A started toy that reads the source; what was told before is its first batch."""
        toy = Toy(self.name, self.settings, [self.source], **options)
        await toy.start()
        self.adopt(toy)
        return toy

    def adopt(self, toy: Toy) -> None:
        """Stop `toy` at the end of the test."""
        self._toys.append(toy)

    async def leave(self, toy: Toy) -> None:
        """Stop `toy` now, in order; the next one made takes its place."""
        self._toys.remove(toy)
        await toy.stop()

    async def put(
        self, value: bytes | None, key: bytes, headers: Sequence[tuple[str, bytes | None]] = ()
    ) -> None:
        """Put bytes on the source."""
        assert self._producer is not None
        await self._producer.send_and_wait(self.source.name, value, key, headers=list(headers))

    async def tell(
        self, envelope: Envelope, headers: Sequence[tuple[str, bytes | None]] = ()
    ) -> None:
        """Put an event on the source."""
        await self.put(envelope.to_bytes(), envelope.subject.encode(), headers)

    async def told(self, many: int) -> list[tuple[str, str]]:
        """(subject, text) of all that took effect, once there are `many`."""
        query = "select subject, text from told order by place"
        return [(row[0], row[1]) for row in await self._rows(query, many)]

    async def told_of(self, subject: str, many: int) -> list[str]:
        """The texts of `subject`, once there are `many`."""
        rows = await self._rows(
            "select text from told where subject = $1 order by place", many, subject
        )
        return [row[0] for row in rows]

    async def letters(self, toy: Toy, many: int = 1, after: int = 0) -> list[dict[str, Any]]:
        """The dead letters past `after`, oldest first, once there are `many`."""
        letters: list[dict[str, Any]] = []

        async def found() -> bool:
            async with toy.postgres.transaction() as tx:
                letters[:] = [q for q in await quarantine.listed(tx) if q["id"] > after]
            return len(letters) >= many

        await until(found, f"{many} dead letters")
        return letters[::-1]

    async def parked(self, toy: Toy, many: int) -> None:
        """Wait until exactly so many events are parked."""

        async def so_many() -> bool:
            return bool(await toy.postgres.pool.fetchval("select count(*) from parked") == many)

        await until(so_many, f"{many} parked events")

    async def dead_letter(self) -> ConsumerRecord[bytes, bytes]:
        """The first record of the dead letters' topic."""
        return (await self.records(f"{self.name}.dead-letters.v1", 1))[0]

    async def records(self, topic: str, many: int) -> list[ConsumerRecord[bytes, bytes]]:
        """The first `many` records of a topic."""
        consumer = AIOKafkaConsumer(
            topic,
            **kafka.connection(self.settings),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self._consumers.append(consumer)
        await consumer.start()
        async with asyncio.timeout(LIMIT_S):
            return [await consumer.getone() for _ in range(many)]

    async def _rows(self, query: str, many: int, *values: object) -> list[Any]:
        rows: list[Any] = []

        async def enough() -> bool:
            rows[:] = await self._toys[0].postgres.pool.fetch(query, *values)
            return len(rows) >= many

        await until(enough, f"{many} rows of {query!r}")
        return rows


async def until(holds: Callable[[], Awaitable[bool]], what: str, limit_s: float = LIMIT_S) -> None:
    """Poll until `holds()`; past the limit say what did not come."""
    limit = monotonic() + limit_s
    while not await holds():
        assert monotonic() < limit, f"waited {limit_s:.0f} s for {what}"
        await asyncio.sleep(0.01)
