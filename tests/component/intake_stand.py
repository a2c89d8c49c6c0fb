"""intake on real Kafka, its neighbours absent: how tests send to it and see what it said."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx2
from aiokafka import ConsumerRecord, TopicPartition

from services.intake.app import Intake
from services.intake.settings import IntakeSettings
from shared.contract import topics
from shared.contract.envelope import Envelope, Event
from shared.contract.topics import Topic, decode
from shared.runtime import kafka

SECRET = "s3cret-of-the-phone"
ADMIN = "admin-key"
SITE_PAGE = "https://axelerator.example"
HTML = {"accept": "text/html,application/xhtml+xml"}
BEARER = {"authorization": f"Bearer {SECRET}"}
RULEBOOK = """
name = "doors"
tenant = "{tenant}"
language = "ru"

[[pipeline]]
id = "sales"
label = "Продажи"

[[pipeline.stage]]
id = "new"
label = "Новая"
next = ["refused"]

[[pipeline.stage]]
id = "refused"
label = "Отказ"
closes = "lost"

[[field]]
id = "niche"
label = "Ниша"
"""


def rulebook_in(folder: Path, tenant: str) -> Path:
    """A small rulebook with the company's real sources; mailboxes are the tenant's own."""
    (folder / "rulebook.toml").write_text(RULEBOOK.format(tenant=tenant), encoding="utf-8")
    sources = Path("rulebooks/axelerator/sources.toml").read_text(encoding="utf-8")
    (folder / "sources.toml").write_text(sources, encoding="utf-8")
    return folder


class Stand:
    """One running intake of a tenant that no other test has."""

    def __init__(self, intake: Intake, settings: IntakeSettings, tenant: str) -> None:
        self.intake, self.settings, self.tenant = intake, settings, tenant
        self.http = httpx2.AsyncClient(base_url=intake.url, timeout=15)

    async def close(self) -> None:
        await self.http.aclose()
        await self.intake.stop()

    async def call(self, **facts: object) -> httpx2.Response:
        body = {"call_id": uuid.uuid4().hex, "from": "+375291234567", "status": "missed", **facts}
        return await self.http.post("/in/phone", json=body, headers=BEARER)

    async def events(self, topic: Topic = topics.INTAKE) -> list[Envelope]:
        """The tenant's events on a topic, all of them, as far as it reaches now."""
        envelopes = [decode(record.value or b"") for record in await self.records(topic)]
        return [envelope for envelope in envelopes if envelope.tenant == self.tenant]

    async def said(self, id_: str) -> Event:
        """The one event of that id; two of it are a failure, and so is another raw record count."""
        found = [envelope for envelope in await self.events() if envelope.id == id_]
        assert len(found) == 1
        return found[0].data

    async def raw_of(self, id_: str) -> list[Envelope]:
        return [raw for raw in await self.events(topics.INTAKE_RAW) if raw.subject == id_]

    async def records(self, topic: Topic) -> Sequence[ConsumerRecord[bytes, bytes]]:
        """Everything on a topic up to its end now."""
        reader = kafka.reader(self.settings)
        await reader.start()
        try:
            partitions = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
            reader.assign(partitions)
            await reader.seek_to_beginning(*partitions)
            ends = await reader.end_offsets(partitions)
            found: list[ConsumerRecord[bytes, bytes]] = []
            while any([await reader.position(tp) < end for tp, end in ends.items()]):
                for records in (await reader.getmany(timeout_ms=100)).values():
                    found += records
            return found
        finally:
            await reader.stop()

    async def publish(
        self, topic: Topic, value: bytes, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """As an upstream system does."""
        producer = kafka.producer(self.settings, client_id="upstream", request_timeout_ms=5_000)
        await producer.start()
        try:
            await producer.send_and_wait(topic.name, value, headers=list(headers))
        finally:
            await producer.stop()

    async def wait_for(
        self, holds: Callable[[Envelope], bool], topic: Topic = topics.INTAKE
    ) -> list[Envelope]:
        """Until an event of the tenant is there for which it holds; then all such."""
        async with asyncio.timeout(20):
            while True:
                found = [envelope for envelope in await self.events(topic) if holds(envelope)]
                if found:
                    return found
