"""Bringing a rulebook into force: which one is meant, and what is refused before it is written."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from relance import rulebook_publish
from relance.cli import app
from relance.rulebook_publish import CannotPublish, Office
from relance.stack.home import PROJECT

BOOKS = PROJECT / "rulebooks"
AGAINST = """
[[rule]]
id   = "001-23"
says = "…"
when = { stage_entered = "new" }
do   = [ { move = "in_work" } ]

[[rule]]
id   = "001-24"
says = "…"
when = { stage_entered = "new" }
do   = [ { move = "qualified" } ]
"""


@dataclass(frozen=True, slots=True)
class Desk(Office):
    """Intake with what was published there, of one company."""

    url: str = ""
    key: str = ""
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        self.asked.append(method)
        id_ = path.partition("?")[0].removeprefix("/directory").removeprefix("/rulebook/")
        if isinstance(body, dict):
            self.kept[id_] = body
        if id_:
            return self.kept[id_]
        last = list(self.kept)[-1:]
        return {
            "rulebook": [
                {"id": each, "in_force": each in last, "published_at": str(n), "note": None}
                for n, each in enumerate(self.kept)
            ]
        }


def copy_of(name: str, to: Path) -> Path:
    return shutil.copytree(BOOKS / name, to / name)


def test_a_rulebook_whose_rules_contradict_each_other_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    folder, desk = copy_of("axelerator", tmp_path), Desk()
    file = folder / "rulebook.toml"
    file.write_text(file.read_text(encoding="utf-8") + AGAINST, encoding="utf-8")

    with pytest.raises(CannotPublish) as refused:
        rulebook_publish.publish(folder, desk)

    first, *rest = str(refused.value).splitlines()
    assert first == "axelerator is not published."
    assert [each.partition(": ")[0] for each in rest] == ["001-23 and 001-24"]
    assert "both run for the same event" in rest[0]
    assert desk.asked == []


@pytest.mark.parametrize("name", sorted(f.parent.name for f in BOOKS.glob("*/rulebook.toml")))
def test_each_rulebook_of_ours_is_published_and_then_in_force(name: str) -> None:
    desk = Desk()

    assert f"is in force for {name}." in rulebook_publish.publish(BOOKS / name, desk)
    assert "is in force already." in rulebook_publish.publish(BOOKS / name, desk)


@pytest.mark.parametrize("command", ["diff", "publish", "list"])
@pytest.mark.parametrize("said", [["nonsuch"], ["--rulebook", "nonsuch"]])
def test_a_rulebook_nobody_knows_is_told_as_by_check(command: str, said: list[str]) -> None:
    checked = CliRunner().invoke(app, ["check", "nonsuch"])
    told = CliRunner().invoke(app, ["rulebook", command, *said])

    sentence = " ".join(told.stderr.split()).removeprefix("relance: ")
    assert (checked.exit_code, told.exit_code) == (1, 1)
    assert sentence.startswith(f"{BOOKS / 'nonsuch'} is no rulebook's folder")
    assert sentence in " ".join(checked.output.split())


@pytest.mark.parametrize("said", [["carvivo"], ["--rulebook", "carvivo"]])
def test_a_bare_name_is_a_rulebook_of_ours(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def told(folder: Path, _: Office) -> str:
        asked.append(folder)
        return ""

    monkeypatch.setattr(rulebook_publish, "diff", told)

    assert CliRunner().invoke(app, ["rulebook", "diff", *said]).exit_code == 0
    assert asked == [BOOKS / "carvivo"]


def test_what_changes_is_told_before_and_while_it_is_published_in_lines_of_a_screen(
    tmp_path: Path,
) -> None:
    folder, desk = copy_of("axelerator", tmp_path), Desk()
    rulebook_publish.publish(folder, desk)
    file = folder / "rulebook.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('due = { in = "30m"', 'due = { in = "45m"', 1), encoding="utf-8")

    told = rulebook_publish.diff(folder, desk)

    assert "within 45 instead of 30 minutes" in " ".join(told.split())
    assert told.startswith("- rule 001-23")
    assert max(map(len, told.splitlines())) <= rulebook_publish.WIDTH
    assert told in rulebook_publish.publish(folder, desk)
