"""Where the time went: what each stage of a lead's way left behind says when it was done.

Kafka knows when a record was made, PostgreSQL when a row was committed
(`track_commit_timestamp`), notifications when a message was handed over; nothing is added to the
services for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
from aiokafka import TopicPartition

from benchmarks.door_load import phone_in
from benchmarks.percentile import percentile
from shared.contract.pipeline import NotificationRequested
from shared.contract.topics import PIPELINE, Topic
from shared.runtime import kafka
from shared.runtime.kafka import Ends
from shared.runtime.settings import Settings

STAGES = (
    "pipeline has committed",
    "its request is on Kafka",
    "notifications has committed",
    "the SMS is claimed",
    "the provider has it",
)
_COMMITS = """
select m.request::text as request, m.subject, extract(epoch from m.handed_at)::float8 as handed,
  extract(epoch from pg_xact_commit_timestamp(s.xmin))::float8 as stored,
  (select extract(epoch from min(pg_xact_commit_timestamp(h.xmin)))::float8
   from pipeline.lead_history h where h.lead = m.subject::uuid) as decided
from notifications.message m
join notifications.sequence s on s.source = '/pipeline' and s.subject = m.subject
where m.channel = 'sms' and m.template = 'new_lead'
"""

Instants = Sequence[float]
"""Of one lead, when each of `STAGES` was done."""


class Marks:
    """Reads what the stages of one run left behind."""

    def __init__(self, bootstrap: str, dsn: str) -> None:
        """Kafka's address, and PostgreSQL's as somebody who may read all schemas."""
        self._settings, self._dsn = Settings(kafka=bootstrap), dsn
        self._begins: dict[TopicPartition, int] = {}

    async def begin(self) -> None:
        """Whatever is on Kafka by now belongs to an earlier run."""
        self._begins = await self._ends(PIPELINE)

    async def read(self, came: Mapping[str, float]) -> dict[str, Instants]:
        """By phone, for those whose SMS has come."""
        requested = await self._requested()
        session = await asyncpg.connect(self._dsn)
        try:
            rows = await session.fetch(_COMMITS)
        finally:
            await session.close()
        found: dict[str, Instants] = {}
        for row in rows:
            phone, said = phone_in(row["request"]), requested.get(row["subject"])
            if phone is not None and phone in came and said is not None:
                done = (row["decided"], said, row["stored"], row["handed"], came[phone])
                if None not in done:
                    found[phone] = done
        return found

    async def _requested(self) -> dict[str, float]:
        """The lead -> when the relay made the record that asks for its first message."""
        ends = await self._ends(PIPELINE)
        found: dict[str, float] = {}
        reader = kafka.reader(self._settings)
        await reader.start()
        try:
            reader.assign(list(ends))
            for tp in ends:
                reader.seek(tp, self._begins.get(tp, 0))
            while any([await reader.position(tp) < end for tp, end in ends.items()]):
                for records in (await reader.getmany(timeout_ms=100)).values():
                    for record in records:
                        if NotificationRequested.type.encode() in record.value:
                            found.setdefault(record.key.decode(), record.timestamp / 1000)
        finally:
            await reader.stop()
        return found

    async def _ends(self, topic: Topic) -> dict[TopicPartition, int]:
        ends = Ends(self._settings)
        await ends.start()
        try:
            return await ends.of([TopicPartition(topic.name, n) for n in range(topic.partitions)])
        finally:
            await ends.stop()


def slowest(accepted: Mapping[str, float], marks: Mapping[str, Instants]) -> str:
    """When the slowest hundredth was accepted: all at once is a stall, spread is a queue."""
    waits = {phone: marks[phone][-1] - at for phone, at in accepted.items() if phone in marks}
    if not waits:
        return ""
    limit, began = percentile(list(waits.values()), 99), min(accepted.values())
    when = sorted(accepted[phone] - began for phone, wait in waits.items() if wait >= limit)
    return "the slowest hundredth came in after " + ", ".join(f"{each:.1f}" for each in when) + " s"


def table(accepted: Mapping[str, float], marks: Mapping[str, Instants]) -> list[str]:
    """A line a stage: what it took by itself, and how long after the 202 it was done, in ms."""
    known = [(accepted[phone], done) for phone, done in marks.items() if phone in accepted]
    if not known:
        return ["no stage left anything behind"]
    lines = [f"{'ms':28}{'p50':>8}{'p99':>8}   after the 202: p50, p99"]
    for place, name in enumerate(STAGES):
        took = [done[place] - (done[place - 1] if place else at) for at, done in known]
        since = [done[place] - at for at, done in known]
        figures = [percentile(each, p) * 1000 for each in (took, since) for p in (50, 99)]
        lines.append(
            f"{name:28}{figures[0]:8.0f}{figures[1]:8.0f}{figures[2]:18.0f}{figures[3]:8.0f}"
        )
    return lines
