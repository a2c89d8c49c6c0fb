"""STOP and START: whether a reply is nothing but the wish not to be written to, or to be again.

Decided strictly: the whole text is one of these words. Somebody who writes it in a sentence says
something else as well, and is answered by a person. Words that answer other questions too (yes,
cancel, end) are none.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Wish = Literal["stop", "start"]

STOP = frozenset(
    {"stop", "stop all", "stop sms", "stopall", "stopsms", "unsubscribe", "opt out", "optout"}
    | {"arret", "arret sms", "desabonner", "desabonnement", "desinscrire", "desinscription"}
    | {"стоп", "стоп смс", "отписка", "отписаться"}
)
START = frozenset({"start", "unstop", "старт"})
"""As `plain` writes them."""

_AROUND = " \t\n.,;:!?\"'`´*_-–—…()[]<>«»“”„‘’"
_MARKS = re.compile(r"[\u0300-\u036f]")
_SIGNATURE = re.compile(r"^--\s*$")
_BELOW = re.compile(r"^([-_]{5,}|(from|de|von|от)\s?:\s)", re.I)
"""Where a mail program puts what is answered without marking each line of it."""


def wish_of(text: str | None) -> Wish | None:
    """What a reply asks for, if it asks for nothing else."""
    said = plain(text or "")
    return "stop" if said in STOP else "start" if said in START else None


def wish_of_mail(subject: str | None, text: str | None) -> Wish | None:
    """The same for a mail: what it answers and the signature do not count; one without any words
    of its own speaks by its subject, as the mails that `unsubscribe` links open do."""
    own = own_words(text or "")
    return wish_of(own) if own else wish_of(subject)


def plain(text: str) -> str:
    """Case, accents, spaces and what stands around the words make no difference."""
    folded = unicodedata.normalize("NFKD", text[:200]).casefold()
    return " ".join(_MARKS.sub("", folded).split()).strip(_AROUND)


def own_words(text: str) -> str:
    """What stands above the quoted mail, without the line that leads to it."""
    own: list[str] = []
    for line in text.splitlines():
        if _SIGNATURE.match(line) or _BELOW.match(line):
            break
        if line.lstrip().startswith(">"):
            own = _without_attribution(own)
            break
        own.append(line)
    return "\n".join(own).strip()


def _without_attribution(lines: list[str]) -> list[str]:
    """«On Monday … wrote:», in whatever language, on one line or broken into two."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if not lines or not lines[-1].rstrip().endswith(":"):
        return lines
    above = lines[:-1]
    broken = bool(above and above[-1].strip()) and len([x for x in above if x.strip()]) > 1
    return above[:-1] if broken else above
