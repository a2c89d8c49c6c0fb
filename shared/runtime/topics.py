"""Topics on the cluster: made from the contract's table, and checked against it (rule 23)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.contract.topics import TOPICS, Topic
from shared.runtime import kafka
from shared.runtime.postgres import Unavailable
from shared.runtime.settings import Settings


class Differs(Exception):
    """One sentence: how the cluster differs from the topic table, and what to do."""


def configuration(topic: Topic, replication: int) -> dict[str, str]:
    """The topic's settings on the cluster."""
    settings = {
        "max.message.bytes": str(topic.max_bytes),
        "cleanup.policy": "compact" if topic.compacted else "delete",
        # Acknowledged means on two brokers; where there is one, on its disk (rule 20).
        "min.insync.replicas": "2" if replication >= 3 else "1",
    }
    if topic.retention_ms is not None:
        settings["retention.ms"] = str(topic.retention_ms)
    if topic.flush_each and replication == 1:
        settings["flush.messages"] = "1"
    return settings


async def apply(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[str]:
    """Create the topics that are missing; return their names. Changes none that exist."""
    wanted = tuple(topics)
    async with administrator(settings) as admin:
        there = set(await admin.list_topics())
        missing = [topic for topic in wanted if topic.name not in there]
        if missing:
            await _create(admin, missing, settings.kafka_replication)
            await _wait_for(admin, missing)
        return [topic.name for topic in missing]


async def check(settings: Settings, topics: Iterable[Topic] = TOPICS) -> None:
    """Raise `Differs` in one sentence if the cluster is not as the table says."""
    wanted = tuple(topics)
    async with administrator(settings) as admin:
        found = {t["topic"]: t for t in await _described(admin, wanted)}
        differences = []
        for topic in wanted:
            differences += _compare(topic, found.get(topic.name), settings.kafka_replication)
        present = [topic for topic in wanted if topic.name in found]
        configured = await _configured(admin, present)
        for topic in present:
            expected = configuration(topic, settings.kafka_replication)
            actual = configured[topic.name]
            differences += [
                f"{topic.name} has {name}={actual.get(name)} instead of {value}"
                for name, value in expected.items()
                if actual.get(name) != value
            ]
    if differences:
        raise Differs(
            f"Kafka's topics are not as the topic table says: {'; '.join(differences)}. "
            "Create what is missing with `relance topics apply`, and alter the rest by hand."
        )


def _compare(topic: Topic, found: dict[str, Any] | None, replication: int) -> list[str]:
    if found is None:
        return [f"{topic.name} is missing"]
    partitions = found["partitions"]
    wrong = []
    if len(partitions) != topic.partitions:
        wrong.append(
            f"{topic.name} has {len(partitions)} partitions instead of {topic.partitions} "
            "(the order of a lead depends on it)"
        )
    fewest = min((len(partition["replicas"]) for partition in partitions), default=0)
    if fewest < replication:
        wrong.append(f"{topic.name} has {fewest} replicas instead of {replication}")
    return wrong


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic], replication: int) -> None:
    answer = await admin.create_topics(
        [
            NewTopic(
                name=topic.name,
                num_partitions=topic.partitions,
                replication_factor=replication,
                topic_configs=configuration(topic, replication),
            )
            for topic in topics
        ],
        timeout_ms=30_000,
    )
    for name, code, *message in answer.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise Differs(f"Kafka does not create {name}: {message[0] if message else code}.")


async def _wait_for(admin: AIOKafkaAdminClient, topics: list[Topic]) -> None:
    """Until every broker tells of every partition's leader."""
    limit = monotonic() + 30
    while monotonic() < limit:
        found = await _described(admin, tuple(topics))
        led = [
            t for t in found if t["partitions"] and all(p["leader"] >= 0 for p in t["partitions"])
        ]
        if len(led) == len(topics):
            return
        await asyncio.sleep(0.05)
    raise Unavailable("Kafka created the topics, but they have had no leader for 30 s.")


async def _described(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> list[dict[str, Any]]:
    answer = await admin.describe_topics([topic.name for topic in topics])
    return [topic for topic in answer if not topic["error_code"]]


async def _configured(admin: AIOKafkaAdminClient, topics: list[Topic]) -> dict[str, dict[str, str]]:
    if not topics:
        return {}
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    )
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }


class administrator:
    """Connected within the settings' deadline, or `Unavailable`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> AIOKafkaAdminClient:
        limit = monotonic() + self._settings.dependency_deadline_s
        while True:
            self._admin = kafka.admin(self._settings)
            try:
                await self._admin.start()
            except (KafkaError, OSError) as error:
                await self._admin.close()
                if monotonic() > limit:
                    raise Unavailable(
                        f"Kafka does not answer at {self._settings.kafka}; "
                        "is it running, and is RELANCE_KAFKA its address?"
                    ) from error
                await asyncio.sleep(0.3)
            else:
                return self._admin

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()
