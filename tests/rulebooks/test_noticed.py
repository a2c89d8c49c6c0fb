"""Break any rule of a finished rulebook, and one of its scenarios says so."""

from __future__ import annotations

import pytest

from relance.cli_rulebook import RULEBOOKS
from relance.mutants.trial import try_all

HELD = ("car_bdc", "carvivo", "pagesjaunes", "sales_academy")
"""The rulebooks whose mutants all take seconds; `make mutants` tries every rulebook."""


@pytest.mark.parametrize("name", HELD)
def test_no_rule_is_broken_unnoticed_and_no_reason_is_out_of_date(name: str) -> None:
    trial = try_all(RULEBOOKS / name)

    assert len(trial.verdicts) > 40
    assert trial.survivors == ()
    assert trial.stale == ()
