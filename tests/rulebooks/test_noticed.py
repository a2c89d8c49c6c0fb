"""Break any rule of a finished rulebook, and one of its scenarios says so."""

from __future__ import annotations

from zlib import crc32

import pytest

from relance.cli_rulebook import RULEBOOKS
from relance.mutants.mutant import Mutant, mutants
from relance.mutants.trial import justified, try_all
from shared.runtime import rulebook_folder

HELD = ("axelerator", "car_bdc", "carvivo", "pagesjaunes", "sales_academy")
EACH = 24
"""One mutant of so many is tried here, by its name always the same; `make mutants` tries all."""


@pytest.mark.parametrize("name", HELD)
def test_no_rule_is_broken_unnoticed_and_no_reason_is_out_of_date(name: str) -> None:
    folder = RULEBOOKS / name
    excused = justified(folder)
    known = {each.name for each in mutants(rulebook_folder.texts(folder))}

    def is_drawn(mutant: Mutant) -> bool:
        return mutant.name not in excused and crc32(mutant.name.encode()) % EACH == 0

    trial = try_all(folder, only=is_drawn)

    assert trial.verdicts
    assert trial.survivors == ()
    assert excused.keys() <= known
