"""The table of faults is the one that its raw numbers make; nothing in it was lost."""

import json

import pytest
from aiokafka import TopicPartition

from shared.runtime.health import Quiet
from tests.faults.recovery import behind
from tests.faults.row import PAGE, RESULTS, Row, page

DOCUMENT = json.loads(RESULTS.read_text())


def test_the_page_is_made_of_the_raw_numbers() -> None:
    assert PAGE.read_text() == page(DOCUMENT)


def test_no_row_that_was_run_lost_repeated_swapped_or_left_anything_stuck() -> None:
    rows = [Row(**each) for each in DOCUMENT["rows"]]

    assert [row.fault for row in rows if row.losses] == []
    assert [row.fault for row in rows if row.in_hand is not None and not row.ok] == []


@pytest.mark.parametrize(
    ("unknown", "in_hand", "ok"), [(0, None, True), (2, 2, True), (3, 2, False), (1, None, False)]
)
def test_no_more_may_be_unknown_than_was_in_hand(
    unknown: int, in_hand: int | None, *, ok: bool
) -> None:
    assert Row("kill -9", "whole", 1, 9, unknown=unknown, in_hand=in_hand).ok is ok


def test_a_service_works_again_when_it_has_read_all_its_partitions_up_to_now() -> None:
    ends = {TopicPartition("a.v1", 0): 7, TopicPartition("a.v1", 1): 0}

    assert behind(_told({}), ends) == ["a.v1/0", "a.v1/1"]
    assert behind(_told({"a.v1/0": 7}), ends) == ["a.v1/1"]
    assert behind(_told({"a.v1/0": 6, "a.v1/1": 0}), ends) == ["a.v1/0"]
    assert behind(_told({"a.v1/0": 8, "a.v1/1": 0}), ends) == []


def _told(positions: dict[str, int]) -> Quiet:
    return Quiet(
        service="intake",
        quiet=True,
        busy=[],
        activity=1,
        topics={"a.v1": 2},
        positions=positions,
        next_instant=None,
    )


def test_what_has_not_been_run_is_named() -> None:
    for name in DOCUMENT["not_run"]:
        assert name in PAGE.read_text()
