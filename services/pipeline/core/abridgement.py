"""What of a long digest is said line by line: the rest is counted, so that it always goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

Line = dict[str, JsonValue]
Sections = Mapping[str, Sequence[Line]]

LINES_AT_MOST = 300
"""Of a digest: what a mail program shows whole and a person may still read."""
LONGEST = 80
"""Characters of a name, a company or a task; what is longer is cut."""


def share(sizes: Iterable[int], most: int) -> int:
    """How many lines each section may have, so that all have `most` at most: what small ones leave
    is the large ones'."""
    left, ordered = most, sorted(size for size in sizes if size)
    for place, size in enumerate(ordered):
        of_each = left // (len(ordered) - place)
        if size > of_each:
            return of_each
        left -= size
    return most


def abridged(of_each: Sequence[Sections]) -> list[dict[str, JsonValue]]:
    """The sections of each adviser with their first lines, `more` (how many further ones each
    section has) and `total`. The lines come in their order, the most urgent first."""
    most = share((len(lines) for each in of_each for lines in each.values()), LINES_AT_MOST)
    return [
        {
            **{name: [*map(_short, lines[:most])] for name, lines in sections.items()},
            "more": {name: max(0, len(lines) - most) for name, lines in sections.items()},
            "total": sum(map(len, sections.values())),
        }
        for sections in of_each
    ]


def _short(line: Line) -> JsonValue:
    return {
        name: f"{value[: LONGEST - 1].rstrip()}…"
        if isinstance(value, str) and len(value) > LONGEST and name in _FREE
        else value
        for name, value in line.items()
    }


_FREE = frozenset({"name", "company", "task"})
"""What people wrote themselves, or what was filled from it."""
