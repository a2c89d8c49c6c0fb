"""A stretch of random life: same seed, same report; nobody is ever without a next step."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from relance.cli_rulebook import RULEBOOKS
from relance.simulation.company import read_company
from relance.year import command
from relance.year.away import absences
from relance.year.mind import SHARES, Mind
from relance.year.reason import Reasons
from relance.year.tally import Tally
from relance.year.year import FIRST_DAY, Plan, play
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


def test_a_year_ends_the_way_people_have_in_mind_and_nobody_who_speaks_is_lost_as_spam(
    weeks: Tally,
) -> None:
    closed = as_data(weeks, Plan(AXELERATOR, 40, 3, 7), 0.1)["closed"]
    ended = {(each["status"], each["reason"]) for each in closed}
    lost = sum(each["count"] for each in closed if each["status"] == "lost")
    won = sum(
        each["count"] for each in closed if (each["pipeline"], each["status"]) == ("sales", "won")
    )

    assert {("lost", "refused"), ("lost", "no_answer"), ("lost", "unreachable")} <= ended
    assert not {("lost", "spam"), ("lost", "wrong_address")} & ended
    assert {reason for status, reason in ended if status == "invalid"} >= {"spam"}
    assert 0 < won < lost
    assert {each["pipeline"] for each in closed if each["status"] == "lost"} == {"sales"}


@pytest.mark.parametrize(
    ("name", "refusal", "silence"),
    [
        ("axelerator", {"refused"}, {"unreachable", "no_answer"}),
        ("car_bdc", {"perdu_fni", "perdu_approbation", "achete_ailleurs"}, {"perdu_bdc"}),
        ("carvivo", {"autre_marque", "projet_annule", "hors_sujet"}, {"injoignable"}),
        ("pagesjaunes", set(), set()),
    ],
)
def test_a_no_and_silence_are_told_apart_by_the_rulebooks_own_words(
    name: str, refusal: set[str], silence: set[str]
) -> None:
    reasons = Reasons.of(read_company(RULEBOOKS / name).book)

    assert set(reasons.refusal) == refusal
    assert set(reasons.silence) == silence


def test_who_fades_is_reached_so_often_and_never_again_and_only_who_declines_says_no() -> None:
    rng = Random(1)
    minds = [Mind.of(rng) for _ in range(2_000)]
    fading = Mind("fades", 2)

    for kind, share in SHARES.items():
        assert sum(mind.kind == kind for mind in minds) / 2_000 == pytest.approx(share, abs=0.04)
    assert any(fading.is_reached(1, rng) for _ in range(100))
    assert not any(fading.is_reached(2, rng) for _ in range(100))
    assert not any(Mind("buys", 0).says_no(rng) for _ in range(100))
    assert any(Mind("declines", 0).says_no(rng) for _ in range(100))


@pytest.mark.parametrize(
    ("name", "pipelines"),
    [
        ("pagesjaunes", {"account", "opportunity", "complaint", "reject", "desk"}),
        ("car_bdc", {"opportunity", "service"}),
    ],
)
def test_work_that_comes_by_no_door_is_lived_too(name: str, pipelines: set[str]) -> None:
    plan = Plan(RULEBOOKS / name, 15, 6, 3)

    lived = as_data(play(plan, lambda _: None, processes=1), plan, 0.1)

    assert {each["pipeline"] for each in lived["leads"]} == pipelines
    assert lived["without_next_step"] == 0


def test_everybody_is_away_for_five_weeks_and_five_days_the_same_for_the_same_seed() -> None:
    directory = read_company(AXELERATOR).directory
    away = list(absences(directory, FIRST_DAY, 365, 7))

    assert away == list(absences(directory, FIRST_DAY, 365, 7))
    assert away != list(absences(directory, FIRST_DAY, 365, 8))
    assert {each.agent for each in away} == {agent.id for agent in directory.agents}
    of_anna = [each.ends - each.begins for each in away if each.agent == "anna"]
    assert sorted(of_anna) == [
        *[timedelta(days=1)] * 5,
        timedelta(weeks=1),
        *[timedelta(weeks=2)] * 2,
    ]


def test_whoever_nobody_stands_in_for_leaves_leads_waiting_and_that_is_told() -> None:
    """marie has no manager: while she is away, nobody reads of what she has no task for."""
    plan = Plan(RULEBOOKS / "pagesjaunes", 60, 10, 1)

    tally = play(plan, lambda _: None, processes=2)

    waited = tally.happened["waited for a return"]
    assert waited > 0
    text = as_text(tally, plan, read_company(plan.rulebook).book, 0.1)
    assert f"{waited} leads waited, untold to anybody, for whoever is away to come back" in text


def test_the_report_fits_on_one_screen(weeks: Tally) -> None:
    book = read_company(AXELERATOR).book
    lines = as_text(weeks, Plan(AXELERATOR, 40, 3, 7), book, 0.1).splitlines()

    assert max(len(line) for line in lines) <= 80
    assert len(lines) <= 50
    assert any(line.startswith("  sales lost: не отвечает") for line in lines)
    assert lines[-1] == "✓ 0 open leads were ever without a next step"


def test_a_rulebook_that_forgets_leads_is_told_and_fails(tmp_path: Path) -> None:
    for file in AXELERATOR.rglob("*"):
        if file.is_file():
            copy = tmp_path / "axelerator" / file.relative_to(AXELERATOR)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    rulebook = tmp_path / "axelerator" / "rulebook.toml"
    all_three = '"due_today", "late", "no_open_task"'
    assert rulebook.read_text().count(all_three) == 2  # the agents' and the managers'
    rulebook.write_text(rulebook.read_text().replace(all_three, '"late"'))
    said: list[str] = []

    ok = command.run([Plan(rulebook.parent, 30, 3, 1)], 0.1, 1, as_json=True, say=said.append)

    (report,) = json.loads(said[0])["rulebooks"]
    assert not ok
    assert report["without_next_step"] > 0
    assert report["without_next_step_where"][0]["count"] > 0
