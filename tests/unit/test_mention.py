"""Words that a comment should not hold are found whatever their capitals, accents and endings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pipeline.core.mention import found


@pytest.mark.parametrize(
    ("text", "word", "seen"),
    [
        ("C'est SCANDALEUX !", "scandaleu*", ["SCANDALEUX"]),
        ("Il est à l'hopital", "hôpital", ["hopital"]),
        ("Il est à l'hôpital", "hopital", ["hôpital"]),
        (
            "la  faute\nde la production",
            "la faute de la production",
            ["la  faute\nde la production"],
        ),
        ("Un produit nul.", "nul", ["nul"]),
        ("annuler la commande", "nul", []),
        ("nulle part", "nul", []),
        ("Une arnaque, des arnaques", "arnaque*", ["arnaque"]),
        ("C# (et non C)", "c#", []),
    ],
)
def test_a_word_is_found_whole_and_shown_as_it_was_written(
    text: str, word: str, seen: list[str]
) -> None:
    assert found(text, [word]) == seen


@given(st.text(), st.lists(st.text(min_size=1), max_size=3))
def test_no_text_and_no_word_breaks_the_search(text: str, words: list[str]) -> None:
    assert all(isinstance(each, str) for each in found(text, words))
