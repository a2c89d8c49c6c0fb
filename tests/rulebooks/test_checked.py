"""Every rulebook passes `relance check`: nothing contradicts, every row is proved, no lead is
forgotten whatever people do."""

from __future__ import annotations

from pathlib import Path

import pytest

from relance.check.check import as_text, check
from relance.cli_rulebook import all_rulebooks
from relance.rows import required_rows


@pytest.mark.parametrize("folder", all_rulebooks(), ids=lambda folder: folder.name)
def test_the_rulebook_has_nothing_wrong_with_it(folder: Path) -> None:
    report = check(folder, states_at_most=300)

    assert report.ok, "\n".join(as_text(report))
    assert report.exploration is not None
    assert report.exploration.states >= 100


def test_no_rulebook_is_forgotten() -> None:
    assert [folder.name for folder in all_rulebooks()] == [
        "axelerator",
        "car_bdc",
        "carvivo",
        "pagesjaunes",
        "sales_academy",
    ]


def test_the_rows_that_count_are_196_and_no_row_counts_twice() -> None:
    rows = [row for rows in required_rows().values() for row in rows]

    assert len(rows) == len(set(rows)) == 196
