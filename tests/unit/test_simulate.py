"""`relance simulate` says which scenarios hold, and tells the story of one that does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relance.cli import app
from relance.scenario import load
from relance.simulate import simulate
from relance.stack.home import PROJECT

AXELERATOR = PROJECT / "rulebooks" / "axelerator"

SCENARIO = """
[[scenario]]
rule  = "001-02"
title = "A missed call is to be called back"
site  = "minsk"
start = "2026-03-02T10:00"
steps = [
  { receive = "call", as = "A", phone = "+375 29 123-45-67", owner = "anna" },
  { expect = "TaskCreated", task = "call_back", times = 1 },
  %s
]
"""


@pytest.fixture
def said() -> list[str]:
    return []


def run(folder: Path, said: list[str], step: str, *, as_json: bool = False) -> int:
    file = folder / "calls.toml"
    file.write_text(SCENARIO % step, encoding="utf-8")
    return simulate({AXELERATOR: [file]}, as_json=as_json, say=said.append)


def test_it_ends_with_0_only_when_every_scenario_holds(tmp_path: Path, said: list[str]) -> None:
    assert run(tmp_path, said, '{ expect_no = "LeadClosed" },') == 0
    assert "1 of 1 scenario holds, for 1 rule of axelerator." in said[-1]

    assert run(tmp_path, said, '{ expect = "LeadClosed" },') == 1
    assert "0 of 1 scenario holds," in said[-1]


@pytest.mark.parametrize(
    "named",
    [
        ["carvivo"],
        ["--rulebook", "carvivo"],
        ["carvivo", "--rulebook", "carvivo"],
        [str(PROJECT / "rulebooks" / "carvivo")],
    ],
)
def test_a_rulebook_is_named_as_for_check_and_mutants_or_by_the_option(named: list[str]) -> None:
    done = CliRunner().invoke(app, ["simulate", *named, "--json"])

    assert done.exit_code == 0
    assert json.loads(done.output)["rules"].keys() >= {"003-05"}
    assert all(rule[:3] in {"003", "hou"} for rule in json.loads(done.output)["rules"])


def test_several_rulebooks_are_played_whichever_way_they_are_named() -> None:
    done = CliRunner().invoke(app, ["simulate", "carvivo", "--rulebook", "pagesjaunes"])

    assert done.exit_code == 0
    assert "rules of carvivo." in done.output
    assert "rules of pagesjaunes." in done.output
    assert "car_bdc" not in done.output


def test_one_option_takes_several_files_and_their_rulebook_is_found() -> None:
    files = sorted((PROJECT / "rulebooks" / "carvivo" / "scenarios").glob("*.toml"))[:2]

    done = CliRunner().invoke(app, ["simulate", "--scenarios", *map(str, files), "--json"])

    assert done.exit_code == 0
    assert json.loads(done.output)["passed"] == len(load(files))


def test_a_failure_is_told_as_the_story_of_what_happened(tmp_path: Path, said: list[str]) -> None:
    run(tmp_path, said, '{ until = "2026-03-02T12:00" }, { expect = "LeadClosed" },')

    story = "\n".join(said)
    for words in (
        "✗ 001-02 A missed call is to be called back",
        "Monday 2 March 2026",
        "10:00 intake",
        "missed call from +375291234567 (Телефон)",
        "stage «Новая заявка»",
        "«Перезвонить» is due Mon 2 Mar 12:00",
        "12:00 reminders",
        "LATE, owner is Анна Соколова",
        "Step 4: expected LeadClosed, but it did not happen.",
    ):
        assert words in story
    assert max(len(line) for line in story.splitlines()) <= 80


def test_as_json_it_counts_by_rule_and_carries_the_story(tmp_path: Path, said: list[str]) -> None:
    assert run(tmp_path, said, '{ expect = "LeadClosed" },', as_json=True) == 1

    report = json.loads(said[0])
    assert (report["passed"], report["failed"]) == (0, 1)
    assert report["rules"] == {"001-02": {"passed": 0, "failed": 1}}
    failure = report["failures"][0]
    assert list(failure) == ["rule", "title", "step", "story"]
    assert (failure["rule"], failure["step"]) == ("001-02", 3)
    assert failure["title"] == "A missed call is to be called back"
    assert failure["story"].startswith("axelerator\n")
    assert "missed call" in failure["story"]
    assert failure["story"].endswith("Step 3: expected LeadClosed, but it did not happen.")


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (
            '{ act = "move", to = "in_work", by = "anna" },',
            "anna was refused to move: При этом надо заполнить обязательное поле «Площадка»",
        ),
        (
            '{ act = "note", text = "x", by = "anna", lead = "B" },',
            "no lead is called B; name it with as = 'B' where it is received",
        ),
        ('{ receive = "form", phone = "+375 29 1", source = "phone" },', "no source phone takes"),
        ('{ receive = "form", name = "Иван" },', "neither a phone nor an e-mail is given"),
        ('{ until = "2026-03-02T09:00" },', "cannot wait until 2026-03-02T09:00: it is"),
        ('{ declare = "setting", first_response = "90h" },', "first_response is 90h; it must lie"),
        ('{ declare = "setting", second_response = "2h" },', "second_response is no setting of"),
        (
            '{ declare = "calendar" }, { receive = "call", phone = "+375 29 123-45-68" },',
            "calendar 'minsk' has no open day",
        ),
        (
            '{ refuse = { act = "note", text = "x", by = "anna" }, missing = ["a"], '
            'rule = "001-20" },',
            "expected a refusal, but the action was allowed",
        ),
        (
            '{ refuse = { act = "move", to = "in_work", by = "anna" }, missing = ["niche"], '
            'rule = "001-20" },',
            "expected niche to be missing, but it is platform",
        ),
        (
            '{ refuse = { act = "move", to = "in_work", by = "anna" }, missing = ["platform"], '
            'rule = "001-28" },',
            "expected a refusal by 001-28, but it is by 001-20",
        ),
        (
            '{ view = "list", stage = "new", leads = [] },',
            "expected to see nothing, but there is A",
        ),
        ('{ view = "list", colour = "red", leads = [] },', "a lead has no attribute colour"),
    ],
)
def test_what_cannot_be_done_fails_with_a_sentence(
    tmp_path: Path, said: list[str], step: str, sentence: str
) -> None:
    assert run(tmp_path, said, step) == 1
    assert sentence in "\n".join(said)


def test_files_that_cannot_be_used_end_with_2_and_one_sentence(
    tmp_path: Path, said: list[str]
) -> None:
    assert simulate({tmp_path / "nowhere": []}, say=said.append) == 2
    assert simulate({AXELERATOR: [tmp_path / "none.toml"]}, say=said.append) == 2
    assert run(tmp_path, said, '{ expect = "LeadMade" },') == 2

    assert "there is no rulebook.toml" in said[0]
    assert said[1] == f"{tmp_path / 'none.toml'}: cannot be read: No such file or directory"
    assert said[2].startswith("calls.toml, scenario 1 (A missed call is to be called back), step 3")


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ('{ expect_no = "NotificationSent", template = "overdu" }', "did you mean overdue?"),
        ('{ expect_no = "LeadAssigned", owner = "ana" }', "no owner is called 'ana'"),
        ('{ expect_no = "NotificationSent", to = "kontact" }', "did you mean contact?"),
        ('{ expect_no = "StageEntered", stage = "in_wrok" }', "did you mean in_work?"),
        ('{ expect_no = "LeadClosed", status = "losst" }', "did you mean lost?"),
        ('{ expect_no = "LeadClosed", reason = "compettion" }', "no reason is called"),
        ('{ expect_no = "TaskCreated", task = "cal_back" }', "did you mean call_back?"),
        ('{ expect_no = "TaskCreated", rule = "001-99" }', "no rule is called '001-99'"),
        ('{ expect_no = "StageEntered", stage = "sales.new" }', "no stage is called 'sales.new'"),
        ('{ expect_no = "DeadlineSet", name = "reactivaton" }', "did you mean reactivation?"),
        ('{ expect_no = "DocumentAttached", kind = "call_recordng" }', "call_recording?"),
        ('{ expect_no = "FieldsSet", fields = { nishe = "x" } }', "did you mean niche?"),
        ('{ view = "list", manager = "bosss", leads = [] }', "did you mean boss?"),
        ('{ view = "list", stage = "nwe", leads = [] }', "did you mean new?"),
    ],
)
def test_a_name_that_nothing_has_is_found_before_it_can_pass_as_never(
    tmp_path: Path, said: list[str], step: str, sentence: str
) -> None:
    assert run(tmp_path, said, f"{step},") == 2
    assert said[0].startswith("calls.toml, 001-02 A missed call is to be called back, step 3: no ")
    assert sentence in said[0]


def test_a_scenario_of_another_rulebook_is_named(said: list[str]) -> None:
    theirs = PROJECT / "rulebooks" / "car_bdc" / "scenarios" / "appels.toml"

    ended = simulate({AXELERATOR: [theirs]}, say=said.append)

    assert ended == 2
    assert "appels.toml, 002-" in said[0]
    assert "axelerator has no site 'montreal'; does the scenario belong to another" in said[0]


def test_files_of_two_rulebooks_are_each_played_in_their_own() -> None:
    one, other = (
        min((PROJECT / "rulebooks" / name / "scenarios").glob("*.toml"))
        for name in ("carvivo", "pagesjaunes")
    )

    done = CliRunner().invoke(app, ["simulate", "--scenarios", str(one), str(other), "--json"])

    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["passed"] == len(load([one])) + len(load([other]))
