"""A large batch from outside takes effect in lanes, side by side (`runtime.md` 1, 9, 12)."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from shared.contract.topics import INTAKE, REMINDERS
from shared.runtime import lanes
from shared.runtime.batch import Outcome
from shared.runtime.decoder import Item
from shared.runtime.effect import EventEffect
from shared.runtime.kafka import Record
from shared.runtime.postgres import Postgres
from shared.runtime.subscription import Subscription
from shared.runtime.watermark import Marks
from tests.toy.event import note

MANY = 3 * lanes.AT_LEAST


async def _nothing(*_: object) -> list[object]:
    return []


FROM_OUTSIDE = Subscription(INTAKE, _nothing, sequenced=False)  # type: ignore[arg-type]  # uncalled
FROM_SIBLINGS = Subscription(REMINDERS, _nothing)  # type: ignore[arg-type]  # never called


def _record(offset: int) -> Record:
    return SimpleNamespace(
        topic=INTAKE.name,
        partition=0,
        offset=offset,
        key=f"person-{offset % 20}".encode(),
        value=note("x").to_bytes(),
        headers=(),
    )


def _items(many: int) -> list[Item]:
    return [Item(_record(offset)) for offset in range(many)]


def test_what_one_person_sent_stays_in_one_lane_and_in_order() -> None:
    found = lanes.of(_items(MANY), FROM_OUTSIDE)
    assert len(found) == 3
    assert sorted(i.record.offset for lane in found for i in lane) == list(range(MANY))
    for lane in found:
        offsets = [item.record.offset for item in lane]
        assert offsets == sorted(offsets)
    keys = [{item.record.key for item in lane} for lane in found]
    assert sum(map(len, keys)) == len(set().union(*keys))


def test_a_small_batch_and_one_from_a_sibling_stay_whole() -> None:
    small, large = _items(2 * lanes.AT_LEAST - 1), _items(MANY)
    assert lanes.of(small, FROM_OUTSIDE) == [small]
    assert lanes.of(large, FROM_SIBLINGS) == [large]


class Laned(EventEffect):
    """Notes what each transaction takes; the one with `bad` in it comes last, or fails."""

    def __init__(self, bad: int, error: Exception | None = None) -> None:
        super().__init__(
            "toy",
            FROM_OUTSIDE,
            Postgres("", "toy"),
            stopping=asyncio.Event(),
            committed=lambda _: None,
            keeps_watermark=True,
        )
        self.bad, self.error = bad, error
        self.done: list[int] = []
        self.marks: list[tuple[int, Marks]] = []

    async def _transaction(self, items: Sequence[Item], marks: Marks) -> Outcome:
        await asyncio.sleep(0)
        if any(item.record.offset == self.bad for item in items):
            while len(self.done) < 2:  # noqa: ASYNC110 - the others first
                await asyncio.sleep(0)
            if self.error is not None:
                raise self.error
        self.done.append(len(items))
        if marks:
            self.marks.append((sum(self.done), marks))
        return Outcome()


async def test_no_time_has_passed_before_the_last_lane_is_stored() -> None:
    effect = Laned(bad=0)
    await effect([_record(offset) for offset in range(MANY)])
    assert len(effect.done) == 4
    ((stored, marks),) = effect.marks
    assert stored == MANY
    assert marks[INTAKE.name, 0][0] == MANY


async def test_where_one_lane_cannot_be_stored_the_batch_is_not_and_no_time_has_passed() -> None:
    effect = Laned(bad=MANY - 1, error=RuntimeError("bad code"))
    with pytest.raises(RuntimeError, match="bad code"):
        await effect([_record(offset) for offset in range(MANY)])
    assert len(effect.done) == 2
    assert effect.marks == []
