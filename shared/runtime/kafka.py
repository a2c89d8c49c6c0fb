"""Kafka: every client option spelled out once, and what a record is to us."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from shared.contract.envelope import CONTENT_TYPE
from shared.contract.topics import MIB
from shared.runtime.position import Range
from shared.runtime.settings import Settings

Headers = Sequence[tuple[str, bytes | None]]
EVENT_HEADERS: Headers = (("content-type", f"{CONTENT_TYPE}; charset=UTF-8".encode()),)

MAX_RECORDS = 500
"""A batch, at most."""

REBALANCE_TIMEOUT_MS = 60_000
HEARTBEAT_MS = 1_000
"""By it members learn that partitions are handed out anew; nobody reads those meanwhile."""


class Record(Protocol):
    """A record as it lies on a topic; aiokafka's own has this shape."""

    @property
    def topic(self) -> str: ...  # noqa: D102 - a field, as are the others
    @property
    def partition(self) -> int: ...  # noqa: D102
    @property
    def offset(self) -> int: ...  # noqa: D102
    @property
    def key(self) -> bytes | None: ...  # noqa: D102
    @property
    def value(self) -> bytes | None: ...  # noqa: D102
    @property
    def headers(self) -> Headers: ...  # noqa: D102


def connection(settings: Settings) -> dict[str, Any]:
    """How every client reaches the cluster."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka,
        "security_protocol": settings.kafka_security,
        "request_timeout_ms": 10_000,
        "metadata_max_age_ms": 60_000,
        "retry_backoff_ms": 100,
        "connections_max_idle_ms": 540_000,
    }
    if settings.kafka_security.endswith("SSL"):
        ca = str(settings.kafka_ca) if settings.kafka_ca else None
        options["ssl_context"] = ssl.create_default_context(cafile=ca)
    if settings.kafka_security.startswith("SASL"):
        password = settings.kafka_password
        options |= {
            "sasl_mechanism": settings.kafka_sasl_mechanism,
            "sasl_plain_username": settings.kafka_user,
            "sasl_plain_password": password.get_secret_value() if password else None,
        }
    return options


def broker(settings: Settings, service: str) -> KafkaBroker:
    """FastStream's broker, for consuming only; it makes no topics and validates nothing."""
    options = connection(settings)
    return KafkaBroker(
        settings.kafka.split(","),  # one text would be one address to FastStream
        security=_security(settings, options.get("ssl_context")),
        client_id=f"relance-{service}",
        request_timeout_ms=options["request_timeout_ms"],
        metadata_max_age_ms=options["metadata_max_age_ms"],
        retry_backoff_ms=options["retry_backoff_ms"],
        connections_max_idle_ms=options["connections_max_idle_ms"],
        allow_auto_create_topics=False,
        consumer_only=True,
        apply_types=False,
        graceful_timeout=10.0,
        logger=_quiet_logger(),
    )


def _quiet_logger() -> logging.Logger:
    """FastStream's own logger prints by itself; a name of ours goes through our handlers."""
    logger = logging.getLogger(f"{__name__}.faststream")
    logger.setLevel(logging.ERROR)
    return logger


def _security(settings: Settings, ssl_context: ssl.SSLContext | None) -> BaseSecurity | None:
    if not settings.kafka_security.startswith("SASL"):
        return BaseSecurity(ssl_context=ssl_context) if ssl_context else None
    kind = {
        "PLAIN": SASLPlaintext,
        "SCRAM-SHA-256": SASLScram256,
        "SCRAM-SHA-512": SASLScram512,
    }[settings.kafka_sasl_mechanism]
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
    return kind(
        username=settings.kafka_user or "",
        password=password,
        ssl_context=ssl_context,
        use_ssl=ssl_context is not None,
    )


def subscriber_options(settings: Settings, member: int = 0) -> dict[str, Any]:
    """Options of a batch subscriber (`runtime.md` 1); `member`: one of several of its group in
    this process, whose names must differ."""
    session_ms = int(settings.kafka_session_s * 1000)
    named = settings.member if member == 0 else settings.member and f"{settings.member}.{member}"
    return {
        "group_instance_id": named,
        "max_records": MAX_RECORDS,
        "batch_timeout_ms": 50,
        "auto_offset_reset": "earliest",
        "session_timeout_ms": session_ms,
        "rebalance_timeout_ms": REBALANCE_TIMEOUT_MS,
        "heartbeat_interval_ms": HEARTBEAT_MS,
        "max_poll_interval_ms": 300_000,
        "fetch_max_wait_ms": 500,
        "fetch_min_bytes": 1,
        "fetch_max_bytes": 50 * MIB,
        "max_partition_fetch_bytes": 8 * MIB,
        "check_crcs": True,
        "isolation_level": "read_uncommitted",  # we write no Kafka transactions
        "exclude_internal_topics": True,
    }


def leave_at_stop(client: AIOKafkaConsumer) -> None:
    """Have a member with a name leave its group, too, when it is stopped (decision 23).

    aiokafka keeps the name's place, as after a crash: the others would wait for the session's end.
    """
    client._coordinator._group_instance_id = None  # there is no public way


def producer(settings: Settings, *, client_id: str, request_timeout_ms: int) -> AIOKafkaProducer:
    """A producer that Kafka itself keeps from repeating and reordering; not started yet."""
    options = connection(settings) | {"request_timeout_ms": request_timeout_ms}
    return AIOKafkaProducer(
        **options,
        client_id=client_id,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=MIB // 2,
        max_request_size=8 * MIB,
        compression_type=None,
        partitioner=_partition,
    )


class Ends:
    """Asks where logs end, on a connection of its own: a fetch may block the others for 0.5 s."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AIOKafkaConsumer | None = None

    async def start(self) -> None:
        """Connect."""
        client = reader(self._settings)
        try:
            await client.start()
        except BaseException:
            await client.stop()
            raise
        self._client = client  # not before it can answer: readiness asks while it starts

    async def stop(self) -> None:
        """Close, if it was connected."""
        if self._client is not None:
            await self._client.stop()

    async def of(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Where the log of each partition ends now."""
        if not partitions or self._client is None:
            return {}
        ends: dict[TopicPartition, int] = await self._client.end_offsets(list(partitions))
        return ends

    async def range_of(self, partition: TopicPartition) -> Range | None:
        """What Kafka has of the partition now; None while it cannot be asked."""
        if self._client is None:
            return None
        try:
            begins = await self._client.beginning_offsets([partition])
            ends = await self._client.end_offsets([partition])
        except KafkaError:
            return None
        return Range(begins[partition], ends[partition])

    async def of_filled(self, partition: TopicPartition) -> int:
        """Where the partition's log ends, or 0 if nothing lies on it."""
        if self._client is None:
            return 0
        begins = await self._client.beginning_offsets([partition])
        ends = await self._client.end_offsets([partition])
        return int(ends[partition]) if ends[partition] > begins[partition] else 0


def reader(settings: Settings) -> AIOKafkaConsumer:
    """A consumer without a group, for whoever reads a topic whole or asks for offsets."""
    return AIOKafkaConsumer(
        **connection(settings),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * MIB,
    )


def admin(settings: Settings) -> AIOKafkaAdminClient:
    """An administrator; not started yet."""
    options = connection(settings)
    return AIOKafkaAdminClient(**options)


_murmur = DefaultPartitioner()


def partition(key: bytes | None, every: tuple[int, ...]) -> int:
    """Where every Kafka client puts the key, of the partitions `every`, which are sorted."""
    if key is None:
        chosen: int = _murmur(None, list(every), list(every))
        return chosen
    return _partition_of(key, every)


@lru_cache(maxsize=65_536)
def _partition_of(key: bytes, every: tuple[int, ...]) -> int:
    """Hashed in pure Python, so remembered."""
    chosen: int = _murmur(key, list(every), [])
    return chosen


def _partition(key: bytes | None, every: list[int], _: list[int]) -> int:
    return partition(key, tuple(sorted(every)))


def headers_as_text(headers: Mapping[str, str | int]) -> list[tuple[str, bytes | None]]:
    """Our own headers, as Kafka wants them."""
    return [(name, str(value).encode()) for name, value in headers.items()]
