"""What intake set aside: it has no database, so its dead letters are read from their topic.

They are the sender's to mend and to send again; none is redriven.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from relance.database import CannotDo
from shared.contract.topics import DEAD_LETTERS
from shared.runtime import kafka as clients
from shared.runtime.settings import Settings

SERVICE = "intake"
LATEST = 20
_AT = TopicPartition(DEAD_LETTERS[SERVICE].name, 0)
_POLL_MS = 200


@dataclass(frozen=True, slots=True)
class IntakeLetter:
    """One input that could not be used; `number` is its offset on the topic."""

    number: int
    since: datetime
    source: str
    door: str
    why: str
    value: bytes


async def latest(bootstrap: str) -> tuple[list[IntakeLetter], int]:
    """The latest letters, oldest first, and how many lie before them. Raises `CannotDo`."""
    async with _reader(bootstrap) as (consumer, begin, end):
        first = max(begin, end - LATEST)
        consumer.seek(_AT, first)
        letters: list[IntakeLetter] = []
        while await consumer.position(_AT) < end:
            found = await consumer.getmany(_AT, timeout_ms=_POLL_MS)
            letters += [_letter(record) for record in found.get(_AT, ())]
        return letters, first - begin


async def one(bootstrap: str, number: int) -> IntakeLetter | None:
    """The letter with this number, or None. Raises `CannotDo`."""
    async with _reader(bootstrap) as (consumer, begin, end):
        if not begin <= number < end:
            return None
        consumer.seek(_AT, number)
        return _letter(await consumer.getone(_AT))


@asynccontextmanager
async def _reader(bootstrap: str) -> AsyncIterator[tuple[AIOKafkaConsumer, int, int]]:
    """A consumer of the topic, with the offsets where it begins and ends."""
    consumer = clients.reader(Settings(kafka=bootstrap))
    try:
        await consumer.start()
        if _AT.topic not in await consumer.topics():
            raise CannotDo(f"Kafka at {bootstrap} has no {_AT.topic}: start the services once.")
        consumer.assign([_AT])
        begin = (await consumer.beginning_offsets([_AT]))[_AT]
        yield consumer, begin, (await consumer.end_offsets([_AT]))[_AT]
    except (KafkaError, OSError) as error:
        raise CannotDo(
            f"Kafka does not answer at {bootstrap} ({type(error).__name__}). "
            "Is the stack running (`make up`)? Another address is given by RELANCE_KAFKA."
        ) from error
    finally:
        await consumer.stop()


def _letter(record: ConsumerRecord) -> IntakeLetter:
    about = {name: value.decode(errors="replace") for name, value in record.headers}
    return IntakeLetter(
        number=record.offset,
        since=datetime.fromtimestamp(record.timestamp / 1000, UTC),
        source=about.get("relance-source", "unknown"),
        door=about.get("relance-topic", about.get("relance-door", "unknown")),
        why=about.get("relance-why", ""),
        value=record.value or b"",
    )
