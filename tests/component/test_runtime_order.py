"""Repeats are dropped, gaps wait, facts may come late (`runtime.md` 9, 10, 11, 24)."""

import json
from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from shared.contract.envelope import Envelope
from shared.runtime import inbox, migration, sequence
from shared.runtime.postgres import Transaction
from shared.runtime.subscription import Park, Quarantine
from tests.toy.bench import Bench, until
from tests.toy.event import note
from tests.toy.fixtures import bench
from tests.toy.service import MIGRATIONS, Toy, write_down

__all__ = ["bench"]


async def test_an_event_told_twice_takes_effect_once(bench: Bench) -> None:
    await bench.toy()
    for number in (1, 2, 2, 1, 3, 3):
        await bench.tell(note("lead-1", f"n{number}", sequence=number))

    assert await bench.told_of("lead-1", 3) == ["n1", "n2", "n3"]
    assert len(await bench.told(3)) == 3


async def test_a_gap_waits_and_is_closed_in_order(bench: Bench) -> None:
    toy = await bench.toy()
    for number in (1, 4, 3, 5):
        await bench.tell(note("lead-1", f"n{number}", sequence=number))
    await bench.tell(note("lead-2", "not held up", sequence=1))
    await bench.told_of("lead-2", 1)
    await bench.parked(toy, 3)
    assert await bench.told_of("lead-1", 1) == ["n1"]

    await bench.tell(note("lead-1", "n2", sequence=2))

    assert await bench.told_of("lead-1", 5) == ["n1", "n2", "n3", "n4", "n5"]
    await bench.parked(toy, 0)


async def test_what_waited_and_came_again_takes_effect_once(bench: Bench) -> None:
    toy = await bench.toy()
    for number in (3, 3, 2, 3):
        await bench.tell(note("lead-1", f"n{number}", sequence=number))
    await bench.parked(toy, 4)

    await bench.tell(note("lead-1", "n1", sequence=1))

    await bench.parked(toy, 0)
    assert await bench.told_of("lead-1", 3) == ["n1", "n2", "n3"]


async def test_an_event_type_of_a_newer_release_parks_its_lead_and_nobody_else(
    bench: Bench,
) -> None:
    toy = await bench.toy()
    newer = json.loads(note("lead-1", sequence=1).to_bytes())
    newer["type"] = "relance.lead.teleported.v1"
    await bench.put(json.dumps(newer).encode(), key=b"lead-1")
    await bench.tell(note("lead-1", "later", sequence=2))
    await bench.tell(note("lead-2", "hello", sequence=1))

    assert await bench.told_of("lead-2", 1) == ["hello"]
    await bench.parked(toy, 2)
    reasons = await toy.postgres.pool.fetch("select waits_for from parked order by sequence")
    assert [row["waits_for"] for row in reasons] == ["type", "gap"]


async def test_an_event_that_needs_a_fact_waits_for_it_with_its_lead(bench: Bench) -> None:
    known: list[str] = []

    def refuse(envelope: Envelope) -> Exception | None:
        missing = envelope.subject == "lead-1" and envelope.sequence == 2 and not known
        return Park(envelope.id, "agent 'zoe' is not in the directory") if missing else None

    toy = await bench.toy(refuse=refuse)
    for number in (1, 2, 3):
        await bench.tell(note("lead-1", f"n{number}", sequence=number))
        await bench.tell(note("lead-2", f"n{number}", sequence=number))
    assert await bench.told_of("lead-2", 3) == ["n1", "n2", "n3"]
    await bench.parked(toy, 2)

    known.append("zoe")

    assert await bench.told_of("lead-1", 3) == ["n1", "n2", "n3"]
    await bench.parked(toy, 0)


async def test_a_fact_that_does_not_come_in_ten_minutes_sets_the_event_aside(
    bench: Bench,
) -> None:
    toy = await bench.toy(refuse=lambda envelope: Park(envelope.id, "no such agent"))
    await bench.tell(note("lead-1", sequence=1))
    await bench.parked(toy, 1)

    async def eleven_minutes_later() -> bool:
        aged = "update parked set parked_at = now() - interval '11 min', tried_at = null"
        return bool(await toy.postgres.pool.execute(aged) == "UPDATE 0")

    await until(eleven_minutes_later, "the event to be given up")

    letters = await bench.letters(toy)
    assert letters[0]["why"] == "no such agent (waited 10 minutes)"
    await bench.parked(toy, 0)


async def test_a_handler_may_name_the_event_it_cannot_take(bench: Bench) -> None:
    def refuse(envelope: Envelope) -> Exception | None:
        return Quarantine(envelope.id, "upside down") if envelope.subject == "lead-3" else None

    for number in range(6):
        await bench.tell(note(f"lead-{number}", sequence=1))
    toy = await bench.toy(refuse=refuse)

    assert len(await bench.told(5)) == 5
    assert [q["why"] for q in await bench.letters(toy)] == ["upside down"]


async def test_an_input_from_outside_sent_twice_takes_effect_once(bench: Bench) -> None:
    first, second = note("person-1", "first"), note("person-1", "second")
    await bench.toy(sequenced=False)
    for envelope in (first, first, second, first, second):
        await bench.tell(envelope)

    assert await bench.told_of("person-1", 2) == ["first", "second"]
    await bench.tell(note("person-2", "last"))
    await bench.told_of("person-2", 1)
    assert len(await bench.told(3)) == 3


async def test_inputs_of_a_person_keep_their_order_behind_one_that_waits(bench: Bench) -> None:
    known: list[str] = []

    def refuse(envelope: Envelope) -> Exception | None:
        missing = envelope.id == waits.id and not known
        return Park(envelope.id, "site 'minsk' is not in the directory") if missing else None

    waits = note("person-1", "first")
    toy = await bench.toy(sequenced=False, refuse=refuse)
    await bench.tell(waits)
    await bench.parked(toy, 1)
    await bench.tell(note("person-1", "second"))
    await bench.tell(waits)
    await bench.tell(note("person-2", "not held up"))
    await bench.told_of("person-2", 1)
    await bench.parked(toy, 2)

    known.append("minsk")

    assert await bench.told_of("person-1", 2) == ["first", "second"]
    await bench.parked(toy, 0)


async def test_what_a_service_says_is_numbered_without_gaps_and_kept_in_order(
    bench: Bench,
) -> None:
    for number in range(1, 21):
        for lead in ("lead-1", "lead-2", "lead-3"):
            await bench.tell(note(lead, f"n{number}", sequence=number))
    await bench.toy(echo=True)

    records = await bench.records(f"{bench.name}.events.v1", 60)

    said: dict[str, list[int]] = {}
    for record in records:
        event = json.loads(record.value or b"")
        assert record.key == event["subject"].encode()
        assert dict(record.headers)["content-type"].startswith(b"application/cloudevents+json")
        said.setdefault(event["subject"], []).append(event["sequence"])
    assert said == {lead: list(range(1, 21)) for lead in ("lead-1", "lead-2", "lead-3")}


async def test_what_another_member_takes_up_at_the_same_moment_is_a_repeat_and_no_bad_data(
    bench: Bench,
) -> None:
    class Overtaken(Toy):
        async def take(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
            async with self.postgres.transaction() as other:
                if await sequence.read(other, [("/elsewhere", "lead-1")]) == {}:
                    await write_down(other, batch)
                    await sequence.advance(other, {}, {("/elsewhere", "lead-1"): 1})
            return await super().take(tx, batch)

    await bench.tell(note("lead-1", "once", sequence=1))
    toy = Overtaken(bench.name, bench.settings, [bench.source])
    await toy.start()
    bench.adopt(toy)
    await bench.tell(note("lead-1", "and then", sequence=2))

    assert await bench.told_of("lead-1", 2) == ["once", "and then"]
    assert await toy.postgres.pool.fetchval("select count(*) from quarantine") == 0


async def test_an_idempotency_key_is_claimed_by_one_caller_only(bench: Bench) -> None:
    toy = await bench.toy()
    key = note("any").id
    async with toy.postgres.transaction() as tx:
        assert await inbox.claim(tx, key)
        assert not await inbox.claim(tx, key)
    async with toy.postgres.transaction() as tx:
        assert not await inbox.claim(tx, key)


async def test_a_service_forgets_inputs_of_more_than_120_days_ago_and_no_younger_ones(
    bench: Bench,
) -> None:
    address = bench.settings.postgres.get_secret_value()
    await migration.apply(address, bench.name, MIGRATIONS)
    session = await asyncpg.connect(address, server_settings={"search_path": bench.name})
    await session.executemany(
        "insert into inbox (id, seen_at) values ($1, now() - $2::interval)",
        [(note("x").id, timedelta(days=days)) for days in (1, 119, 121, 400)],
    )
    await bench.toy()

    async def forgotten() -> bool:
        return bool(await session.fetchval("select count(*) = 2 from inbox"))

    await until(forgotten, "two ids left in the inbox")
    assert await session.fetchval("select min(seen_at) > now() - interval '120 days' from inbox")
    await session.close()
