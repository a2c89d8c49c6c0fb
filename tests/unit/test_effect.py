"""Bad luck waits, and a batch that goes on failing is halved (`runtime.md` 6)."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.runtime import effect
from shared.runtime.bad_code import Fingerprints
from shared.runtime.batch import Outcome
from shared.runtime.decoder import Item
from shared.runtime.effect import EventEffect, Stopping
from shared.runtime.postgres import Postgres
from shared.runtime.subscription import Subscription
from tests.toy.service import toy_topic


class Heavy(EventEffect):
    """A database for which more than `most` events at once are too many."""

    def __init__(self, most: int, stopping: asyncio.Event | None = None) -> None:
        async def nothing(*_: object) -> list[object]:
            return []

        super().__init__(
            "toy",
            Subscription(toy_topic("t"), nothing),  # type: ignore[arg-type]  # never called
            Postgres("", "toy"),
            faults=Fingerprints(),
            stopping=stopping or asyncio.Event(),
            committed=lambda _: None,
        )
        self.most = most
        self.sizes: list[int] = []
        self.taken: list[Item] = []

    async def _transaction(self, items: Sequence[Item]) -> Outcome:
        self.sizes.append(len(items))
        if len(items) > self.most:
            raise TimeoutError("statement timeout")
        self.taken += items
        return Outcome(handled=len(items))


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effect, "pause_s", lambda _: 0.0)


async def test_after_five_failures_a_batch_is_halved_and_nothing_is_skipped_or_swapped() -> None:
    items = [Item(record=None) for _ in range(8)]  # type: ignore[arg-type]  # nobody reads it
    heavy = Heavy(most=3)
    await heavy._take(items)
    assert heavy.taken == items
    assert heavy.sizes[:7] == [8] * 6 + [4]
    assert not heavy.waiting


async def test_a_service_that_is_stopped_does_not_wait_for_better_luck() -> None:
    stopping = asyncio.Event()
    stopping.set()
    heavy = Heavy(most=0, stopping=stopping)
    with pytest.raises(Stopping):
        await heavy._take([Item(record=None)])  # type: ignore[arg-type]  # nobody reads it
    assert heavy.taken == []
