"""The table of faults is the one that its raw numbers make; nothing in it was lost."""

import json

from tests.faults.row import PAGE, RESULTS, Row, page

DOCUMENT = json.loads(RESULTS.read_text())


def test_the_page_is_made_of_the_raw_numbers() -> None:
    assert PAGE.read_text() == page(DOCUMENT)


def test_no_row_that_was_run_lost_repeated_swapped_or_left_anything_stuck() -> None:
    assert [row.fault for row in (Row(**each) for each in DOCUMENT["rows"]) if not row.ok] == []


def test_what_has_not_been_run_is_named() -> None:
    for name in DOCUMENT["not_run"]:
        assert name in PAGE.read_text()
