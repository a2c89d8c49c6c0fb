"""A stretch of random life: same seed, same report; nobody is ever without a next step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relance.cli_rulebook import RULEBOOKS
from relance.simulation.company import read_company
from relance.year import command
from relance.year.tally import Tally
from relance.year.year import Plan, play
from relance.year.year_page import as_data, as_text

AXELERATOR = RULEBOOKS / "axelerator"


@pytest.fixture(scope="module")
def weeks() -> Tally:
    return play(Plan(AXELERATOR, 40, 3, 7), lambda _: None, processes=1)


def test_the_same_seed_makes_the_same_report_and_another_seed_another() -> None:
    plan = Plan(AXELERATOR, 5, 3, 7)
    once, again = (play(plan, lambda _: None, processes=1) for _ in range(2))
    shared = play(plan, lambda _: None, processes=2)
    other = play(Plan(AXELERATOR, 5, 3, 8), lambda _: None, processes=1)

    assert as_data(again, plan, 0.1) == as_data(once, plan, 0.1)
    assert as_data(shared, plan, 0.1) == as_data(once, plan, 0.1)
    assert as_data(other, plan, 0.1) != as_data(once, plan, 0.1)


def test_life_goes_through_the_whole_rulebook_and_leaves_nobody_without_a_next_step(
    weeks: Tally,
) -> None:
    data = as_data(weeks, Plan(AXELERATOR, 40, 3, 7), 0.1)

    assert sum(each["count"] for each in data["leads"]) >= 40
    assert {each["status"] for each in data["closed"]} == {"won", "lost", "invalid"}
    assert data["happened"]["overdue"] > 0
    assert data["happened"]["late"] > 0
    assert {"new_lead", "overdue", "digest_agent", "welcome"} <= {
        each["template"] for each in data["messages"]
    }
    assert data["sms_cost"] == pytest.approx(data["sms_parts"] * 0.1)
    assert data["minutes_to_first_try"]["half"] <= data["minutes_to_first_try"]["nine_tenths"]
    assert data["without_next_step"] == 0


def test_the_report_fits_on_one_screen(weeks: Tally) -> None:
    book = read_company(AXELERATOR).book
    lines = as_text(weeks, Plan(AXELERATOR, 40, 3, 7), book, 0.1).splitlines()

    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 50
    assert lines[-1] == "✓ 0 open leads were ever without a next step"


def test_a_rulebook_that_forgets_leads_is_told_and_fails(tmp_path: Path) -> None:
    for file in AXELERATOR.rglob("*"):
        if file.is_file():
            copy = tmp_path / "axelerator" / file.relative_to(AXELERATOR)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    rulebook = tmp_path / "axelerator" / "rulebook.toml"
    all_three = 'sections = ["due_today", "late", "no_open_task"]'
    assert all_three in rulebook.read_text()
    rulebook.write_text(rulebook.read_text().replace(all_three, 'sections = ["late"]'))
    said: list[str] = []

    ok = command.run([Plan(rulebook.parent, 30, 3, 1)], 0.1, 1, as_json=True, say=said.append)

    (report,) = json.loads(said[0])["rulebooks"]
    assert not ok
    assert report["without_next_step"] > 0
    assert report["without_next_step_where"][0]["count"] > 0
