"""The relay: one elected member publishes the service's outbox, in order (`runtime.md` 16-19)."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Collection, Sequence

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer

from shared.runtime import failpoint, kafka, metrics
from shared.runtime.activity import Activity
from shared.runtime.moment import happens
from shared.runtime.postgres import Postgres, Session, is_bad_luck, pause_s
from shared.runtime.relay_send import FOR_GOOD, send
from shared.runtime.settings import Settings
from shared.runtime.trailing import Trailing

log = structlog.get_logger(__name__)

_BATCH = 2000
_POLL_S = 0.05
_PING_S = 1.0
# An owner that says nothing for so long has lost the lock; asked for so often, another has it
# within five seconds (16).
_SILENCE_S = 3
_ELECTION_S = 0.5
# At least one row, and then as many as are worth a round: an event may have 900 KB.
_SELECT = """
select id, topic, key, value, headers
from (
  select *, sum(octet_length(value)) over (order by id) - octet_length(value) as before_it
  from (
    select id, topic, key, value, headers from outbox
    where id >= $1 and stuck is null
    order by id limit 2000
  ) as first
) as measured
where before_it is null or before_it < 8388608
order by id
"""
_DELETE = "delete from outbox where id = any($1::bigint[])"
_STUCK = "select distinct topic, key from outbox where stuck is not null"
_HOLD = "update outbox set stuck = $2 where id = any($1::bigint[])"

READ_IN_ORDER = {"enable_bitmapscan": "off"}
"""Settings of the relay's session. Of a table that it takes for empty PostgreSQL would rather read
all rows and sort them, those that are published and not yet cleared away too: each look would cost
more than the last one until autovacuum comes."""

Subject = tuple[str, bytes | None]
"""(topic, key): rows of one subject go out in order."""


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
        self._stuck: set[Subject] = set()
        self._scans: Trailing[int] = Trailing()
        self._highest = 0

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
        """Whether nothing is left to publish; what Kafka refuses for good is left out."""
        waiting = "select exists (select 1 from outbox where stuck is null)"
        return not await self._postgres.pool.fetchval(waiting)

    async def _lead(self) -> None:
        # The lock lives in a session of its own, which the server ends so long after it heard
        # the last of us: a paused relay loses its lock, and then its rows.
        session = await self._postgres.session(
            idle_session_timeout=f"{_SILENCE_S}s", **READ_IN_ORDER
        )
        try:
            while not await session.fetchval(  # noqa: ASYNC110 - the server tells
                "select pg_try_advisory_lock($1)", lock_key(self._service, "relay")
            ):
                await asyncio.sleep(_ELECTION_S)
            log.info("relay elected")
            self._elected(is_elected=True)
            self._scans = Trailing()
            await self._look_at_stuck(session)
            await self._publish_for_ever(session)
        finally:
            self._elected(is_elected=False)
            session.terminate()

    async def _publish_for_ever(self, session: Session) -> None:
        while True:
            self.wake.clear()
            rows = await self._next_rows(session)
            if rows:
                with self._activity.of("relay"):
                    await self._publish(session, await self._free(session, rows))
            if len(rows) < _BATCH:
                await happens(self.wake, _POLL_S)

    async def _next_rows(self, session: Session) -> Sequence[asyncpg.Record]:
        """The first rows to publish; each minute the whole table is looked at (18)."""
        bound = self._scans.bound()
        rows = await session.fetch(_SELECT, bound or 0)
        if bound is None:
            self._scans.swept(rows[0]["id"] if rows else self._highest)
        if rows:
            self._highest = max(self._highest, rows[-1]["id"])
        metrics.OUTBOX_DEPTH.set(len(rows))
        return rows

    async def _free(
        self, session: Session, rows: Sequence[asyncpg.Record]
    ) -> Sequence[asyncpg.Record]:
        """`rows` without those that wait behind a stuck one of their subject (17)."""
        if not self._stuck or self._stuck.isdisjoint(map(_subject, rows)):
            return rows
        await self._look_at_stuck(session)  # an operator may have freed them meanwhile
        behind = [row["id"] for row in rows if _subject(row) in self._stuck]
        await self._hold(session, behind, "an earlier one of its subject is stuck")
        return [row for row in rows if _subject(row) not in self._stuck]

    async def _publish(self, session: Session, rows: Sequence[asyncpg.Record]) -> None:
        if not rows:
            return
        failpoint.here("relay.begun")
        try:
            await self._confirmed(session, rows)
        except FOR_GOOD as error:
            log.warning("Kafka refuses a batch for good, sending one by one", error=repr(error))
            await self._drop_producer()
            rows = await self._one_by_one(session, rows)
        failpoint.here("relay.published")
        await session.execute(_DELETE, [row["id"] for row in rows])
        failpoint.here("relay.deleted")
        for topic, many in Counter(row["topic"] for row in rows).items():
            metrics.OUTBOX_PUBLISHED.labels(topic=topic).inc(many)

    async def _confirmed(self, session: Session, rows: Sequence[asyncpg.Record]) -> None:
        """Hand the rows over and wait until Kafka has acknowledged all of them."""
        sent = await send(await self._connected(), rows)
        waiting = set(sent)
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=_PING_S)
            if waiting:
                await session.execute("select 1")  # keeps the lock while Kafka is slow
        refused = [error for future in sent if (error := future.exception()) is not None]
        if refused:
            raise next((e for e in refused if isinstance(e, FOR_GOOD)), refused[0])

    async def _one_by_one(
        self, session: Session, rows: Sequence[asyncpg.Record]
    ) -> list[asyncpg.Record]:
        """Find what Kafka refuses: it is stuck, and its subject behind it; others go on (17).

        What has gone out already goes again: readers drop it by its sequence (19).
        """
        gone: list[asyncpg.Record] = []
        for row in rows:
            if _subject(row) in self._stuck:
                await self._hold(session, [row["id"]], "an earlier one of its subject is stuck")
                continue
            try:
                await self._confirmed(session, [row])
            except FOR_GOOD as error:
                await self._drop_producer()
                why = f"{type(error).__name__}: {error}"
                # What is wrong is in the sentence; where it was found out says nothing.
                log.critical("an outbox row is stuck", row=row["id"], topic=row["topic"], why=why)
                await self._hold(session, [row["id"]], why)
                self._stuck.add(_subject(row))
            else:
                gone.append(row)
        return gone

    async def _hold(self, session: Session, rows: Collection[int], why: str) -> None:
        await session.execute(_HOLD, list(rows), why)
        await self._look_at_stuck(session)

    async def _look_at_stuck(self, session: Session) -> None:
        self._stuck = {_subject(row) for row in await session.fetch(_STUCK)}
        metrics.OUTBOX_STUCK_SUBJECTS.set(len(self._stuck))

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


def _subject(row: asyncpg.Record) -> Subject:
    return row["topic"], row["key"]
