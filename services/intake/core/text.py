"""Text from outside, made harmless: nothing that a database or a screen chokes on."""

from __future__ import annotations

import re
import unicodedata

SHORT = 300
"""Characters of a name, a subject, a value."""

LONG = 64_000
"""Characters of a text; the whole is always on `intake.raw.v1`."""

# PostgreSQL refuses NUL, and lone surrogates cannot be written as UTF-8 at all.
_HARMFUL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def line(text: str | None, limit: int = SHORT) -> str | None:
    """One line without control characters, spaces folded; absent when nothing is left."""
    if text is None:
        return None
    return _short(" ".join(_HARMFUL.sub(" ", text).split()), limit) or None


def block(text: str | None, limit: int = LONG) -> str | None:
    """Several lines, as they were, without control characters; absent when nothing is left."""
    if text is None:
        return None
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _short(_HARMFUL.sub("", plain).strip(), limit) or None


def _short(text: str, limit: int) -> str:
    composed = unicodedata.normalize("NFC", text[: limit + 1])
    return composed if len(composed) <= limit else composed[: limit - 1] + "…"
