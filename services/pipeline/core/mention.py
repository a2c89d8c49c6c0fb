"""Words in free texts, whatever their capitals, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

BEGINNING = "*"
"""At the end of a listed word: it counts by its beginning."""


def found(text: str, wanted: Iterable[str]) -> list[str]:
    """The words and phrases of `wanted` that the text holds, as the text writes them."""
    shown = unicodedata.normalize("NFC", text)
    plain = _plain(shown)
    seen: list[str] = []
    for word in wanted:
        stem = re.escape(_plain(word.rstrip(BEGINNING))).replace("\\ ", r"\s+")
        end = r"\w*" if word.endswith(BEGINNING) else ""
        match = re.search(rf"\b{stem}{end}\b", plain)
        if match is not None:
            seen.append(shown[match.start() : match.end()])
    return list(dict.fromkeys(seen))


def _plain(text: str) -> str:
    """Without capitals and accents, letter for letter, so that places stay the same."""
    letters = (
        unicodedata.normalize("NFD", letter)[0] for letter in unicodedata.normalize("NFC", text)
    )
    lowered = (letter.lower() for letter in letters)
    return "".join(low if len(low) == 1 else low[0] for low in lowered)
