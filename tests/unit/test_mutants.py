"""Rulebooks broken on purpose: every part is broken once, and scenarios notice."""

from __future__ import annotations

import tomllib
from pathlib import Path
from shutil import copytree

import pytest

from relance.cli_rulebook import RULEBOOKS
from relance.mutants.mutant import mutants
from relance.mutants.trial import Trial, try_all
from relance.scenario import ScenarioError
from relance.toml_text import document
from shared.domain.rulebook import loader
from shared.runtime import rulebook_folder

AXELERATOR = RULEBOOKS / "axelerator"
FILES = rulebook_folder.texts(AXELERATOR)
TABLES = tomllib.loads(FILES["rulebook.toml"])


def test_every_rule_and_requirement_is_dropped_once_and_no_two_mutants_are_alike() -> None:
    made = list(mutants(FILES))
    dropped = [m for m in made if m.words.startswith("without the r")]

    assert len(dropped) == len(TABLES["rule"]) + len(TABLES["require"])
    assert len({m.name for m in made}) == len(made)
    assert len({str(m.changes) for m in made}) == len(made)
    assert all(m.files(FILES) != FILES for m in made)
    assert document(TABLES) not in {m.changes.get("rulebook.toml") for m in made}


def test_numbers_durations_and_times_are_changed_and_conditions_and_effects_dropped() -> None:
    said = {m.name for m in mutants(FILES)}

    assert "001-23: do.due.in 30m → 60m" in said
    assert "001-03: if.attempts.exactly 1 → 2" in said
    assert "003-08: at 09:00 → 10:00" in said
    assert "001-52: percent 50 → 51" in said
    assert "003-04: max 48h → 96h" in said
    assert "001-09: without if filled email" in said
    assert "001-61: without do send review_closing to role:head_of_sales" in said


def test_words_yeses_lists_and_declarations_are_said_otherwise_by_the_models() -> None:
    said = {m.name for m in mutants(FILES)}

    assert "001-23: do due of open_hours → elapsed" in said
    assert "001-42: do once_per day → lead" in said
    assert "001-61: do to role:head_of_sales → owner" in said
    assert "001-70: do reopen previous → new" in said
    assert "001-58: need is payment without partial" in said
    assert "001-18: pipeline sales stage new next without refused" in said
    assert "001-32: without the field country" in said
    assert not any("purpose" in name or "secrets" in name for name in said)


def test_ways_in_messages_and_what_goes_along_with_them_are_broken_too() -> None:
    said = {m.name for m in mutants(FILES)}

    assert "001-08: source site without tags amoCRM" in said
    assert "001-08: source site without mapping niche" in said
    assert not any("utm_source" in name for name in said)
    assert "003-05: hold without closed" in said
    assert "001-32: template base_offer without attach offer-ru.pdf for RU" in said


def test_a_message_without_a_channel_is_without_its_text_and_can_be_loaded() -> None:
    (mutant,) = [m for m in mutants(FILES) if m.words == "template welcome without channel email"]

    files = mutant.files(FILES)
    template = loader.load(files).messages.templates["welcome"]

    assert set(FILES) - set(files) == {
        name for name in FILES if name.startswith("templates/welcome.") and "sms" not in name
    }
    assert template.channels == ("sms",)
    assert template.subject is None


def test_quiet_hours_are_broken_hour_by_hour_and_day_by_day() -> None:
    said = {m.name for m in mutants(rulebook_folder.texts(RULEBOOKS / "sales_academy"))}

    assert "house-05: without the quiet hours" in said
    assert "house-05: quiet from 20:00 → 21:00" in said
    assert "house-05: quiet without days sun" in said


def tried(folder: Path, rule: str) -> Trial:
    return try_all(folder, processes=1, only=lambda mutant: mutant.rule == rule)


def test_a_rule_whose_scenario_says_when_is_not_broken_unnoticed() -> None:
    trial = tried(AXELERATOR, "001-23")

    fates = {v.name: v.fate for v in trial.verdicts}
    assert fates["001-23: do.due.in 30m → 60m"] == "own"
    assert fates["001-23: do due of open_hours → elapsed"] == "own"
    assert fates["001-23: do due of open_hours → working_days"] == "refused"
    assert trial.survivors == ()


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

    assert [v.fate for v in trial.verdicts if "30m →" in v.name] == ["alive"]
    assert "001-23: do.due.in 30m → 60m" not in trial.survivors
    assert trial.stale == ("001-23: gone",)
    assert not trial.ok


def test_a_scenario_that_fails_before_anything_is_broken_is_told_instead(tmp_path: Path) -> None:
    folder = tmp_path / "carvivo"
    copytree(RULEBOOKS / "carvivo", folder)
    file = folder / "scenarios" / "relances.toml"
    text = file.read_text()
    assert 'due_at = "2026-03-02T12:00"' in text
    file.write_text(text.replace('due_at = "2026-03-02T12:00"', 'due_at = "2026-03-02T12:01"'))

    with pytest.raises(ScenarioError, match="does not hold before anything is broken"):
        try_all(folder, processes=1, only=lambda _: False)
