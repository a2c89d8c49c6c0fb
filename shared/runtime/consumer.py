"""The consumer: a FastStream batch subscriber whose offsets follow the database (rules 1, 2)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from time import monotonic

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import FAKE_CONSUMER, KafkaMessage

from shared.contract.topics import Topic
from shared.domain.count import counted
from shared.runtime import clock, failpoint, kafka, metrics
from shared.runtime.activity import Activity
from shared.runtime.effect import Effect, Fail, Stopping
from shared.runtime.position import gone, jumped
from shared.runtime.settings import Settings

log = structlog.get_logger(__name__)

_COMMIT_EVERY_S = 1.0
_PLENTY = 100
"""So many records are worth a transaction, however soon after the last one."""
STILL_AT_MOST_S = 60.0
"""A partition with a lag has to move within so many seconds (rule 8)."""


class Consumer:
    """One group member on some topics: fetches, has the effect done, commits offsets after it."""

    def __init__(
        self,
        broker: KafkaBroker,
        settings: Settings,
        topics: Sequence[Topic],
        group: str,
        effect: Effect,
        *,
        pace_s: float,
        member: int,
        activity: Activity,
        fail: Fail,
        ends: kafka.Ends,
    ) -> None:
        """`member`: the how-manieth of its group in this process, from 0."""
        self.topics = tuple(topics)
        self.group = group
        self._compacted = frozenset(topic.name for topic in topics if topic.compacted)
        self._effect = effect
        self._pace_s = pace_s
        self._activity = activity
        self._fail = fail
        self._ends = ends
        self._in_hand = asyncio.Lock()
        self._stopped = False
        self._processed: dict[TopicPartition, int] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._lags: dict[TopicPartition, int] = {}
        self._moved_s: dict[TopicPartition, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscriber = broker.subscriber(
            *(topic.name for topic in topics),
            group_id=group,
            batch=True,
            ack_policy=AckPolicy.MANUAL,
            listener=_Listener(self),
            parser=_as_it_came,
            decoder=_untouched,
            no_reply=True,
            **kafka.subscriber_options(settings, member),
        )
        self._subscriber(self._on_batch)

    @property
    def processed(self) -> Mapping[TopicPartition, int]:
        """The next record of each assigned partition, after what has taken effect."""
        return self._processed

    @property
    def client(self) -> AIOKafkaConsumer | None:
        """aiokafka's consumer, once started."""
        return self._subscriber.consumer

    async def start(self) -> None:
        """Join the group."""
        await self._subscriber.start()

    async def stop(self) -> None:
        """Finish the batch in hand, commit its offsets, leave the group."""
        async with self._in_hand:
            self._stopped = True
            await self.commit()
        if self.client is not None:
            kafka.leave_at_stop(self.client)
        await self._subscriber.stop()
        for task in tuple(self._tasks):
            task.cancel()

    async def ends(self) -> dict[TopicPartition, int]:
        """Where the log of each assigned partition ends now; also measures the lag."""
        ends = await self._ends.of(self.client.assignment() if self.client else ())
        for tp, end in ends.items():
            lag = end - self._processed.get(tp, end)
            metrics.LAG.labels(topic=tp.topic, partition=tp.partition).set(max(0, lag))
            if lag <= 0 or tp not in self._moved_s:
                self._moved_s[tp] = monotonic()
            self._lags[tp] = lag
            if lag < 0:
                await self._check(tp, self._processed.get(tp))
        return ends

    def still(self) -> list[str]:
        """Partitions that have a lag and have not moved for a minute, in words (rule 8).

        A batch that waits for better luck is no reason to end the process: another one would
        wait as well. That it waits is told by readiness and `relance_bad_luck_total`.
        """
        if self._effect.waiting:
            return []
        now_s = monotonic()
        return [
            f"{tp.topic}/{tp.partition} of {self.group} has not moved for {now_s - at:.0f} s "
            f"({counted(self._lags.get(tp, 0), 'record waits', 'records wait')})"
            for tp, at in self._moved_s.items()
            if self._lags.get(tp, 0) > 0 and now_s - at > STILL_AT_MOST_S
        ]

    async def run_lag(self) -> None:
        """Measure the lag each second."""
        while True:
            await self.ends()
            await asyncio.sleep(1)

    async def run_commits(self) -> None:
        """Commit offsets at most once a second: each commit costs 7-10 ms."""
        while True:
            await asyncio.sleep(_COMMIT_EVERY_S)
            await self.commit()

    async def commit(self) -> None:
        """Tell the group how far the database is; a failure only means repeats, which die."""
        client = self.client
        if client is None:
            return
        assigned = client.assignment()
        news = {
            tp: offset
            for tp, offset in self._processed.items()
            if tp in assigned and self._committed.get(tp) != offset
        }
        if not news:
            return
        try:
            await client.commit(news)
        except (KafkaError, IllegalStateError) as error:
            log.info("offsets not committed this time", group=self.group, error=repr(error))
        else:
            self._committed.update(news)
            failpoint.here("offsets.committed")

    async def _on_batch(self, records: tuple[ConsumerRecord[bytes, bytes], ...]) -> None:
        # Before anything is awaited: `processed` must not run ahead of what is in hand.
        for record in records:
            self._processed.setdefault(
                TopicPartition(record.topic, record.partition), record.offset
            )
        if (gap := self._gap(records)) is not None:
            self._stopped = True
            self._fail(gap)
            return
        began_s = monotonic()
        with self._activity.of(f"batch of {self.group}"):
            async with self._in_hand:
                if self._stopped:
                    return
                await self._take(records)
        if len(records) < _PLENTY:
            await self._pace(began_s)

    async def _pace(self, began_s: float) -> None:
        """Let more come before the next batch, where nobody waits for it."""
        left_s = self._pace_s - (monotonic() - began_s)
        if left_s > 0 and not clock.is_stepping():
            await asyncio.sleep(left_s)

    async def _take(self, records: tuple[ConsumerRecord[bytes, bytes], ...]) -> None:
        try:
            await self._effect(records)
        except Stopping:
            self._stopped = True
        except Exception as error:
            # Never out of here: FastStream would swallow it and fetch the next batch.
            self._stopped = True
            log.critical("a batch cannot take effect", group=self.group, exc_info=error)
            self._fail(f"{self.group}: {type(error).__name__}: {error}")
        else:
            for record in records:
                self._processed[TopicPartition(record.topic, record.partition)] = record.offset + 1
            now_s = monotonic()
            for tp in {TopicPartition(record.topic, record.partition) for record in records}:
                self._moved_s[tp] = now_s

    def _gap(self, records: tuple[ConsumerRecord[bytes, bytes], ...]) -> str | None:
        """Why these records cannot be next: Kafka lost others, or began anew (rule 3).

        The client itself only goes on at the earliest record there is. On a compacted topic gaps
        are what compaction leaves.
        """
        first: dict[TopicPartition, int] = {}
        for record in records:
            first.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        for tp, came in first.items():
            expected = self._processed[tp]
            if came < expected or (came > expected and tp.topic not in self._compacted):
                return jumped(f"{tp.topic}/{tp.partition}", self.group, expected, came)
        return None

    async def revoked(self, partitions: Iterable[TopicPartition]) -> None:
        """Wait for the batch in hand, commit it, forget the partitions."""
        async with self._in_hand:
            await self.commit()
            self._forget(partitions)

    def assigned(self, partitions: Iterable[TopicPartition]) -> None:
        """Learn where the new partitions stand."""
        self._forget(partitions)
        for tp in partitions:
            task = asyncio.create_task(self._learn(tp))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _learn(self, tp: TopicPartition) -> None:
        if self.client is None:
            return
        try:
            # Not the position: where the group's own is gone, the client has chosen another.
            committed = await self.client.committed(tp)
            await self._check(tp, committed)
            position = await self.client.position(tp)
        except (KafkaError, IllegalStateError):
            return  # lost again meanwhile
        # A batch fetched before this line has set it to its first record already.
        self._processed.setdefault(tp, position)

    async def _check(self, tp: TopicPartition, position: int | None) -> None:
        """End the process if Kafka no longer has where the group stands (rule 3)."""
        kept = await self._ends.range_of(tp)
        if kept is None or position is None or self._stopped:
            return
        if tp.topic in self._compacted and position < kept.begins:
            return
        if (why := gone(f"{tp.topic}/{tp.partition}", self.group, position, kept)) is not None:
            self._stopped = True
            self._fail(why)

    def _forget(self, partitions: Iterable[TopicPartition]) -> None:
        for tp in partitions:
            with suppress(KeyError):  # another member measures it now
                metrics.LAG.remove(tp.topic, str(tp.partition))
            for known in (self._processed, self._committed, self._lags, self._moved_s):
                known.pop(tp, None)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Made before aiokafka's consumer exists, so it is given ours."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self._consumer.revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._consumer.assigned(assigned)


async def _as_it_came(message: tuple[ConsumerRecord[bytes, bytes], ...]) -> KafkaMessage:
    """Touch no header: FastStream's own parser stops a partition on one that is not UTF-8."""
    return KafkaMessage(body=message, raw_message=message, headers={}, consumer=FAKE_CONSUMER)


async def _untouched(message: KafkaMessage) -> object:
    return message.raw_message
