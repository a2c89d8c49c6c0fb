"""The relay: one elected member publishes the service's outbox, in order (`runtime.md` 16, 19)."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from shared.runtime import kafka, metrics
from shared.runtime.activity import Activity
from shared.runtime.moment import happens
from shared.runtime.outbox import headers_from_json
from shared.runtime.postgres import Postgres, Session, is_bad_luck, pause_s
from shared.runtime.settings import Settings

log = structlog.get_logger(__name__)

_BATCH = 500
_POLL_S = 0.05
_PING_S = 1.0
_ELECTION_S = 1.0
_SELECT = "select id, topic, key, value, headers from outbox order by id limit 500"
_DELETE = "delete from outbox where id = any($1::bigint[])"


def lock_key(service: str, what: str) -> int:
    """The advisory lock's number of `relance/<service>/<what>`."""
    digest = hashlib.blake2b(f"relance/{service}/{what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class Relay:
    """Publishes while it holds the lock; its session dies with it, and another takes over.

    A crash between publish and delete repeats rows; readers drop them by sequence (19).
    """

    def __init__(self, service: str, settings: Settings, postgres: Postgres, activity: Activity):
        self.wake = asyncio.Event()
        self.is_elected = False
        self._service = service
        self._settings = settings
        self._postgres = postgres
        self._activity = activity
        self._producer: AIOKafkaProducer | None = None

    async def run(self) -> None:
        """Be elected, publish, lose the lock, begin again: for ever."""
        failures = 0
        try:
            while True:
                try:
                    await self._lead()
                except Exception as error:
                    log.warning("relay begins again", error=repr(error), luck=is_bad_luck(error))
                    await self._drop_producer()
                    await asyncio.sleep(pause_s(failures))
                    failures += 1
                else:
                    failures = 0
        finally:
            await self._drop_producer()

    async def drained(self) -> bool:
        """Whether nothing is left to publish."""
        return not await self._postgres.pool.fetchval("select exists (select 1 from outbox)")

    async def _lead(self) -> None:
        # The lock lives in a session of its own, which the server ends five seconds after it
        # heard the last of us: a paused relay loses its lock, and then its rows.
        session = await self._postgres.session(idle_session_timeout="5s")
        try:
            while not await session.fetchval(  # noqa: ASYNC110 - the server tells
                "select pg_try_advisory_lock($1)", lock_key(self._service, "relay")
            ):
                await asyncio.sleep(_ELECTION_S)
            log.info("relay elected")
            self._elected(is_elected=True)
            await self._publish_for_ever(session)
        finally:
            self._elected(is_elected=False)
            session.terminate()

    async def _publish_for_ever(self, session: Session) -> None:
        while True:
            self.wake.clear()
            rows = await session.fetch(_SELECT)
            metrics.OUTBOX_DEPTH.set(len(rows))
            if rows:
                with self._activity.of("relay"):
                    await self._publish(session, rows)
            if len(rows) < _BATCH:
                await happens(self.wake, _POLL_S)

    async def _publish(self, session: Session, rows: Sequence[asyncpg.Record]) -> None:
        producer = await self._connected()
        sent = await _send(producer, rows)
        waiting = set(sent)
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=_PING_S)
            if waiting:
                await session.execute("select 1")  # keeps the lock while Kafka is slow
        for future in sent:
            future.result()
        await session.execute(_DELETE, [row["id"] for row in rows])
        for topic in {row["topic"] for row in rows}:
            many = sum(row["topic"] == topic for row in rows)
            metrics.OUTBOX_PUBLISHED.labels(topic=topic).inc(many)

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = kafka.producer(
                self._settings,
                client_id=f"relance-{self._service}-relay",
                request_timeout_ms=10_000,
            )
            await self._producer.start()
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), 2)
        except Exception as error:
            log.info("producer not closed in order", error=repr(error))

    def _elected(self, *, is_elected: bool) -> None:
        self.is_elected = is_elected
        metrics.RELAY_ELECTED.set(is_elected)


async def _send(
    producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
) -> list[asyncio.Future[object]]:
    """Hand the rows over, each partition's in order, as whole batches: one future a batch.

    `producer.send` makes a future, and looks for the partition, for each record: three times the
    work.
    """
    sent: list[asyncio.Future[object]] = []
    for (topic, partition), records in (await _by_partition(producer, rows)).items():
        batch = producer.create_batch()
        for record in records:
            if batch.append(timestamp=None, **record) is None:  # full
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, **record)
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent


async def _by_partition(
    producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """The records of each (topic, partition), in the order of the rows."""
    places = {topic: await producer.partitions_for(topic) for topic in {r["topic"] for r in rows}}
    every = {topic: tuple(sorted(partitions)) for topic, partitions in places.items()}
    records: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        topic, key, headers = row["topic"], row["key"], row["headers"]
        records[topic, kafka.partition(key, every[topic])].append(
            {
                "key": key,
                "value": row["value"],
                "headers": list(headers_from_json(headers) if headers else kafka.EVENT_HEADERS),
            }
        )
    return records
