"""The peer: the same effect written the way FastStream's documentation shows it.

A handler per message, `AckPolicy.ACK`, a transaction of its own, then `publish`. Decisions, locks
and SQL are pipeline's own, so only the runtime differs; there is no inbox, no sequence and no
outbox, which makes it do less. Its log is off, as ours is. `publish_batch` is no way out: it puts
a batch on any partition, and a lead's events would lose their order.
"""

from __future__ import annotations

import asyncio
import os

import asyncpg
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker

from relance import directory as directory_file
from relance.stack.stack import RULEBOOK
from services.pipeline import store
from services.pipeline.decision import decide, named_by
from services.pipeline.world_lock import locked_world
from shared.contract.directory import Document
from shared.contract.topics import INTAKE, PIPELINE, decode
from shared.domain.directory import Directory
from shared.runtime import rulebook_folder
from shared.runtime.postgres import json_as_bytes

GROUP = "peer"


def app(kafka: str, dsn: str) -> FastStream:
    """The documented way, ready to run."""
    broker = KafkaBroker(kafka, acks="all", logger=None)
    book = rulebook_folder.read(RULEBOOK)
    documents: list[Document] = directory_file.read(RULEBOOK / "directory.toml")
    company = Directory.of(documents)
    pools: list[asyncpg.Pool[asyncpg.Record]] = []
    service = FastStream(broker)

    @service.on_startup
    async def connect() -> None:
        pools.append(
            await asyncpg.create_pool(
                dsn,
                min_size=1,
                server_settings={"search_path": "pipeline"},
                init=json_as_bytes,
            )
        )

    async def raw(message: object) -> object:
        return getattr(message, "body", message)

    @broker.subscriber(
        INTAKE.name,
        group_id=GROUP,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        decoder=raw,
    )
    async def handle(body: bytes) -> None:
        envelope = decode(body)
        async with pools[0].acquire() as session, session.transaction():
            world = await locked_world(session, book.tenant, named_by([envelope]), b"key")
            decided = decide(world, envelope, book, company)
            await store.save(session, world, decided.world, decided.steps)
        for event in decided.events:
            await broker.publish(event.to_bytes(), PIPELINE.name, key=event.subject.encode())

    return service


if __name__ == "__main__":
    asyncio.run(app(os.environ["RELANCE_KAFKA"], os.environ["RELANCE_POSTGRES"]).run())
