"""Rulebooks broken on purpose: every part is broken once, and scenarios notice."""

from __future__ import annotations

import tomllib
from pathlib import Path
from shutil import copytree

from relance.cli_rulebook import RULEBOOKS
from relance.mutants.mutant import mutants
from relance.mutants.trial import Trial, try_all
from relance.toml_text import document

AXELERATOR = RULEBOOKS / "axelerator"
TABLES = tomllib.loads((AXELERATOR / "rulebook.toml").read_text(encoding="utf-8"))


def test_every_rule_and_requirement_is_dropped_once_and_no_two_mutants_are_alike() -> None:
    made = list(mutants(TABLES))
    dropped = [m for m in made if m.words.startswith("without the r")]

    assert len(dropped) == len(TABLES["rule"]) + len(TABLES["require"])
    assert len({m.name for m in made}) == len(made)
    assert len({document(m.tables) for m in made}) == len(made)
    assert document(TABLES) not in {document(m.tables) for m in made}


def test_numbers_durations_and_times_are_changed_and_conditions_and_effects_dropped() -> None:
    said = {m.name for m in mutants(TABLES)}

    assert "001-23: do.due.in 30m → 60m" in said
    assert "001-03: if.attempts.exactly 1 → 2" in said
    assert "003-08: at 09:00 → 10:00" in said
    assert "001-52: percent 50 → 51" in said
    assert "003-04: max 48h → 96h" in said
    assert "001-09: without if filled email" in said
    assert "001-61: without do send review_closing to role:head_of_sales" in said


def tried(folder: Path, rule: str) -> Trial:
    return try_all(folder, processes=1, only=lambda mutant: mutant.rule == rule)


def test_a_rule_whose_scenario_says_when_is_not_broken_unnoticed() -> None:
    trial = tried(AXELERATOR, "001-23")

    assert [v.fate for v in trial.verdicts] == ["own", "own"]
    assert all(v.by.startswith("001-23 ") for v in trial.verdicts)


def test_who_lives_is_listed_and_a_reason_must_belong_to_somebody_alive(tmp_path: Path) -> None:
    folder = tmp_path / "axelerator"
    copytree(AXELERATOR, folder)
    for file in (folder / "scenarios").glob("*.toml"):
        if file.name != "house.toml":  # which knows nothing of this rule
            file.unlink()
    reason = '[[survivor]]\nmutant = "001-23: do.due.in 30m → 60m"\nwhy = "nobody looks"\n'
    gone = '[[survivor]]\nmutant = "001-23: gone"\nwhy = "it was there once"\n'
    (folder / "mutants.toml").write_text(reason + gone)

    trial = tried(folder, "001-23")

    assert [v.fate for v in trial.verdicts if "30m" in v.name] == ["alive"]
    assert "001-23: do.due.in 30m → 60m" not in trial.survivors
    assert trial.stale == ("001-23: gone",)
    assert not trial.ok
