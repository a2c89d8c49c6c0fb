"""Each service keeps the directory: read to its end before it takes up anything else (rule 22)."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.contract.directory import Agent, Site, key_of
from shared.contract.envelope import Envelope
from shared.contract.topics import DIRECTORY, Topic
from shared.domain.directory import Directory
from shared.runtime import topics
from shared.runtime.activity import Activity
from shared.runtime.directory_copy import DirectoryMemory
from shared.runtime.kafka import Record
from shared.runtime.postgres import Transaction
from shared.runtime.producer import ConfirmedProducer
from shared.runtime.service import RawSubscription, Service
from tests.toy.bench import Bench, until
from tests.toy.event import note
from tests.toy.fixtures import bench
from tests.toy.service import Toy

__all__ = ["bench"]


def _agent(bench: Bench, name: str) -> Agent:
    return Agent(
        id=f"{bench.name}-anna", name=name, initials="A", site="minsk", roles=(bench.name,)
    )


def _event(document: Agent | Site) -> Envelope:
    return note("any").model_copy(
        update={"subject": key_of("toy", document), "type": document.type, "data": document}
    )


async def test_an_agent_published_before_start_is_known_when_the_first_event_is_taken_up(
    bench: Bench,
) -> None:
    doors = ConfirmedProducer(bench.settings, Activity())
    await doors.start()
    for name in ("Anna", "Anna Sokolova"):
        event = _event(_agent(bench, name))
        await doors.send_event(DIRECTORY, event, event.subject)
    await bench.tell(note("lead-1", sequence=1))

    known: list[str] = []

    class Reader(Toy):
        async def take(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
            directory: Directory = await self.directory(tx)
            known.append(directory.agent(f"{bench.name}-anna").name)
            return await super().take(tx, batch)

    reader = Reader(bench.name, bench.settings, [bench.source])
    await reader.start()
    bench.adopt(reader)
    await bench.told_of("lead-1", 1)
    event = _event(_agent(bench, "Anna Levina"))
    await doors.send_event(DIRECTORY, event, event.subject)

    async def is_renamed() -> bool:
        async with reader.postgres.transaction() as tx:
            return (await reader.directory(tx)).agent(f"{bench.name}-anna").name == "Anna Levina"

    await until(is_renamed, "the new name")
    await doors.stop()
    assert known == ["Anna Sokolova"]


async def test_an_event_that_names_an_agent_nobody_knows_waits_for_the_agent(bench: Bench) -> None:
    class Reader(Toy):
        async def take(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
            directory = await self.directory(tx)
            for envelope in batch:
                if envelope.subject == "lead-7":
                    directory.agent(f"{bench.name}-anna")
            return await super().take(tx, batch)

    for number in range(10):
        await bench.tell(note(f"lead-{number}", "hello", sequence=1))
    reader = Reader(bench.name, bench.settings, [bench.source])
    await reader.start()
    bench.adopt(reader)
    await bench.told(9)
    await bench.parked(reader, 1)

    doors = ConfirmedProducer(bench.settings, Activity())
    await doors.start()
    event = _event(_agent(bench, "Anna"))
    await doors.send_event(DIRECTORY, event, event.subject)
    await doors.stop()

    assert await bench.told_of("lead-7", 1) == ["hello"]
    await bench.parked(reader, 0)


async def test_a_service_without_a_database_reads_its_own_writing(bench: Bench) -> None:
    activity = Activity()
    doors, known = (
        ConfirmedProducer(bench.settings, activity),
        DirectoryMemory(bench.settings, activity),
    )
    await doors.start()
    await known.start()
    following = asyncio.create_task(known.run())

    event = _event(_agent(bench, "Anna"))
    _, offset = await doors.send_event(DIRECTORY, event, event.subject)

    assert await known.has_read(offset)
    assert [agent.name for agent in known.directory.with_role(bench.name)] == ["Anna"]
    assert not await known.has_read(offset + 1, limit_s=0.2)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await known.stop()
    await doors.stop()


async def test_records_of_the_outside_are_acknowledged_after_the_handler_and_never_before(
    bench: Bench,
) -> None:
    inbound = Topic(f"{bench.name}.calls.v1", "outside", "any", 1)
    await topics.apply(bench.settings, [inbound])
    seen: list[tuple[int, bytes | None, bytes | None]] = []
    failures = [OSError("Kafka is away"), ValueError("a bug")]

    async def handler(records: Sequence[Record]) -> None:
        if failures:
            raise failures.pop()
        seen.extend((record.offset, record.key, record.value) for record in records)

    service = Service(bench.name, bench.settings, database=False)
    service.raw_subscriptions.append(RawSubscription((inbound,), handler))
    await service.start()
    for number in range(3):
        await service.doors.send(
            inbound.name, key=b"k", value=b"%d" % number, headers=[("h", b"\xff")]
        )

    async def all_seen() -> bool:
        return len(seen) >= 3

    await until(all_seen, "three records")
    assert (await service.quiet()).positions[f"{inbound.name}/0"] == 3
    await service.stop()
    assert seen == [(0, b"k", b"0"), (1, b"k", b"1"), (2, b"k", b"2")]
    assert await _committed(bench, f"{bench.name}.{inbound.name}", inbound) == 3


async def _committed(bench: Bench, group: str, topic: Topic) -> int | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bench.settings.kafka, group_id=group)
    await consumer.start()
    offset: int | None = await consumer.committed(TopicPartition(topic.name, 0))
    await consumer.stop()
    return offset
