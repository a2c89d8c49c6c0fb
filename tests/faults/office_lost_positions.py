"""Kafka has lost what a group would read next: the service stops and says so, skips nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from relance.database import CannotDo
from relance.offsets import Change, change
from shared.runtime import kafka, topics
from shared.runtime.topics import administrator
from tests.faults.office import PROBES, Ground, Office
from tests.faults.row import Row

READ, UNREAD = 400, 80
LEADS = 20
ENDS_WITHIN_S = 60.0

Loss = Callable[[Office], Awaitable[None]]


async def overtaken(office: Office) -> None:
    """Retention has deleted what was not read yet, of every partition."""
    reader = kafka.reader(office.settings)
    await reader.start()
    places = [TopicPartition(office.source.name, n) for n in range(office.source.partitions)]
    ends = await reader.end_offsets(places)
    await reader.stop()
    async with administrator(office.settings) as admin:
        await admin.delete_records(
            {tp: RecordsToDelete(before_offset=end) for tp, end in ends.items()}
        )


async def made_anew(office: Office) -> None:
    """The topic is deleted, made again, and shorter than it was (as one truncated is)."""
    async with administrator(office.settings) as admin:
        await admin.delete_topics([office.source.name])
        async with asyncio.timeout(30):
            while office.source.name in await admin.list_topics():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    await topics.apply(office.settings, [office.source])
    await _tell(office, LEADS)


async def visit(ground: Ground, name: str, fault: str, loss: Loss, *, at_work: bool) -> Row:
    """Read, tell more (while it is stopped, or `at_work`), lose it; it must end, and say so.

    What was lost with Kafka's own records is no loss of ours, as long as it is said.
    """
    office = Office(ground, name)
    began = monotonic()
    try:
        await office.open(members=1)
        await _tell(office, READ)
        await office.probe()
        (clerk,) = office.clerks
        if not at_work:
            await asyncio.to_thread(clerk.stop)
            await _tell(office, UNREAD)
        await loss(office)
        lost = monotonic()
        if not at_work:
            clerk.log.unlink()
            clerk.start()
        code = await asyncio.to_thread(clerk.child.wait, ENDS_WITHIN_S)
        took_s = monotonic() - lost
        said = "relance offsets set" in clerk.log.read_text()
        assert (code, said) == (70, True), f"it ended with {code}: {clerk.log.read_text()[-800:]}"
        await _decide(f"{name}.{office.source.name}", ground.kafka.bootstrap)
        await office.restart(clerk)
        async with office.books() as session:
            effects = await session.fetchval("select coalesce(sum(many), 0) from tally")
        await office.close()
    finally:
        office.clear()
        await office.let_go()
    read = READ + PROBES
    return Row(
        fault=fault,
        on="toy",
        runs=1,
        events=office.told.total(),
        lost=max(0, read - effects),
        repeated=max(0, effects - read),
        recovery_s=round(took_s, 1),
        took_s=round(monotonic() - began, 1),
        note="one member; it ends and says so in one sentence (recovery: until then), and goes on "
        "when an operator has chosen",
    )


async def _decide(group: str, kafka: str) -> None:
    """As an operator does, once the member that ended is no longer counted."""
    async with asyncio.timeout(ENDS_WITHIN_S):
        while True:
            try:
                await change(Change(group, "earliest"), kafka, for_real=True)
            except CannotDo as error:
                if "has read nothing" in str(error):
                    return  # Kafka forgot the group's place together with the topic
                await asyncio.sleep(0.5)
            else:
                return


async def _tell(office: Office, many: int) -> None:
    for number in range(many):
        lead = f"lead-{number % LEADS}"
        await office.put(lead, office.next_note(lead))
    await office.producer.flush()
