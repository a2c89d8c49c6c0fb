"""What is done to an office: each fault once, and how often in the long form."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from relance.stack.family import frozen
from shared.runtime.topics import administrator
from tests.component.test_runtime_poison import POISON
from tests.faults import office_relay
from tests.faults.office import SESSION_S, Office
from tests.toy.event import note
from tests.toy.process import Process

Once = Callable[[Office, random.Random], Awaitable[float | None]]
"""Seconds if it looks itself for what the recovery is; else the office is probed."""
PLACES = (
    "batch.begun",
    "batch.done",
    "batch.committed",
    "offsets.committed",
    "parking.done",
    "parking.committed",
    "unit.done",
    "unit.committed",
    "relay.begun",
    "relay.published",
    "relay.deleted",
)
"""The failpoints that a toy comes to; the others are the whole system's."""
LOCKED_S = 5.5
DIES_WITHIN_S = 60.0


@dataclass(frozen=True)
class Fault:
    """`times` in the long form; `events` at least, `per_s` of them; `copies` of each note.

    `each`: how many faults one time is.
    """

    name: str
    once: Once
    times: int
    events: int = 200
    per_s: float = 300.0
    copies: int = 1
    brokers: int = 1
    each: int = 1
    note: str = ""


# -- members -------------------------------------------------------------------------------------


def killed_at(place: str) -> Once:
    """All members are armed; the first that comes to the place dies there, the others with it."""

    async def once(office: Office, chance: random.Random) -> None:
        times = 1 if place.startswith(("parking", "offsets")) else chance.randint(1, 8)
        for clerk in office.clerks:
            clerk.kill()
            clerk.start({"RELANCE_FAILPOINT": f"{place}:{times}"})
        async with asyncio.timeout(DIES_WITHIN_S):
            while not any(_is_dead(clerk) for clerk in office.clerks):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for clerk in office.clerks:
            clerk.kill()
            clerk.start()
        await _ready(office.clerks)

    return once


async def killed_at_each(office: Office, chance: random.Random) -> None:
    """Every place once: each member is armed with the next one whenever it has died."""
    places = list(PLACES)

    async def lane(clerk: Process) -> None:
        clerk.kill()
        while places:
            clerk.start({"RELANCE_FAILPOINT": places.pop()})
            async with asyncio.timeout(DIES_WITHIN_S):
                while not _is_dead(clerk):  # noqa: ASYNC110 - the system tells
                    await asyncio.sleep(0.02)
        await office.restart(clerk)

    await asyncio.gather(*map(lane, office.clerks))


def _is_dead(clerk: Process) -> bool:
    code = clerk.child.poll()
    assert code in (None, -9), f"a member ended with {code}: {clerk.log.read_text()[-2000:]}"
    return code is not None


async def killed_at_random(office: Office, chance: random.Random) -> None:
    """Each member once, each at its own moment."""

    async def kill(clerk: Process, in_s: float) -> None:
        await asyncio.sleep(in_s)
        clerk.kill()
        await office.restart(clerk)

    await asyncio.gather(*(kill(clerk, chance.uniform(0, 1.5)) for clerk in office.clerks))


def held(seconds: float) -> Once:
    """SIGSTOP: long enough to lose its partitions, its lock and its transaction; then SIGCONT."""

    async def once(office: Office, chance: random.Random) -> None:
        with frozen(chance.choice(office.clerks).child.pid):
            await asyncio.sleep(seconds)

    return once


async def rolling_restart(office: Office, chance: random.Random) -> None:
    for clerk in office.clerks:
        code = await asyncio.to_thread(clerk.stop)
        assert code == 0, f"a member ended with {code}"
        await office.restart(clerk)


async def scaled(office: Office, chance: random.Random) -> None:
    """1 -> 4 -> 1, in order."""
    while len(office.clerks) > 1:
        await office.dismiss(office.clerks[-1])
    await _ready([office.hire() for _ in range(3)])
    await asyncio.sleep(1.0)
    while len(office.clerks) > 1:
        await office.dismiss(office.clerks[-1])


async def _ready(clerks: Sequence[Process]) -> None:
    for clerk in clerks:
        await asyncio.to_thread(clerk.wait_ready)


# -- PostgreSQL ----------------------------------------------------------------------------------


async def database_crash(office: Office, chance: random.Random) -> None:
    postgres = office.ground.postgres
    await asyncio.to_thread(postgres.crash)
    await asyncio.to_thread(postgres.start)


def database_away(seconds: float) -> Once:
    async def once(office: Office, chance: random.Random) -> None:
        postgres = office.ground.postgres
        await asyncio.to_thread(postgres.crash)
        async with office.only_waiting():
            await asyncio.sleep(seconds)
        await asyncio.to_thread(postgres.start)

    return once


async def backends_killed(office: Office, chance: random.Random) -> None:
    async with office.books() as session:
        await session.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = $1 and pid <> pg_backend_pid()",
            f"relance-{office.name}",
        )


async def locked(office: Office, chance: random.Random) -> None:
    """Somebody holds a table for longer than we wait for a lock (5 s)."""
    async with office.books() as session, session.transaction():
        await session.execute("lock table tally in access exclusive mode")
        async with office.only_waiting():
            await asyncio.sleep(LOCKED_S)


# -- Kafka ---------------------------------------------------------------------------------------


def kafka_frozen(seconds: float) -> Once:
    async def once(office: Office, chance: random.Random) -> None:
        assert office.ground.kafka.pid is not None
        with frozen(office.ground.kafka.pid):
            async with office.only_waiting():
                await asyncio.sleep(seconds)

    return once


async def kafka_killed(office: Office, chance: random.Random) -> None:
    await asyncio.to_thread(office.ground.kafka.kill)
    await asyncio.to_thread(office.ground.kafka.start)


async def leader_killed(office: Office, chance: random.Random) -> None:
    """One broker of three, the leader of what the office reads; it comes back whole."""
    kafka = office.ground.kafka
    leader = (await _partitions(office))[chance.randrange(4)]["leader"]
    await asyncio.to_thread(kafka.broker(leader).kill)
    await asyncio.sleep(chance.uniform(0.5, 3.0))
    await asyncio.to_thread(kafka.broker(leader).start)
    async with asyncio.timeout(DIES_WITHIN_S):
        while not all(len(p["isr"]) == 3 for p in await _partitions(office)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def _partitions(office: Office) -> list[dict[str, Any]]:
    async with administrator(office.settings) as admin:
        (described,) = await admin.describe_topics([office.source.name])
    return sorted(described["partitions"], key=lambda each: int(each["partition"]))


# -- what is told --------------------------------------------------------------------------------


async def poison(office: Office, chance: random.Random) -> None:
    """Every kind that the decoder refuses, small and with 2 MB; each is set aside by itself."""
    mega = "x" * 2_000_000
    large: list[bytes] = [
        b"<lead>" + mega.encode(),
        json.dumps({"mega": mega}).encode(),
        note("fat", "@" + mega).to_bytes().replace(b"@", b"\\u0000"),
        note(f"fat-{chance.random()}", mega, sequence=1).to_bytes(),
    ]
    for value in (*(value for value, _ in POISON.values()), *large):
        await (await office.put(f"lead-{chance.randrange(40)}", value))
        office.poisoned += 1


async def nothing(office: Office, chance: random.Random) -> None:
    """Only time passes."""
    await asyncio.sleep(2)


FAULTS: tuple[Fault, ...] = (
    *(Fault(f"kill -9 at {place}", killed_at(place), 3) for place in PLACES),
    Fault(
        "kill -9 at random, each member", killed_at_random, 50, events=150_000, per_s=900, each=2
    ),
    Fault("SIGSTOP 30 s, SIGCONT", held(30.0), 2),
    Fault("relay killed, another publishes", office_relay.killed, 5, note=office_relay.NOTE),
    Fault("relay frozen, another publishes", office_relay.held, 3, note=office_relay.NOTE),
    Fault("SIGTERM, one after the other", rolling_restart, 5),
    Fault("scaled 1 -> 4 -> 1", scaled, 3, note="one to four members"),
    Fault("PostgreSQL crash and restart", database_crash, 20),
    Fault("PostgreSQL away 10 s", database_away(10.0), 1),
    Fault("all its sessions killed", backends_killed, 10),
    Fault("a lock held 5.5 s", locked, 3),
    Fault("Kafka frozen 1 s", kafka_frozen(1.0), 5),
    Fault("Kafka frozen 30 s", kafka_frozen(30.0), 1),
    Fault("Kafka kill -9 and restart", kafka_killed, 3),
    Fault("leader of three brokers killed", leader_killed, 20, brokers=3),
    Fault("poison of every kind, 2 MB too", poison, 5),
    Fault("everything told five times", nothing, 2, events=5_000, copies=5),
)

SEEDS: tuple[Fault, ...] = (
    Fault("kill -9 at every named point", killed_at_each, 1, each=len(PLACES)),
    Fault("SIGSTOP, partitions lost, SIGCONT", held(SESSION_S + 2.0), 1),
    Fault("kill -9 at random, each member", killed_at_random, 2, each=2),
    Fault("relay killed, another publishes", office_relay.killed, 1),
    Fault("SIGTERM, one after the other", rolling_restart, 1),
    Fault("PostgreSQL crash and restart", database_crash, 2),
    Fault("all its sessions killed", backends_killed, 2),
    Fault("a lock held 5.5 s", locked, 1),
    Fault("Kafka frozen 1 s", kafka_frozen(1.0), 1),
    Fault("poison of every kind, 2 MB too", poison, 1),
    Fault("everything told five times", nothing, 1, copies=5),
    Fault("scaled 1 -> 4 -> 1", scaled, 1),
)
"""A few seconds of those that can be short, for `make test`."""
