"""Every rule of the runtime has a test that fails without it, and the page names it."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "runtime-rules.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.M))
LATER = {"25", "27"}


def test_every_rule_is_on_the_page_and_has_a_test_or_comes_later() -> None:
    assert list(ROWS) == [str(number) for number in range(1, 28)]
    untested = {number for number, row in ROWS.items() if "::test_" not in row}
    assert untested == LATER


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`(tests/\S+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 40
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (PROJECT / file).exists()
        or not re.search(rf"^(async )?def {name}\(", (PROJECT / file).read_text(), re.M)
    ]
    assert missing == []
