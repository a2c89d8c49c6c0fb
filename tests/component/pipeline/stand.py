"""pipeline on real Kafka and PostgreSQL, its neighbours absent: the test plays them."""

import asyncio
import itertools
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from aiokafka import TopicPartition

from relance import directory
from services.pipeline import keys
from services.pipeline.core.identity import lead_id
from services.pipeline.settings import PipelineSettings
from shared.contract import topics
from shared.contract.directory import Document, key_of
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import ContactPoint, LeadReceived
from shared.contract.topics import Topic, decode
from shared.runtime import kafka
from shared.runtime.service import Service

TENANT = "axelerator"
RULEBOOK = Path("rulebooks/axelerator")
LIMIT_S = 20
_numbers = itertools.count(1_000_000)


class Stand:
    """A running pipeline, the Kafka client of its neighbours, and an agent's HTTP client."""

    def __init__(self, service: Service, settings: PipelineSettings) -> None:
        self.service, self.settings = service, settings
        self.producer = kafka.producer(settings, client_id="neighbours", request_timeout_ms=5_000)
        self.reader = kafka.reader(settings)
        self.heard: list[Envelope] = []
        self.http = httpx2.AsyncClient(timeout=15)
        self._sequences: dict[tuple[str, str], int] = defaultdict(int)

    async def open(self) -> None:
        await self.producer.start()
        await self.publish_directory()
        await self.service.start()
        await self.reader.start()
        partitions = range(topics.PIPELINE.partitions)
        self.reader.assign([TopicPartition(topics.PIPELINE.name, n) for n in partitions])
        key = await self.key("anna")
        self.http = httpx2.AsyncClient(
            base_url=self.service.url, timeout=15, headers={"authorization": f"Bearer {key}"}
        )

    async def close(self) -> None:
        await self.http.aclose()
        await self.reader.stop()
        await self.producer.stop()
        await self.service.stop()

    async def key(self, agent: str, tenant: str = TENANT) -> str:
        async with self.service.postgres.transaction() as tx:
            return await keys.create(tx, tenant=tenant, agent=agent)

    async def revoke(self, key: str) -> None:
        async with self.service.postgres.transaction() as tx:
            assert await keys.revoke(tx, tenant=TENANT, key_id=key.split("_")[1])

    # -- what the neighbours say -----------------------------------------------------------------

    async def publish_directory(self) -> None:
        for document in directory.read(RULEBOOK / "directory.toml"):
            await self.publish(document)

    async def publish(self, document: Document) -> None:
        """intake's door has taken it."""
        envelope = envelope_of(document, subject=document.id)
        key = key_of(TENANT, document)
        await self.producer.send_and_wait(
            topics.DIRECTORY.name, envelope.to_bytes(), key=key.encode()
        )

    async def receive(self, *inputs: Envelope, partition: int | None = None) -> None:
        """intake says it, as a rule on the partition of the first contact point."""
        for envelope in inputs:
            points = envelope.data.points if isinstance(envelope.data, LeadReceived) else ()
            point = points[0].value if points else envelope.id
            await self.producer.send(
                topics.INTAKE.name, envelope.to_bytes(), key=point.encode(), partition=partition
            )
        await self.producer.flush()

    async def sibling(self, topic: Topic, subject: str, data: Event, **more: Any) -> Envelope:
        """reminders or notifications says it, with its next sequence of that subject."""
        source = f"/{topic.writer}"
        self._sequences[source, subject] += 1
        sequence = self._sequences[source, subject]
        envelope = envelope_of(data, subject=subject, source=source, sequence=sequence, **more)
        await self.producer.send_and_wait(topic.name, envelope.to_bytes(), key=subject.encode())
        return envelope

    # -- what pipeline says ----------------------------------------------------------------------

    async def listen(self) -> list[Envelope]:
        """Everything pipeline has published so far, in order per lead."""
        for records in (await self.reader.getmany(timeout_ms=20)).values():
            self.heard += [decode(record.value) for record in records]
        return self.heard

    async def events(self, lead: str, *, until: type[Event], times: int = 1) -> list[Envelope]:
        """The lead's events, once that many of a type are among them."""
        found: list[Envelope] = []

        async def told() -> bool:
            found[:] = [each for each in await self.listen() if each.subject == lead]
            return sum(type(each.data) is until for each in found) >= times

        await eventually(told)
        return found

    # -- what agents do --------------------------------------------------------------------------

    async def act(self, lead: str, act: str, key: str | None = None, **arguments: Any) -> Any:
        headers = {"idempotency-key": key} if key else {}
        return await self.http.post(
            f"/api/leads/{lead}/actions", json={"act": act, **arguments}, headers=headers
        )

    async def shown(self, lead: str) -> dict[str, Any]:
        answer = await self.http.get(f"/api/leads/{lead}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def quiet(self) -> None:
        """Until everything that lies on its topics has taken effect."""

        async def is_quiet() -> bool:
            ends = await self._ends()
            state = await self.service.quiet()
            behind = [p for p, end in ends.items() if state.positions.get(p, 0) < end]
            return state.quiet and not behind

        await eventually(is_quiet)
        await self.listen()

    async def _ends(self) -> dict[str, int]:
        read = [topics.INTAKE, topics.REMINDERS, topics.NOTIFICATIONS]
        places = [TopicPartition(t.name, n) for t in read for n in range(t.partitions)]
        ends = await self.reader.end_offsets(places)
        return {f"{tp.topic}/{tp.partition}": end for tp, end in ends.items() if end}

    async def fetch(self, sql: str, *arguments: object) -> Any:
        return await self.service.postgres.pool.fetchval(sql, *arguments)


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    """Poll until it holds; fails after a limit."""
    async with asyncio.timeout(LIMIT_S):
        while not await holds():  # noqa: ASYNC110 - what holds is elsewhere
            await asyncio.sleep(0.02)


def new_phone() -> str:
    """A phone nobody else has."""
    return f"+37529{next(_numbers):07}"


def envelope_of(
    data: Event,
    *,
    subject: str,
    source: str = "/intake",
    sequence: int | None = None,
    time: datetime | None = None,
) -> Envelope:
    return Envelope(
        id=str(uuid.uuid4()),
        source=source,
        type=data.type,
        subject=subject,
        time=time or datetime.now(UTC),
        tenant=TENANT,
        sequence=sequence,
        data=data,
    )


def received(*, phone: str | None = None, email: str | None = None, **facts: Any) -> Envelope:
    """A web form as intake tells it, unless `facts` say otherwise."""
    points = [ContactPoint(kind="phone", value=phone)] if phone else []
    points += [ContactPoint(kind="email", value=email)] if email else []
    told = {"channel": "form", "source": "site", "site": "minsk", "name": "Иван", **facts}
    return envelope_of(
        LeadReceived.model_validate({**told, "points": points}), subject=str(uuid.uuid4())
    )


def lead_made_by(envelope: Envelope) -> str:
    return lead_id(TENANT, envelope.id, "sales")


def types(events: Iterable[Envelope]) -> list[str]:
    return [type(event.data).__name__ for event in events]


def is_dense(events: Iterable[Envelope]) -> bool:
    """Whether the sequences are 1, 2, 3 … without a gap or repeat."""
    sequences = [event.sequence for event in events]
    return sequences == list(range(1, len(sequences) + 1))
