"""Texts that differ: names, sentences, and what messages say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from shared.domain.wording.say import quoted

SHOWN = 60
BODIES = {"sms": "SMS", "chat": "chat", "txt": "e-mail", "html": "e-mail's layout"}


def in_quotes(text: str | None) -> str:
    """Its beginning: enough to know it again."""
    words = quoted(text)
    if len(words) > SHOWN:
        words = f"{words[: SHOWN - 2].rstrip(' …')}…»"
    return words or "nothing"


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    names = dict.fromkeys([*old, *new])
    return [name for name in names if old.get(name) != new.get(name)]


def _texts(subject: str, old: Mapping[Any, str], new: Mapping[Any, str]) -> Iterator[str]:
    for body in _differing(old, new):
        called = f"{subject} ({BODIES[body]})"
        if body not in old:
            yield f"{called} is new"
        elif body not in new:
            yield f"{called} is gone"
        else:
            yield f"{called} is worded differently{_lines(old[body], new[body])}"


def attached(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Files that go along with mails and are others than before, by name → what is in them."""
    for name in _differing(old, new):
        what = "is gone" if name not in new else "is new" if name not in old else "is another one"
        yield f"the file «{name}», which goes along with mails, {what}"


def _lines(old: str, new: str) -> str:
    """The first line that differs, old and new."""
    one, other = (text.splitlines() for text in (old, new))
    for tag, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag != "equal":
            before, after = in_quotes("\n".join(one[a:b])), in_quotes("\n".join(other[c:d]))
            return f": {after} instead of {before}"
    return ""


def _called(subject: str, _: str, new: str) -> Iterator[str]:
    yield f"{subject} is now called {f'«{new}»' if new else 'nothing'}"


def _told(subject: str, _: str | None, new: str | None) -> Iterator[str]:
    yield f"{subject} is told in other words: {in_quotes(new)}"


def _shared(_: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    for name in _differing(old, new):
        yield f"messages: what they share ({name}) is worded or laid out differently"


TEXTS: Mapping[str, Callable[[str, Any, Any], Iterator[str]]] = {
    "label": _called,
    "says": _told,
    "Template.files": _texts,
    "Messages.partials": _shared,
}
"""By the name of the field, with its model where others have one of that name."""
