"""The directory, as each service holds it: a table, or (without a database) memory (rule 22)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contract.directory import KINDS, Document, key_of, kind_of
from shared.contract.topics import DIRECTORY
from shared.domain.directory import Directory
from shared.runtime import decoder, kafka, quarantine, watermark
from shared.runtime.activity import Activity
from shared.runtime.decoder import Item
from shared.runtime.effect import pause
from shared.runtime.kafka import Record
from shared.runtime.postgres import Postgres, Transaction, Unavailable, is_bad_luck
from shared.runtime.settings import Settings

log = structlog.get_logger(__name__)

_STORE = """
insert into directory (tenant, kind, id, document, record) values ($1, $2, $3, $4, $5)
on conflict (tenant, kind, id) do update set document = excluded.document, record = excluded.record
where directory.record < excluded.record
"""


class DirectoryTable:
    """The copy in the service's schema, written in the consumer's transaction."""

    def __init__(self, service: str, postgres: Postgres, stopping: asyncio.Event) -> None:
        self._service = service
        self._postgres = postgres
        self._stopping = stopping
        self._read_to: int | None = None
        self._directory = Directory()
        self.waiting = False

    async def __call__(self, records: Sequence[Record]) -> None:
        """The effect of directory records: last writer wins, by offset."""
        items = [decoder.read(record, DIRECTORY) for record in records]
        failures = 0
        while True:
            try:
                async with self._postgres.transaction() as tx:
                    await self._store(tx, items)
            except Exception as error:
                if not is_bad_luck(error):
                    raise
                self.waiting = True
                await pause(self._stopping, failures, error)
                failures += 1
            else:
                self.waiting = False
                return

    async def directory(self, tx: Transaction) -> Directory:
        """The tenant's directory as this transaction sees it; read again only after a change."""
        read_to = await tx.fetchval(
            "select next_record from watermark where topic = $1", DIRECTORY.name
        )
        if read_to != self._read_to:
            rows = await tx.fetch("select kind, document, record from directory")
            self._directory = Directory.read(
                (KINDS[row["kind"]].model_validate_json(row["document"]), row["record"] + 1)
                for row in rows
            )
            self._read_to = read_to
        return self._directory

    async def wait_for(self, end: int, deadline_s: float) -> None:
        """Until some member has stored all records before `end`; raises `Unavailable`."""
        limit = monotonic() + deadline_s
        while await self._stored() < end:
            if monotonic() > limit:
                raise Unavailable(
                    f"The directory has not been read to its end within {deadline_s:.0f} s; "
                    f"is another member of {self._service} stuck?"
                )
            await asyncio.sleep(0.02)

    async def _stored(self) -> int:
        stored: int | None = await self._postgres.pool.fetchval(
            "select next_record from watermark where topic = $1", DIRECTORY.name
        )
        return stored or 0

    async def _store(self, tx: Transaction, items: Sequence[Item]) -> None:
        rows, bad = [], []
        for item in items:
            match item:
                case Item(envelope=envelope, fault=None, unknown=None) if envelope:
                    document = envelope.data
                    assert isinstance(document, Document)  # the decoder saw to it
                    named = (envelope.tenant, kind_of(document), document.id)
                    rows.append(
                        (*named, document.model_dump_json(by_alias=True), item.record.offset)
                    )
                case _:
                    bad.append((item, item.fault or item.unknown or "no document"))
        await tx.executemany(_STORE, rows)
        await quarantine.set_aside(tx, self._service, DIRECTORY.name, bad)
        await watermark.write(tx, watermark.of_batch(items))


class DirectoryMemory:
    """The copy of a service without a database: read whole at start, then followed."""

    def __init__(self, settings: Settings, activity: Activity) -> None:
        self.documents: dict[str, Document] = {}
        """The latest document of each record key, `tenant/kind/id`."""
        self.next_offset = 0
        self._settings = settings
        self._activity = activity
        self._directory: Directory | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._moved = asyncio.Condition()

    @property
    def directory(self) -> Directory:
        """The directory as it has been read so far."""
        if self._directory is None:
            self._directory = Directory.of(self.documents.values())
        return self._directory

    async def start(self) -> None:
        """Read to the end as it is now; raises `Unavailable` past the deadline."""
        consumer = self._consumer = kafka.reader(self._settings)
        partition = TopicPartition(DIRECTORY.name, 0)
        async with _deadline(self._settings.dependency_deadline_s):
            await consumer.start()
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            self.next_offset = await consumer.position(partition)
            while self.next_offset < end:
                await self._read_on(consumer)

    async def stop(self) -> None:
        """Close the consumer."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def run(self) -> None:
        """Follow, for ever."""
        assert self._consumer is not None  # start() comes first
        while True:
            await self._read_on(self._consumer)

    async def has_read(self, offset: int, limit_s: float = 5.0) -> bool:
        """Wait until this replica has read the record at `offset`; False past the limit."""
        try:
            async with asyncio.timeout(limit_s), self._moved:
                await self._moved.wait_for(lambda: self.next_offset > offset)
        except TimeoutError:
            return False
        return True

    def positions(self) -> dict[str, int]:
        """The next record, for the stepping clock."""
        return {f"{DIRECTORY.name}/0": self.next_offset}

    async def _read_on(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(timeout_ms=200, max_records=kafka.MAX_RECORDS)
        for records in batches.values():
            with self._activity.of("directory"):
                for record in records:
                    self._hold(decoder.read(record, DIRECTORY))
                async with self._moved:
                    self.next_offset = records[-1].offset + 1
                    self._moved.notify_all()

    def _hold(self, item: Item) -> None:
        envelope = item.envelope
        if envelope is None or item.fault or item.unknown:
            # Only intake writes here, after checking: an intake of another release, or a hand.
            log.error(
                "directory record skipped",
                offset=item.record.offset,
                why=item.fault or item.unknown,
            )
            return
        document = envelope.data
        assert isinstance(document, Document)  # the decoder saw to it
        self.documents[key_of(envelope.tenant, document)] = document
        self._directory = None


class _deadline:
    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._seconds = seconds

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)  # type: ignore[arg-type]  # a traceback
        except TimeoutError:
            raise Unavailable(
                f"Kafka's directory cannot be read within {self._seconds:.0f} s."
            ) from error
