"""The directory, as each service holds it: a table, or (without a database) memory (rule 22)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contract.directory import KINDS, Document, PublishedRulebook, key_of, kind_of
from shared.contract.topics import DIRECTORY
from shared.domain.directory import Directory
from shared.domain.rulebook.loader import RulebookError
from shared.runtime import decoder, kafka, quarantine, watermark
from shared.runtime.activity import Activity
from shared.runtime.companies import Books, Companies
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

_DOCUMENTS = "select tenant, kind, document, record from directory where kind <> 'rulebook'"
# The last one counts; an earlier one that is published again has a later record. Their texts are
# long: they are read once.
_RULEBOOKS = """
select tenant, id, record from directory where kind = 'rulebook' order by tenant, record desc
"""
_RULEBOOK = "select document from directory where tenant = $1 and kind = 'rulebook' and id = $2"


class DirectoryTable:
    """The copy in the service's schema, written in the consumer's transaction."""

    def __init__(
        self, service: str, postgres: Postgres, stopping: asyncio.Event, books: Books
    ) -> None:
        """`books` reads what is published; a rulebook that it refuses is set aside."""
        self._service = service
        self._postgres = postgres
        self._stopping = stopping
        self._books = books
        self._read_to: int | None = None
        self._companies = books.companies({}, {})
        self._directories: dict[str, Directory] = {}
        self._rulebooks: dict[tuple[str, str, int], PublishedRulebook] = {}
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

    async def companies(self, tx: Transaction) -> Companies:
        """Every tenant's rulebook and directory as this transaction sees them.

        Read again only after a change: the row that names the version is read in each
        transaction, so that all replicas switch together (rule 25).
        """
        await self._follow(tx)
        return self._companies

    @property
    def last(self) -> Companies:
        """The companies as the last transaction that asked saw them."""
        return self._companies

    async def directory(self, tx: Transaction) -> Directory:
        """The directory of the folder's tenant, or of the only one."""
        await self._follow(tx)
        home = self._books.home
        if home is None:
            return next(iter(self._directories.values()), Directory())
        return self._directories.get(home.tenant) or Directory()

    async def _follow(self, tx: Transaction) -> None:
        read_to = await tx.fetchval(
            "select next_record from watermark where topic = $1", DIRECTORY.name
        )
        if read_to == self._read_to:
            return
        found: dict[str, list[tuple[Document, int]]] = {}
        for row in await tx.fetch(_DOCUMENTS):
            document = KINDS[row["kind"]].model_validate_json(row["document"])
            found.setdefault(row["tenant"], []).append((document, row["record"] + 1))
        published = await self._in_force(tx)
        self._directories = {
            tenant: self._unchanged(tenant, Directory.read(documents))
            for tenant, documents in found.items()
        }
        self._companies = self._books.companies(self._directories, published, read_to or 0)
        self._read_to = read_to

    async def _in_force(self, tx: Transaction) -> dict[str, PublishedRulebook]:
        """The last rulebook of each tenant that this release can use, the latest first."""
        found: dict[str, PublishedRulebook] = {}
        for row in await tx.fetch(_RULEBOOKS):
            tenant, version = row["tenant"], row["id"]
            if tenant in found:
                continue
            document = self._rulebooks.get((tenant, version, row["record"]))
            if document is None:
                text = await tx.fetchval(_RULEBOOK, tenant, version)
                document = PublishedRulebook.model_validate_json(text)
                if self._refused(tenant, document):
                    continue
                self._rulebooks[tenant, version, row["record"]] = document
            found[tenant] = document
        return found

    def _unchanged(self, tenant: str, directory: Directory) -> Directory:
        """The directory that is held already, if nothing of this tenant is new."""
        held = self._directories.get(tenant)
        return held if held is not None and held.version == directory.version else directory

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
                    if wrong := self._refused(envelope.tenant, document):
                        bad.append((item, wrong))
                        continue
                    named = (envelope.tenant, kind_of(document), document.id)
                    rows.append(
                        (*named, document.model_dump_json(by_alias=True), item.record.offset)
                    )
                case _:
                    bad.append((item, item.fault or item.unknown or "no document"))
        await tx.executemany(_STORE, rows)
        await quarantine.set_aside(tx, self._service, DIRECTORY.name, bad)
        await watermark.write(tx, watermark.of_batch(items))

    def _refused(self, tenant: str, document: Document) -> str | None:
        """Why a rulebook is not taken up: a bad one never replaces a good one (rule 25)."""
        if not isinstance(document, PublishedRulebook):
            return None
        try:
            self._books.read(tenant, document)
        except RulebookError as error:
            log.warning("rulebook refused", tenant=tenant, version=document.id, why=str(error))
            return f"this rulebook cannot be used: {error}"
        return None


class DirectoryMemory:
    """The copy of a service without a database: read whole at start, then followed."""

    def __init__(self, settings: Settings, activity: Activity, books: Books | None = None) -> None:
        self._books = books or Books()
        self.documents: dict[str, Document] = {}
        """The latest document of each record key, `tenant/kind/id`."""
        self.next_offset = 0
        self._settings = settings
        self._activity = activity
        self._in_force: dict[str, PublishedRulebook] = {}
        self._companies: Companies | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._moved = asyncio.Condition()

    @property
    def companies(self) -> Companies:
        """Every tenant's rulebook and directory, as they have been read so far."""
        if self._companies is None:
            self._companies = self._books.companies(
                self._directories(), self._in_force, self.next_offset
            )
        return self._companies

    @property
    def directory(self) -> Directory:
        """The directory of the folder's tenant, or of the only one."""
        directories = self._directories()
        home = self._books.home
        if home is None:
            return next(iter(directories.values()), Directory())
        return directories.get(home.tenant) or Directory()

    def _directories(self) -> dict[str, Directory]:
        found: dict[str, list[Document]] = {}
        for key, document in self.documents.items():
            if not isinstance(document, PublishedRulebook):
                found.setdefault(key.partition("/")[0], []).append(document)
        return {tenant: Directory.of(documents) for tenant, documents in found.items()}

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
        if isinstance(document, PublishedRulebook):
            try:
                self._books.read(envelope.tenant, document)
            except RulebookError as error:
                log.warning("rulebook refused", version=document.id, why=str(error))
                return
            self._in_force[envelope.tenant] = document
        self.documents[key_of(envelope.tenant, document)] = document
        self._companies = None


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
