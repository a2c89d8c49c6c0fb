"""The text of an SMS: cheap characters, and how many parts it costs."""

from __future__ import annotations

from smsutil import is_valid_gsm, split

PARTS_AT_MOST = 10
"""A longer text is refused: it would be a mistake, and each part is paid for."""

# Invisible, and each would turn a text into UCS-2, which halves what fits.
_SPACES = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u200b": "", "\ufeff": "", "\t": " "}
)
# Typographic marks with a plain twin; only worth it where the rest of the text is GSM-7.
_PLAIN = str.maketrans(
    {"«": '"', "»": '"', "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-"}
    | {"…": "...", "№": "No", "·": "-"}
)


def normalised(text: str) -> str:
    """`text` without what makes an SMS dear: typographic spaces, and marks if that saves parts.

    A Cyrillic text keeps its quotation marks and dashes: it is UCS-2 anyway.
    """
    lines = [" ".join(line.split()) for line in text.translate(_SPACES).strip().splitlines()]
    tidy = "\n".join(line for line in lines if line)
    plain = tidy.translate(_PLAIN)
    return plain if is_valid_gsm(plain) else tidy


def parts(text: str) -> int:
    """How many SMS the network makes of `text` (160/153 characters GSM-7, 70/67 otherwise)."""
    return len(split(text).parts)
