"""The confirmed producer: a send is done when Kafka has it safe (`runtime.md` 20). For intake."""

from __future__ import annotations

import asyncio

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contract.envelope import Envelope
from shared.contract.topics import Topic
from shared.runtime import failpoint, kafka, metrics
from shared.runtime.activity import Activity
from shared.runtime.kafka import Headers
from shared.runtime.settings import Settings

log = structlog.get_logger(__name__)

LIMIT_S = 5.0
_FAILURES_BEFORE_A_NEW_ONE = 3
_FLUSH_S = 10.0


class NotConfirmed(Exception):
    """Not known to be accepted, may still take effect once: answer 503; a retry has the same id."""


class ConfirmedProducer:
    """Idempotent, `acks=all`; it would never give a batch up by itself: hence our own limit."""

    def __init__(self, settings: Settings, activity: Activity) -> None:
        self._settings = settings
        self._activity = activity
        self._producer: AIOKafkaProducer | None = None
        self._failures = 0
        self._replacing = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect."""
        self._producer = await self._connected()

    async def send_event(self, topic: Topic, envelope: Envelope, key: str) -> tuple[int, int]:
        """Send an event of ours; return (partition, offset). Raises `NotConfirmed`."""
        return await self.send(topic.name, key=key.encode(), value=envelope.to_bytes())

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes,
        headers: Headers = kafka.EVENT_HEADERS,
    ) -> tuple[int, int]:
        """Send one record; return (partition, offset) once it is safe. Raises `NotConfirmed`."""
        producer = self._producer
        with self._activity.of("send"), metrics.CONFIRMED_SEND_SECONDS.labels(topic=topic).time():
            try:
                async with asyncio.timeout(LIMIT_S):
                    future = await _open(producer).send(topic, value, key, headers=list(headers))
                    # Shielded: cancelling would not unsend it.
                    told = await asyncio.shield(future)
            except (TimeoutError, KafkaError, NotConfirmed) as error:
                metrics.CONFIRMED_SEND_FAILURES.inc()
                await self._failed(producer)
                raise NotConfirmed("Kafka has not acknowledged it; please try again.") from error
            failpoint.here("doors.acknowledged")
            self._failures = 0
            return told.partition, told.offset

    async def stop(self) -> None:
        """Wait at most 10 s for what is on its way."""
        for task in tuple(self._leaving):
            task.cancel()
        producer, self._producer = self._producer, None
        if producer is not None:
            await _close(producer)

    async def _connected(self) -> AIOKafkaProducer:
        producer = kafka.producer(
            self._settings, client_id="relance-doors", request_timeout_ms=int(LIMIT_S * 1000)
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _failed(self, used: AIOKafkaProducer | None) -> None:
        """After three failures in a row a new producer: the old one may be stuck for good."""
        self._failures += 1
        if self._failures < _FAILURES_BEFORE_A_NEW_ONE or self._replacing.locked():
            return
        async with self._replacing:
            if used is not self._producer:
                return  # replaced meanwhile
            try:
                async with asyncio.timeout(LIMIT_S):
                    fresh = await self._connected()
            except (TimeoutError, KafkaError, OSError) as error:
                log.warning("no new producer yet", error=repr(error))
                return
            self._producer, self._failures = fresh, 0
            if used is not None:
                task = asyncio.create_task(_close(used))
                self._leaving.add(task)
                task.add_done_callback(self._leaving.discard)


def _open(producer: AIOKafkaProducer | None) -> AIOKafkaProducer:
    if producer is None:
        raise NotConfirmed("Kafka is not connected.")
    return producer


async def _close(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), _FLUSH_S)
    except TimeoutError:
        log.warning("records may be unsent: Kafka did not take them within 10 s")
