"""The topics of the table (`shared.contract.topics`) on a local broker."""

import asyncio
from threading import Thread

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.contract.topics import TOPICS, Topic


def create_missing_topics(bootstrap: str) -> None:
    """Create what the table names and the broker lacks. Blocks; may be called anywhere."""
    # In a thread of its own, because a test's event loop may already run in this one.
    failed: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(_create(bootstrap))
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=work, name="topics")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


async def _create(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [topic for topic in TOPICS if topic.name not in there]
        if missing:
            await admin.create_topics([_new(topic) for topic in missing])
    finally:
        await admin.close()


def _new(topic: Topic) -> NewTopic:
    config = {
        "max.message.bytes": str(topic.max_bytes),
        "cleanup.policy": "compact" if topic.compacted else "delete",
    }
    if topic.retention_ms is not None:
        config["retention.ms"] = str(topic.retention_ms)
    if topic.flush_each:
        config["flush.messages"] = "1"  # one broker holds it: on disk before it is acknowledged
    return NewTopic(topic.name, topic.partitions, 1, topic_configs=config)
