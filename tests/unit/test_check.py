"""`relance check` finds what is planted in a rulebook, and says how one gets there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from relance.check.check import as_text, check
from relance.check.finding import Finding
from relance.cli import app
from relance.stack.home import PROJECT

AXELERATOR = PROJECT / "rulebooks" / "axelerator"


def found(
    tmp_path: Path, *changes: tuple[str, str], states: int = 250, few: bool = False
) -> list[Finding]:
    """What check finds when that is changed in Axelerator's rulebook; `few`: of its scenarios."""
    folder = tmp_path / "axelerator"
    copytree(AXELERATOR, folder)
    if few:
        _keep_few(folder)
    file = folder / "rulebook.toml"
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    report = check(folder, states)
    assert max(len(line) for line in "\n".join(as_text(report)).splitlines()) <= 80
    return list(report.findings)


def test_without_digests_a_lead_whose_tasks_are_done_is_forgotten_and_the_path_is_shortest(
    tmp_path: Path,
) -> None:
    findings = found(tmp_path, ('"due_today", "late", "no_open_task"', '"late"'))

    forgotten = {f.where: f.path for f in findings if f.kind == "forgotten"}
    assert forgotten["sales.new"] == (
        "a call comes in by phone with phone, missed",
        "anna completes «Перезвонить»",
    )
    assert forgotten["production.handed_over"] == (
        "anna makes a lead by hand in production, knowing the phone",
        "anna completes «Начать работы по сделке»",
    )
    assert {f.kind for f in findings} == {"forgotten", "scenario"}


def test_where_a_lead_may_rest_is_no_finding(tmp_path: Path) -> None:
    stages = (
        '["new", "in_work", "qualified", "offer_sent", "offer_discussed", "start_agreed", '
        '"contract_sent", "two_attempts", "production.handed_over", "in_progress", "finished"]'
    )
    rest = f'[[rest]]\nstage = {stages}\nwhy = "here somebody looks every day"\n\n[late]'
    quiet = ('"due_today", "late", "no_open_task"', '"late"')

    (finding,) = found(tmp_path, quiet, ("[late]", rest))
    assert "scenarios do not hold, and prove nothing; the first is 003-" in finding.says


def _keep_few(folder: Path) -> None:
    for file in (folder / "scenarios").glob("*.toml"):
        if file.name not in ("house.toml", "relances.toml"):
            file.unlink()


PLANTED = [
    (
        "an `if` that can never hold",
        ('  { filled = "email" },\n  { contacts = { at_most = 0 } },\n]\ndo   = [ { send',
         '  { filled = "email" },\n  { not = { filled = "email" } },\n]\ndo   = [ { send'),
        ("never", "001-09"),
    ),
    (
        "two rules that move one task to two due times",
        ("{ attempts = { exactly = 2, outcome", "{ attempts = { at_least = 1, outcome"),
        ("contradiction", "001-03 and 001-04"),
    ),
    (
        "a stage that nobody gets to",
        ('next  = ["offer_discussed", "two_attempts", "start_agreed", "refused"]',
         'next  = ["two_attempts", "start_agreed", "refused"]'),
        ("stage", "sales.offer_discussed"),
    ),
    (
        "a number that nothing proves",
        ('id    = "goal"\nlabel = "Какую задачу хочет решить"\nrule  = "001-26"',
         'id    = "goal"\nlabel = "Какую задачу хочет решить"\nrule  = "001-99"'),
        ("unproved", "001-99"),
    ),
    (
        "a role that nobody has",
        ('to = "role:head_of_sales" },\n  { send', 'to = "role:nobody" },\n  { send'),
        ("broken", "the rulebook"),
    ),
    (
        "a name that stands for nothing",
        ('{ create_task = "qualify", due', '{ create_task = "qualfy", due'),
        ("file", "axelerator"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED]
)
def test_it_finds(tmp_path: Path, change: tuple[str, str], expected: tuple[str, str]) -> None:
    assert expected in {(f.kind, f.where) for f in found(tmp_path, change, states=60, few=True)}


def test_a_manager_whose_own_leads_no_digest_names_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "carvivo"
    copytree(PROJECT / "rulebooks" / "carvivo", folder)
    file = folder / "rulebook.toml"
    _keep_few(folder)
    text = file.read_text()
    assert text.count('"late", "no_open_task"]') == 1
    file.write_text(text.replace('"late", "no_open_task"]', '"late"]'))

    forgotten = [f for f in check(folder, 300).findings if f.kind == "forgotten"]

    assert any("boss" in step for finding in forgotten for step in finding.path)


def carvivo(tmp_path: Path) -> Path:
    folder = tmp_path / "carvivo"
    copytree(PROJECT / "rulebooks" / "carvivo", folder)
    return folder


def test_a_rule_that_nothing_makes_run_is_found(tmp_path: Path) -> None:
    folder = carvivo(tmp_path)
    rulebook = folder / "rulebook.toml"
    never = (
        '\n[[rule]]\nid = "house-09"\nsays = "x"\nwhen = { answered = "owner_absent" }\n'
        'if = [{ given = { answer = "nobody" } }]\ndo = [{ note = "x" }]\n'
    )
    rulebook.write_text(rulebook.read_text() + never)

    found_ = {(f.kind, f.where) for f in check(folder, 30).findings}

    assert found_ == {("never", "house-09")}


@pytest.mark.parametrize(
    ("file", "content", "kind", "sentence"),
    [
        ("rulebook.toml", b"\xff", "file", "rulebook.toml: byte 0 is not UTF-8; save the file"),
        ("scenarios/x.toml", b"\xff", "file", "scenarios/x.toml: byte 0 is not UTF-8"),
        ("scenarios/x.toml", b'scenario = ["a"]', "scenario", "expected [[scenario]] tables and"),
        ("directory.toml", b"", "file", "directory.toml: there is no [[site]]"),
        ("templates/new_lead.sms.liquid", b"{% if x %}", "template", "expected tag endif"),
        ("templates/_unused.txt.liquid", b"{% if x %}", "template", "_unused.txt.liquid: expected"),
        ("mutants.toml", b"survivor = 'x'", "file", "expected a list in brackets"),
        ("templates/new_lead.sms.liquid", b"{{ x | no }}", "template", "there is no filter 'no'"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_a_sentence(
    tmp_path: Path, file: str, content: bytes, kind: str, sentence: str
) -> None:
    folder = carvivo(tmp_path)
    (folder / file).write_bytes(content)

    finding = check(folder, 30).findings[0]

    assert finding.kind == kind
    assert sentence in finding.says


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("directory.toml", 'region = "FR"', 'region = "XX"', "region: 'XX' is no ISO 3166"),
        ("directory.toml", '"Europe/Paris"', '"Europe/Pari"', "zone: 'Europe/Pari' is no IANA"),
        ("directory.toml", 'language = "fr"', 'language = "zz"', "'zz' is no language such as fr"),
        ("rulebook.toml", 'language = "fr"', 'language = "zz"', "'zz' is no language such as fr"),
        ("sources.toml", '= "lyon"', '= "paris"', "directory.toml has no site 'paris'"),
        ("scenarios/absence.toml", '"lyon"', '"paris"', "carvivo has no site 'paris'"),
    ],
)
def test_what_does_not_exist_is_told_of_that_rulebook_alone(
    tmp_path: Path, file: str, old: str, new: str, sentence: str
) -> None:
    folder = carvivo(tmp_path)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))

    done = CliRunner().invoke(
        app, ["check", str(folder), "pagesjaunes", "--json", "--states", "10"]
    )

    reports = json.loads(done.output)["rulebooks"]
    assert done.exit_code == 1
    assert any(sentence in finding["says"] for finding in reports["carvivo"]["findings"])
    assert reports["pagesjaunes"]["rules"] > 0


def test_rules_that_answer_each_other_for_ever_are_told_once_by_the_shortest_path(
    tmp_path: Path,
) -> None:
    folder = carvivo(tmp_path)
    rulebook = folder / "rulebook.toml"
    rulebook.write_text(
        rulebook.read_text()
        + """
[[rule]]
id = "house-20"
says = "x"
when = { task_completed = "ecrire" }
do = [{ create_task = "rappeler" }, { complete_task = "rappeler" }]

[[rule]]
id = "house-21"
says = "x"
when = { task_completed = "rappeler" }
do = [{ create_task = "ecrire" }, { complete_task = "ecrire" }]
"""
    )

    broken = [each for each in check(folder, 300).findings if each.kind == "broken"]

    assert 1 <= len(broken) <= 2  # whichever of the two rules is the last
    assert all(len(each.path) == 2 for each in broken)
    assert not any(re.search(r"[0-9a-f]{8}-", each.says) for each in broken)


@pytest.mark.parametrize(
    ("file", "old", "new", "kind", "sentence"),
    [
        ("directory.toml", '["gestionnaire"]', '["gestionaire"]', "nobody", "has the role gestion"),
        ("rulebook.toml", '"next_of team:site"', '"next_of team:nord"', "nobody", "a team nord"),
        ("directory.toml", 'se = "2h"', 'se = "90h"', "file", "first_response is 90h; it must lie"),
        ("scenarios/absence.toml", '"003-12"', '"003-99"', "scenario", "no rule is called"),
        ("scenarios/absence.toml", 'by = "boss"', 'by = "bos"', "scenario", "did you mean boss?"),
    ],
)
def test_whom_nobody_knows_is_found(
    tmp_path: Path, file: str, old: str, new: str, kind: str, sentence: str
) -> None:
    folder = carvivo(tmp_path)
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))

    findings = check(folder, 10).findings

    assert any(each.kind == kind and sentence in each.says for each in findings)


def test_a_copy_under_another_name_has_a_report_of_its_own(tmp_path: Path) -> None:
    copy = tmp_path / "carvivo_new"
    copytree(PROJECT / "rulebooks" / "carvivo", copy)
    (copy / "directory.toml").write_text("")

    done = CliRunner().invoke(app, ["check", "carvivo", str(copy), "--json", "--states", "10"])

    reports = json.loads(done.output)["rulebooks"]
    assert set(reports) == {"carvivo", "carvivo_new"}
    assert not reports["carvivo_new"]["ok"]
