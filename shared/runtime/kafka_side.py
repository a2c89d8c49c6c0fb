"""The Kafka side of a service: its consumers, its relay or producer, its directory."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared.contract.topics import DIRECTORY, INTAKE, TOPICS, Topic
from shared.runtime import kafka, topics
from shared.runtime.bad_code import Fingerprints
from shared.runtime.batch import Outcome
from shared.runtime.consumer import Consumer
from shared.runtime.effect import Effect, EventEffect, RawEffect
from shared.runtime.parking import Parking
from shared.runtime.relay import Relay
from shared.runtime.subscription import Subscription
from shared.runtime.tasks import Tasks
from shared.runtime.watermark import Gate, Ticker

if TYPE_CHECKING:
    from shared.runtime.service import Service

_DRAIN_S = 5.0
_DIRECTORY_PARTITION = TopicPartition(DIRECTORY.name, 0)


class KafkaSide:
    """Made with the service; connected at start."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._consumers: list[Consumer] = []
        self._broker: KafkaBroker | None = None
        self._relay: Relay | None = None
        self._parking: Parking | None = None
        self._gate: Gate | None = None
        self._ends = kafka.Ends(service.settings)

    async def connect(self) -> None:
        """Check the topics, then read the directory to its end: before anything else (rule 11)."""
        service = self._service
        await topics.check(service.settings, self._touched())
        await self._ends.start()
        self._broker = kafka.broker(service.settings, service.name)
        await self._broker.connect()
        if not service.has_database:
            await service.doors.start()
            await service.known.start()
            return
        self._build()
        table = service.directory_table
        await self._consumer((DIRECTORY,), None, table).start()
        end = await self._ends.of_filled(_DIRECTORY_PARTITION)
        await table.wait_for(end, service.settings.dependency_deadline_s)

    async def consume(self, tasks: Tasks) -> None:
        """Join the groups, and start everything that runs beside them."""
        service = self._service
        subscribed = [member for s in service.subscriptions for member in self._members(s)]
        raw = [
            self._consumer(s.topics, s.group, RawEffect(s.handler, service.stopping))
            for s in service.raw_subscriptions
        ]
        await asyncio.gather(*(consumer.start() for consumer in (*subscribed, *raw)))
        for consumer in self._consumers:
            tasks.start(consumer.run_commits)
        if self._relay and self._parking:
            tasks.start(self._relay.run)
            tasks.start(self._parking.run)
        else:
            tasks.start(service.known.run)
        self._tick(tasks)

    async def leave(self) -> None:
        """Finish the batches in hand, commit their offsets, leave the groups."""
        await asyncio.gather(*(consumer.stop() for consumer in self._consumers))

    async def drain(self) -> None:
        """Let the relay publish what is left, for a few seconds; the next start does the rest."""
        limit = monotonic() + _DRAIN_S
        relay = self._relay
        if relay is None or not relay.is_elected:
            return
        relay.wake.set()
        while monotonic() < limit and not await relay.drained():  # noqa: ASYNC110 - a table tells
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        """Close every connection."""
        if not self._service.has_database:
            await self._service.doors.stop()
            await self._service.known.stop()
        if self._broker is not None:
            await self._broker.stop()
        await self._ends.stop()

    def committed(self, outcome: Outcome) -> None:
        """Wake the relay, and the parking if something waits."""
        if self._relay and outcome.emitted:
            self._relay.wake.set()
        if self._parking:
            self._parking.noticed(outcome)

    def topics(self) -> dict[str, int]:
        """What the service reads, with the number of partitions."""
        read = {topic for consumer in self._consumers for topic in consumer.topics}
        return {topic.name: topic.partitions for topic in (DIRECTORY, *read)}

    def positions(self) -> dict[str, int]:
        """The next record of every assigned partition, as `topic/partition`."""
        places: dict[str, int] = {}
        for consumer in self._consumers:
            for tp, offset in consumer.processed.items():
                place = f"{tp.topic}/{tp.partition}"
                places[place] = min(offset, places.get(place, offset))
        return places if self._service.has_database else places | self._service.known.positions()

    async def busy(self) -> list[str]:
        """What is not done yet, in words."""
        words = []
        if self._relay and not await self._relay.drained():
            words.append("outbox")
        if self._parking and not self._parking.is_settled():
            words.append("parking")
        if self._gate and self._gate.waiting:
            words.append("gate")
        return words

    def still(self) -> list[str]:
        """Partitions that should move and do not (rule 8)."""
        return [word for consumer in self._consumers for word in consumer.still()]

    async def answers(self) -> bool:
        """Whether a broker answers within 2 s."""
        try:
            async with asyncio.timeout(2):
                return bool(await self._ends.of([_DIRECTORY_PARTITION]))
        except (KafkaError, TimeoutError, OSError):
            return False

    def _build(self) -> None:
        service = self._service
        self._relay = Relay(service.name, service.settings, service.postgres, service.activity)
        if any(subscription.gated for subscription in service.subscriptions):
            self._gate = Gate(service.postgres, INTAKE, service.settings.gate_margin_s)
        self._parking = Parking(
            service.name,
            service.subscriptions,
            service.postgres,
            gate=self._gate,
            activity=service.activity,
            committed=service.committed,
        )

    def _tick(self, tasks: Tasks) -> None:
        """Each consumer's lag is measured; those a gate reads also keep the watermark."""
        read = [each for each in self._consumers if self._gate and INTAKE in each.topics]
        if self._gate and read:
            tasks.start(Ticker(self._service.postgres, self._gate, read).run)
        for consumer in self._consumers:
            if consumer not in read:
                tasks.start(consumer.run_lag)

    def _members(self, subscription: Subscription) -> list[Consumer]:
        """So many as the subscription asks for; what they run into is counted together."""
        faults = Fingerprints()
        topics_, group, pace_s = (subscription.topic,), subscription.group, subscription.pace_s
        return [
            self._consumer(topics_, group, self._effect(subscription, faults), pace_s, member)
            for member in range(subscription.members)
        ]

    def _effect(self, subscription: Subscription, faults: Fingerprints) -> Effect:
        return EventEffect(
            self._service.name,
            subscription,
            self._service.postgres,
            faults=faults,
            stopping=self._service.stopping,
            committed=self._service.committed,
            gate=self._gate if subscription.gated else None,
            keeps_watermark=self._gate is not None and subscription.topic == INTAKE,
        )

    def _consumer(
        self,
        topics_: tuple[Topic, ...],
        group: str | None,
        effect: Effect,
        pace_s: float = 0,
        member: int = 0,
    ) -> Consumer:
        assert self._broker is not None  # connect() comes first
        service = self._service
        names = "+".join(topic.name for topic in topics_)
        consumer = Consumer(
            self._broker,
            service.settings,
            topics_,
            group or f"{service.name}.{names}",
            effect,
            pace_s=pace_s,
            member=member,
            activity=service.activity,
            fail=service.fail,
            ends=self._ends,
        )
        self._consumers.append(consumer)
        return consumer

    def _touched(self) -> list[Topic]:
        """The topics this service reads or writes."""
        service = self._service
        read = {s.topic for s in service.subscriptions}
        read |= {topic for s in service.raw_subscriptions for topic in s.topics}
        return [
            topic
            for topic in {*TOPICS, *read}
            if topic in read or topic == DIRECTORY or topic.writer == service.name
        ]
