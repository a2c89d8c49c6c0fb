"""The HTML mails of every company on a narrow screen: nothing is cut off, nothing too pale."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from relance.cli_rulebook import all_rulebooks

PALEST = 4.5
"""The contrast that WCAG asks of small text."""
STYLE = re.compile(r'style="([^"]*)"')
WHITE = "#ffffff"


def styles(file: Path) -> Iterator[dict[str, str]]:
    for style in STYLE.findall(file.read_text(encoding="utf-8")):
        pairs = (each.partition(":") for each in style.split(";") if ":" in each)
        yield {name.strip(): value.strip() for name, _, value in pairs}


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * p for weight, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("folder", all_rulebooks(), ids=lambda folder: folder.name)
def test_a_long_word_of_a_contact_breaks_instead_of_being_cut_off(folder: Path) -> None:
    """A company's name, an address: what people type in has no limit."""
    card = next(s for s in styles(folder / "templates/_top.html.liquid") if "border-radius" in s)

    assert card["overflow-wrap"] == "anywhere"
    facts = (folder / "templates/_facts.html.liquid").read_text(encoding="utf-8")
    for style in re.findall(r'<td style="([^"]*)"', facts):
        assert "vertical-align:top" in style  # its name stands beside the first line of a fact


@pytest.mark.parametrize("folder", all_rulebooks(), ids=lambda folder: folder.name)
def test_every_text_stands_out_from_what_is_behind_it(folder: Path) -> None:
    pale = [
        f"{file.name}: {style['color']} on {behind}"
        for file in sorted(folder.glob("templates/*.html.liquid"))
        for style in styles(file)
        if style.get("color", "").startswith("#")
        and contrast(style["color"], behind := style.get("background", WHITE)) < PALEST
    ]

    assert pale == []
