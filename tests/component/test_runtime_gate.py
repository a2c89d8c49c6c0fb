"""Nothing is judged before what came in earlier (`runtime.md` 12)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import Gauge

from shared.contract.envelope import Envelope
from shared.contract.intake import LeadReceived
from shared.contract.reminders import DigestDue, LeadOverdue
from shared.contract.topics import INTAKE, Topic
from shared.runtime import clock, kafka, metrics, topics, watermark
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service, Subscription
from shared.runtime.watermark import Gate
from tests.toy.bench import LIMIT_S, Bench, until
from tests.toy.event import note
from tests.toy.fixtures import bench
from tests.toy.service import MIGRATIONS

__all__ = ["bench"]


class Judge(Service):
    """Reads what came in and what has fired, and notes in which order it takes them up."""

    def __init__(self, bench: Bench, firings: Topic) -> None:
        super().__init__(bench.name, bench.settings, migrations=MIGRATIONS)
        self.taken: list[str] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.subscriptions += [
            Subscription(INTAKE, self.come_in, sequenced=False),
            Subscription(firings, self.fired, gated=frozenset({LeadOverdue, DigestDue})),
        ]

    async def come_in(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        """A lead; slow when `hold` says so."""
        await self.hold.wait()
        self.taken += [e.data.source for e in batch if isinstance(e.data, LeadReceived)]
        return []

    async def fired(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        """A firing."""
        self.taken += [type(envelope.data).__name__ for envelope in batch]
        return []


def _lead(source: str) -> Envelope:
    data = LeadReceived(channel="form", source=source, site="minsk")
    return _event(data.type, data, None)


def _overdue() -> Envelope:
    data = LeadOverdue(name="task", deadline_set="any", due_at=clock.now())
    return _event(data.type, data, 1)


def _event(
    type_: str, data: LeadReceived | LeadOverdue | DigestDue, sequence: int | None
) -> Envelope:
    blank = note("lead-1", sequence=sequence, id_=note("any").id, time=clock.now())
    return blank.model_copy(update={"type": type_, "data": data})


async def _judge(bench: Bench) -> tuple[Judge, AIOKafkaProducer, Topic]:
    firings = Topic(
        f"{bench.name}fire.events.v1", "toy", "lead id", 2, events=(LeadOverdue, DigestDue)
    )
    await topics.apply(bench.settings, [firings])
    producer = kafka.producer(bench.settings, client_id="test", request_timeout_ms=5000)
    await producer.start()
    judge = Judge(bench, firings)
    await judge.start()
    return judge, producer, firings


async def test_a_firing_waits_for_the_inputs_of_its_time(bench: Bench) -> None:
    judge, producer, firings = await _judge(bench)
    try:
        judge.hold.clear()
        answered = _lead(f"{bench.name} answered")
        fired = _overdue()
        await producer.send_and_wait(firings.name, fired.to_bytes(), b"lead-1")
        await producer.send_and_wait(INTAKE.name, answered.to_bytes(), b"lead-1")
        gate = Gate(judge.postgres, INTAKE, 0.25)
        passed = await gate.passed()
        assert passed is None or passed < fired.time

        async def waits_at_the_gate() -> bool:
            return "gate" in (await judge.quiet()).busy

        await until(waits_at_the_gate, "the firing to wait at the gate")
        judge.hold.set()
        await until(_has(judge, "LeadOverdue"), "the firing to be judged")

        ours = [word for word in judge.taken if word in (f"{bench.name} answered", "LeadOverdue")]
        assert ours == [f"{bench.name} answered", "LeadOverdue"]
        passed = await gate.passed()
        assert passed is not None
        assert passed >= fired.time
    finally:
        await judge.stop()
        await producer.stop()


async def test_an_input_still_on_its_way_into_the_log_is_judged_before_what_fired_later(
    bench: Bench,
) -> None:
    bench.settings = bench.settings.model_copy(update={"gate_margin_s": 3.0})
    judge, producer, firings = await _judge(bench)
    try:
        accepted = _lead(f"{bench.name} slow")  # dated here, acknowledged by Kafka much later
        fired = _overdue()
        await producer.send_and_wait(firings.name, fired.to_bytes(), b"lead-1")

        async def waits_at_the_gate() -> bool:
            return "gate" in (await judge.quiet()).busy

        await until(waits_at_the_gate, "the firing to wait at the gate")
        await producer.send_and_wait(INTAKE.name, accepted.to_bytes(), b"lead-1")
        await until(_has(judge, "LeadOverdue"), "the firing to be judged")

        ours = [word for word in judge.taken if word in (f"{bench.name} slow", "LeadOverdue")]
        assert ours == [f"{bench.name} slow", "LeadOverdue"]
    finally:
        await judge.stop()
        await producer.stop()


async def test_what_waits_for_time_is_parked_and_judged_as_soon_as_time_has_passed(
    bench: Bench,
) -> None:
    judge, producer, firings = await _judge(bench)
    try:
        early = _overdue()
        ahead = early.model_copy(update={"time": clock.now() + timedelta(seconds=6.5)})
        await producer.send_and_wait(firings.name, ahead.to_bytes(), b"lead-1")

        async def is_parked() -> bool:
            return bool(await judge.postgres.pool.fetchval("select waits_for = 'gate' from parked"))

        await until(is_parked, "the firing to be parked")
        assert (await judge.quiet()).busy == ["parking"]
        await until(_has(judge, "LeadOverdue"), "the firing to be judged")
        assert clock.now() >= ahead.time
    finally:
        await judge.stop()
        await producer.stop()


async def test_who_is_stopped_does_not_wait_for_a_gate_that_nobody_can_open(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watermark, "_IN_PLACE_S", 3600)
    judge, producer, firings = await _judge(bench)
    in_an_hour = _overdue().model_copy(update={"time": clock.now() + timedelta(hours=1)})
    await producer.send_and_wait(firings.name, in_an_hour.to_bytes(), b"lead-1")
    await producer.stop()

    async def waits_at_the_gate() -> bool:
        return "gate" in (await judge.quiet()).busy

    await until(waits_at_the_gate, "the firing to wait at the gate")
    async with asyncio.timeout(LIMIT_S):
        await judge.stop()
    judge = Judge(bench, firings)
    await judge.start()

    await until(waits_at_the_gate, "the firing to be read again")
    assert "LeadOverdue" not in judge.taken
    await judge.stop()


async def test_a_digest_waits_ten_minutes_at_most(bench: Bench) -> None:
    judge, producer, firings = await _judge(bench)
    try:
        judge.hold.clear()
        await producer.send_and_wait(INTAKE.name, _lead("late").to_bytes(), b"lead-1")
        now = clock.now()
        data = DigestDue(agent="anna", date=now.date(), due_at=now)
        stale = _event(data.type, data, 1).model_copy(update={"time": now - timedelta(minutes=11)})
        await judge.postgres.pool.execute("update watermark set passed_at = $1", now - timedelta(1))
        await producer.send_and_wait(firings.name, stale.to_bytes(), b"anna")

        await until(_has(judge, "DigestDue"), "the digest")
        assert "late" not in judge.taken
    finally:
        judge.hold.set()
        await judge.stop()
        await producer.stop()


async def test_how_far_behind_judging_is_can_be_measured(bench: Bench) -> None:
    judge, producer, _ = await _judge(bench)
    try:
        gate = Gate(judge.postgres, INTAKE, 0.25)

        async def all_read() -> bool:
            return await gate.passed() is not None

        await until(all_read, "every partition to have been read")
        judge.hold.clear()  # the consumer stands still, and with it the time that has passed
        await producer.send_and_wait(INTAKE.name, _lead("slow").to_bytes(), b"lead-1")
        gate.waiting = 3

        async def behind() -> bool:
            hour_ago = clock.now() - timedelta(hours=1)
            await judge.postgres.pool.execute("update watermark set passed_at = $1", hour_ago)
            await gate.measure()
            return _value(metrics.GATE_BEHIND_SECONDS) > 3000

        await until(behind, "judging to be told as an hour behind")
        assert _value(metrics.GATE_WAITING) == 3
    finally:
        judge.hold.set()
        await judge.stop()
        await producer.stop()


def _value(gauge: Gauge) -> float:
    return float(next(iter(gauge.collect())).samples[0].value)


def _has(judge: Judge, word: str) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return word in judge.taken

    return holds
