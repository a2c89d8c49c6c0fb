"""`relance directory apply` checks the whole file before it writes anything."""

from pathlib import Path

import pytest

from relance.directory import DirectoryError, dangling, read
from shared.contract.directory import Team, kind_of

EXAMPLE = Path("rulebooks/axelerator/directory.toml")


def written(folder: Path, text: str) -> Path:
    file = folder / "directory.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_example_company_is_complete_and_what_others_name_comes_first() -> None:
    documents = read(EXAMPLE)
    assert list(dangling(documents, {})) == []
    assert [kind_of(document) for document in documents][:3] == ["calendar", "site", "team"]


def test_a_team_whose_manager_nobody_knows_is_named() -> None:
    team = Team(id="sales", name="Sales", site="minsk", manager="ghost")
    problems = list(dangling([team], {("site", "minsk"): {}}))
    assert problems == ["team 'sales' names manager 'ghost', and there is no [[agent]] of that id"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[site]]\nid = 'x'\ncolour = 'red'", r"site 'x': 'colour' is no field"),
        ("[[agent]]\nid = 'a'\nname = 'A'", r"agent 'a': initials: this key is missing"),
        ("[[person]]\nid = 'a'", r"'person' is no part of a directory"),
        ("[site]\nid = 'x'", r"write it as \[\[site\]\]"),
        ("site = [", r"not valid TOML"),
        ("[[calendar]]\nid='c'\nweekly={}\n[[calendar]]\nid='c'\nweekly={}", "there twice"),
    ],
)
def test_a_wrong_file_is_refused_in_words(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(DirectoryError, match=why):
        read(written(tmp_path, text))


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DirectoryError, match="No such file"):
        read(tmp_path / "none.toml")
