"""notifications is stopped while it claims: nothing is left in hand that nobody sends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from services.notifications.core.delivery import Accepted, NotTaken, Result, Unclear
from services.notifications.handlers import OnPipeline
from services.notifications.providers.provider import Letter
from services.notifications.sender import Sender
from services.notifications.settings import NotificationsSettings
from shared.contract.notifications import MessageChannel
from shared.runtime import clock
from shared.runtime.companies import Companies, Company
from shared.runtime.postgres import Postgres, Transaction
from shared.runtime.service import Service, T, Unit
from tests.stack import Database, sessions_of
from tests.unit.message_house import BOOK, DIRECTORY, agent_is_told, at, event

KEY = b"a key of the house"
OPEN = at("2026-03-02T12:00")
"""Whoever is told is told at once, on whatever day the tests run."""


@pytest.fixture(autouse=True)
def open_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: OPEN)


class Provider:
    """Takes everything."""

    channel: MessageChannel = "email"
    at_once = 5

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def send(self, letter: Letter) -> Result:
        self.taken.append(letter.id)
        return Accepted()

    async def ask(self, id_: str) -> Accepted | NotTaken | Unclear:
        return Accepted() if id_ in self.taken else NotTaken("never seen")

    async def close(self) -> None: ...


class House:
    """What the sender needs of its service; a commit can be held up, or its transaction broken."""

    def __init__(self, sessions: Postgres) -> None:
        self.postgres = sessions
        self.stopping = asyncio.Event()
        self.last_companies = Companies({BOOK.tenant: Company(BOOK, DIRECTORY)})
        self.claimed, self.may_commit = asyncio.Event(), asyncio.Event()
        self.may_commit.set()
        self.bad_luck = 0
        self.failure: str | None = None

    async def companies(self, _: Transaction) -> Companies:
        return self.last_companies

    def fail(self, why: str) -> None:
        self.failure = why

    async def unit(self, fn: Unit[T], *, patience_s: float | None = 10.0) -> T:
        async def work(tx: Transaction) -> T:
            result, _ = await fn(tx)
            self.claimed.set()
            await self.may_commit.wait()
            if self.bad_luck:
                self.bad_luck -= 1
                raise ConnectionError("as the test asked")
            return result

        return await self.postgres.retried(work, patience_s)

    async def statuses(self) -> list[str]:
        async with self.postgres.transaction() as tx:
            return [row["status"] for row in await tx.fetch("select status from message")]

    async def ask_for(self, occasion: str) -> None:
        """pipeline asks for a mail to an agent."""
        asked = agent_is_told("mail-only", occasion=occasion)
        async with self.postgres.transaction() as tx:
            await OnPipeline(BOOK, DIRECTORY, KEY)(tx, [event(asked, clock.now(), occasion)])


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    async with sessions_of(database, "notifications") as sessions:
        yield House(sessions)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def sender(house: House, provider: Provider) -> Sender:
    return Sender(cast(Service, house), [provider], NotificationsSettings())


async def stopped(sender: Sender, running: asyncio.Task[None]) -> None:
    """As the service does it: its loops are cancelled, then the sender is closed."""
    running.cancel()
    await asyncio.wait({running})
    await sender.close()


async def test_what_is_being_claimed_when_it_stops_is_handed_over_and_recorded(
    house: House, provider: Provider, sender: Sender
) -> None:
    await house.ask_for("one")
    house.may_commit.clear()
    running = asyncio.create_task(sender.run())
    await asyncio.wait_for(house.claimed.wait(), 10)
    house.stopping.set()
    asyncio.get_running_loop().call_later(0.2, house.may_commit.set)

    await stopped(sender, running)

    assert await house.statuses() == ["sent"]
    assert len(provider.taken) == 1


async def test_nothing_is_claimed_once_it_is_to_stop(
    house: House, provider: Provider, sender: Sender
) -> None:
    house.stopping.set()
    await house.ask_for("one")
    running = asyncio.create_task(sender.run())
    for _ in range(2):  # the second look begins when the first has ended
        sender.wake.set()
        async with asyncio.timeout(10):
            while sender.wake.is_set():  # noqa: ASYNC110 - what clears it is the sender
                await asyncio.sleep(0.01)

    await stopped(sender, running)

    assert await house.statuses() == ["requested"]
    assert provider.taken == []


async def test_a_claim_that_bad_luck_broke_is_not_made_again_while_it_stops(
    house: House, provider: Provider, sender: Sender
) -> None:
    await house.ask_for("one")
    house.bad_luck = 1
    house.may_commit.clear()
    running = asyncio.create_task(sender.run())
    await asyncio.wait_for(house.claimed.wait(), 10)
    house.stopping.set()
    house.may_commit.set()

    await stopped(sender, running)

    assert await house.statuses() == ["requested"]
    assert provider.taken == []
