"""`relance audit --since`: reads what was said since an instant, and asks the databases of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiokafka.errors import KafkaError

from relance import database
from relance.audit import Report
from relance.database import CannotDo
from relance.running_audit import Look, Running, SequenceKey, audit, late
from relance.topic_reader import TopicReader
from relance.trail import Trail
from services.pipeline import history
from services.pipeline.core.lead import Lead
from services.pipeline.store import Step
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS
from shared.domain import duration
from shared.domain.count import counted
from shared.runtime import clock
from shared.runtime.postgres import Transaction

GRACE = timedelta(minutes=1)
"""What is younger is under way; an alert may be delayed by the gate for seconds."""
MARGIN = timedelta(minutes=5)
"""So much earlier reading begins: an input is published a moment after its time."""
FORGOTTEN_S = 60
"""So long after its time a deadline or message counts as forgotten."""

_TOPICS = (INTAKE, PIPELINE, REMINDERS, NOTIFICATIONS)

_WAITING = """
SELECT subject FROM parked WHERE subject = ANY($1::text[])
UNION SELECT subject FROM quarantine WHERE subject = ANY($1::text[])
"""
_REACHED = """
SELECT source, subject, last FROM sequence
WHERE (source, subject) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""
_TOLD_ONCE = """
SELECT DISTINCT tenant, recipient, template, occasion FROM message
WHERE (tenant, recipient, template, occasion) IN
  (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]))
"""
_LEFT = """
SELECT (SELECT count(*) FROM outbox) AS outbox,
       (SELECT count(*) FROM outbox WHERE stuck IS NOT NULL) AS stuck,
       (SELECT count(*) FROM parked) AS parked,
       (SELECT count(*) FROM parked WHERE parked_at < now() - interval '15 min') AS long_parked
"""
_SET_ASIDE = """
SELECT id, event, subject, why FROM quarantine WHERE quarantined_at >= $1 ORDER BY id LIMIT 1000
"""
_FORGOTTEN = {
    "reminders": """
SELECT asked ->> 'id' AS id, lead::text AS subject, 'deadline' AS what, due_at AS at
FROM deadline WHERE due_at < $1::timestamptz - make_interval(secs => $2) ORDER BY due_at LIMIT 1000
""",
    "notifications": """
SELECT id::text, subject, 'message (' || status || ')' AS what, send_after AS at FROM message
WHERE status IN ('requested', 'held', 'sending') AND retry_at IS NULL
  AND send_after < $1::timestamptz - make_interval(secs => $2)
  AND (lease_until IS NULL OR lease_until < now())
ORDER BY send_after LIMIT 1000
""",
}
_ON_THEIR_WAY = {
    "deadlines armed": ("reminders", "SELECT count(*) FROM deadline"),
    "messages held, or to be tried again": (
        "notifications",
        "SELECT count(*) FROM message WHERE status IN ('requested', 'held')",
    ),
    "messages in hand": (
        "notifications",
        "SELECT count(*) FROM message WHERE status = 'sending'",
    ),
}


def instant(text: str, now: datetime) -> datetime:
    """`2h` ago, or an ISO time with its zone; raises `CannotDo`."""
    try:
        return now - duration.parse(text).length
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise CannotDo(
            f"{text!r} is no instant: write 30m, 2h, 1d, or 2026-03-02T10:00:00+01:00 with its "
            "UTC offset."
        )
    return at


async def audited(since: datetime, kafka: str, postgres: str | None) -> Report:
    """The audit of what was said since then, while everything goes on. Raises `CannotDo`."""
    began = clock.now()
    try:
        async with (
            TopicReader(kafka, _TOPICS, since - MARGIN) as reader,
            _books(postgres) as books,
        ):
            with Trail() as trail:
                async for piece in reader.pieces():
                    trail.add(piece)
                running = await audit(trail, Look(since, began - GRACE), books)
                await books.look(running, since, began)
                outbox = {name: await books.outbox(name) for name in database.WITH_DATABASE}
                async for piece in reader.pieces():
                    trail.add(piece)
                late(trail, running, outbox)
    except KafkaError as error:
        raise CannotDo(
            f"Kafka cannot be read at {kafka} ({type(error).__name__}). Is the stack running "
            "(`make up`)? Another address is given by --kafka or RELANCE_KAFKA."
        ) from error
    return Report(running.counts, tuple(running.findings), under_way=running.under_way)


@asynccontextmanager
async def _books(postgres: str | None) -> AsyncIterator[DatabaseBooks]:
    async with AsyncExitStack() as opened:
        sessions = {
            service: await opened.enter_async_context(database.session(service, postgres))
            for service in database.WITH_DATABASE
        }
        yield DatabaseBooks(sessions)


@dataclass(frozen=True)
class DatabaseBooks:
    """What the services' tables say; a session a service, each statement for itself."""

    sessions: Mapping[str, Transaction]

    async def taken_up(self, inputs: Sequence[str]) -> Collection[str]:
        """Which of these inputs pipeline has taken up."""
        rows = await self.sessions["pipeline"].fetch(
            "SELECT id::text FROM inbox WHERE id = ANY($1::uuid[])", inputs
        )
        return {row["id"] for row in rows}

    async def reached(self, service: str, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, int]:
        """The last sequence that a service gave out (its own source) or took up."""
        rows = await self.sessions[service].fetch(
            _REACHED, [source for source, _ in keys], [subject for _, subject in keys]
        )
        return {(row["source"], row["subject"]): row["last"] for row in rows}

    async def waiting(self, service: str, subjects: Sequence[str]) -> Collection[str]:
        """Those of whom something is parked or set aside."""
        if not subjects:
            return ()
        rows = await self.sessions[service].fetch(_WAITING, subjects)
        return {row["subject"] for row in rows}

    async def leads(self, ids: Sequence[str]) -> tuple[Mapping[str, Lead], Sequence[Step]]:
        """Those that are leads, each with its whole history, of one moment."""
        session = self.sessions["pipeline"]
        async with session.transaction(isolation="repeatable_read", readonly=True):
            rows = await session.fetch(
                "SELECT id::text, state::text FROM lead WHERE id::text = ANY($1::text[])", ids
            )
            leads = {row["id"]: Lead.model_validate_json(row["state"]) for row in rows}
            return leads, await history.read_all(session, list(leads))

    async def told_once(self, occasions: Sequence[Sequence[str]]) -> Collection[tuple[str, ...]]:
        """Of which (tenant, recipient, template, occasion) there is a message."""
        columns = [list(column) for column in zip(*occasions, strict=True)]
        rows = await self.sessions["notifications"].fetch(_TOLD_ONCE, *columns) if columns else []
        return {tuple(row) for row in rows}

    async def messages(self, ids: Sequence[str]) -> Mapping[str, str]:
        """How messages stand, by id."""
        rows = await self.sessions["notifications"].fetch(
            "SELECT id::text, status FROM message WHERE id = ANY($1::uuid[])", ids
        )
        return {row["id"]: row["status"] for row in rows}

    async def outbox(self, service: str) -> int:
        """How many rows it has still to publish."""
        return int(await self.sessions[service].fetchval("SELECT count(*) FROM outbox"))

    async def look(self, running: Running, since: datetime, now: datetime) -> None:
        """What is forgotten, stuck or set aside, and what is on its way as it should be."""
        for service, session in self.sessions.items():
            left = await session.fetchrow(_LEFT)
            assert left is not None  # an aggregate has a row
            running.goes_on("events that wait (relance dead-letters list)", left["parked"])
            if left["long_parked"]:
                wait = counted(left["long_parked"], "event waits", "events wait")
                running.found("stuck", service, f"{service}: {wait} for over 15 min")
            if left["stuck"]:
                events = counted(left["stuck"], "event")
                running.found("stuck", service, f"{service}: Kafka refuses {events} for good")
            for row in await session.fetch(_SET_ASIDE, since):
                name = f"{service}/{row['id']}"
                running.found(
                    "set_aside", name, f"{name} of {row['subject']} set aside ({row['why']})"
                )
        for service, sql in _FORGOTTEN.items():
            for row in await self.sessions[service].fetch(sql, now, FORGOTTEN_S):
                running.found(
                    "stuck", row["id"], f"{row['what']} {row['id']} of {row['subject']} was due at "
                    f"{row['at']:%Y-%m-%d %H:%M:%S} UTC and has not gone",
                )  # fmt: skip
        for what, (service, sql) in _ON_THEIR_WAY.items():
            running.goes_on(what, int(await self.sessions[service].fetchval(sql)))
