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
from shared.runtime.kafka_refusal import refusal
from shared.runtime.postgres import Unavailable
from shared.runtime.settings import Settings, WrongSetting
from shared.runtime.topic_plan import Difference, Found, configuration, differences

_SET_ON_THE_TOPIC = 1
"""Kafka's number for a setting of the topic itself, not of its broker."""


class Differs(Exception):
    """One sentence: how the cluster differs from the topic table, and what to do."""


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
    if found := await plan(settings, topics):
        raise Differs(
            f"Kafka's topics are not as the topic table says: "
            f"{'; '.join(difference.sentence for difference in found)}. "
            "`relance topics apply` shows what would put that right."
        )


async def plan(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[Difference]:
    """How the cluster differs from the table; nothing is changed."""
    wanted = tuple(topics)
    async with administrator(settings) as admin:
        found = await _found(admin, wanted)
    return [
        difference
        for topic in wanted
        for difference in differences(topic, settings.kafka_replication, found.get(topic.name))
    ]


async def carry_out(settings: Settings, planned: Iterable[Difference]) -> None:
    """Create what is missing and change the settings that differ; the rest is left to people."""
    steps = tuple(planned)
    missing = [step.topic for step in steps if step.way == "create"]
    changed: dict[Topic, dict[str, str]] = {}
    for step in steps:
        if step.way == "change" and step.setting:
            changed.setdefault(step.topic, {}).update([step.setting])
    async with administrator(settings) as admin:
        if missing:
            await _create(admin, missing, settings.kafka_replication)
            await _wait_for(admin, missing)
        for topic, values in changed.items():
            await _alter(admin, topic, values)


async def _found(admin: AIOKafkaAdminClient, topics: tuple[Topic, ...]) -> dict[str, Found]:
    described = {each["topic"]: each["partitions"] for each in await _described(admin, topics)}
    entries = await _configured(admin, [topic for topic in topics if topic.name in described])
    return {
        name: Found(
            partitions=len(partitions),
            replicas=min((len(each["replicas"]) for each in partitions), default=0),
            settings={entry[0]: entry[1] for entry in entries[name]},
        )
        for name, partitions in described.items()
    }


async def _alter(admin: AIOKafkaAdminClient, topic: Topic, values: dict[str, str]) -> None:
    """Set these; what else was set on the topic stays, because this request replaces all."""
    entries = (await _configured(admin, [topic]))[topic.name]
    kept = {entry[0]: entry[1] for entry in entries if entry[3] == _SET_ON_THE_TOPIC}
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, kept | values)
    for answer in await admin.alter_configs([resource]):
        for code, message, *_ in answer.resources:
            if code:
                raise Differs(f"Kafka does not change {topic.name}: {message or for_code(code)}.")


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


async def _configured(
    admin: AIOKafkaAdminClient, topics: list[Topic]
) -> dict[str, list[tuple[Any, ...]]]:
    """The settings of each topic: name, value, whether read-only, where it was set."""
    if not topics:
        return {}
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    )
    return {resource[3]: resource[4] for answer in answers for resource in answer.resources}


class administrator:
    """Connected within the settings' deadline, or `Unavailable`; `WrongSetting` if refused."""

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
                if why := await refusal(self._settings):
                    raise WrongSetting(why) from error
                if monotonic() > limit:
                    raise Unavailable(
                        f"Kafka does not answer at {self._settings.kafka}; is it running, is "
                        "RELANCE_KAFKA its address, and RELANCE_KAFKA_SECURITY how it talks?"
                    ) from error
                await asyncio.sleep(0.3)
            else:
                return self._admin

    async def __aexit__(self, *_: object) -> None:
        await self._admin.close()
