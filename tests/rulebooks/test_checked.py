"""Every rulebook passes `relance check`: nothing contradicts, every row is proved, no lead is
forgotten whatever people do."""

from __future__ import annotations

import pytest

from relance.check.check import as_text, check
from relance.check.proofs import required_rows
from relance.cli_rulebook import RULEBOOKS

WHOLE = ("axelerator", "car_bdc", "carvivo", "sales_academy")
"""The rulebooks that are finished: each passes whole."""


@pytest.mark.parametrize("name", WHOLE)
def test_the_rulebook_has_nothing_wrong_with_it(name: str) -> None:
    report = check(RULEBOOKS / name, states_at_most=300)

    assert report.ok, "\n".join(as_text(report))
    assert report.exploration is not None
    assert report.exploration.states >= 100


def test_the_rows_that_count_are_196_and_no_row_counts_twice() -> None:
    rows = [row for rows in required_rows().values() for row in rows]

    assert len(rows) == len(set(rows)) == 196
