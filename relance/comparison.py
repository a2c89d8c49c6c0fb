"""Whether two runs tell the same story: per subject the same (type, data), in the same order.

Ids are aliased by first appearance, because two runs may have made different ones; instants may
differ by a second; the order between subjects is free. So is that between two messages about one
lead: SMS and e-mail leave side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.contract.envelope import Envelope
from shared.contract.notifications import MessageEvent

TOLERANCE_S = 1.0

RUN_DEPENDENT = frozenset({"provider_id", "raw_id", "dedupe_key", "causation"})
"""Fields that say something of the run, not of the story."""

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")

_LINK = re.compile(r"https?://\S+/answer/[\w.-]+")

Told = tuple[str, str, Any]
"""Source, type and data of one event."""


@dataclass
class _Aliases:
    """Ids and lead numbers as `#1`, `#2` … in the order in which they come up."""

    ids: re.Pattern[str]
    known: dict[str, str] = field(default_factory=dict)

    def of(self, id_: str) -> str:
        return self.known.setdefault(id_, f"#{len(self.known) + 1}")

    def replace(self, value: Any) -> Any:
        """`value` with every id in it replaced, and without what depends on the run."""
        if isinstance(value, Mapping):
            return {k: self.replace(v) for k, v in value.items() if k not in RUN_DEPENDENT}
        if isinstance(value, list):
            return [self.replace(each) for each in value]
        if not isinstance(value, str):
            return value
        value = _LINK.sub("<link>", value)  # signed for the run, by its key
        return self.ids.sub(lambda found: self.of(found[0]), value)


Line = tuple[str, str, str]
"""Source, subject, and for notifications the message: within a line the order counts."""


def _by_line(events: Iterable[Envelope]) -> dict[Line, list[Envelope]]:
    found: dict[Line, list[Envelope]] = {}
    for event in events:
        message = event.data.notification if isinstance(event.data, MessageEvent) else ""
        found.setdefault((event.source, event.subject, message), []).append(event)
    return found


def _told(events: Iterable[Envelope], ids: re.Pattern[str]) -> list[Told]:
    aliases = _Aliases(ids)
    return [
        (each.source, each.type, aliases.replace(each.data.model_dump(mode="json", by_alias=True)))
        for each in events
    ]


def _stories(events: Iterable[Envelope]) -> dict[Line, list[Told]]:
    """What the events of each line tell."""
    events = list(events)
    numbers = {str(number) for each in events if (number := getattr(each.data, "number", None))}
    ids = re.compile("|".join([_UUID, *map(re.escape, sorted(numbers))]))
    return {key: _told(of_one, ids) for key, of_one in _by_line(events).items()}


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are equal, instants within a second."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(v, right[k]) for k, v in left.items())
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, str) and isinstance(right, str) and left != right:
        return _same_instant(left, right)
    return bool(left == right)


def _same_instant(left: str, right: str) -> bool:
    if not (_INSTANT.fullmatch(left) and _INSTANT.fullmatch(right)):
        return False
    apart = datetime.fromisoformat(left) - datetime.fromisoformat(right)
    return abs(apart.total_seconds()) <= TOLERANCE_S


def _difference(left: list[Told], right: list[Told]) -> str | None:
    """Where two subjects' stories part, in words; None when they do not."""
    for place, (one, other) in enumerate(zip(left, right, strict=False), 1):
        if not same(one, other):
            return f"event {place} is {_shown(one)}\n    but there {_shown(other)}"
    if len(left) != len(right):
        longer, where = (left, "only here") if len(left) > len(right) else (right, "only there")
        return f"event {min(len(left), len(right)) + 1} is {where}: " + _shown(
            longer[min(len(left), len(right))]
        )
    return None


def _shown(told: Told) -> str:
    return f"{told[1]} {told[2]}"


def differences(here: Iterable[Envelope], there: Iterable[Envelope]) -> list[str]:
    """What two runs tell differently, one sentence a subject; empty when they are equal.

    Subjects are paired by id where both runs have it, the others by their story.
    """
    left, right = _stories(here), _stories(there)
    found = [
        f"{line[0]} of {line[1]}: {difference}"
        for line in left.keys() & right.keys()
        if (difference := _difference(left[line], right[line]))
    ]
    unpaired = [right[key] for key in right.keys() - left.keys()]
    for key in left.keys() - right.keys():
        twin = next((o for o in unpaired if _difference(left[key], o) is None), None)
        if twin is None:
            found.append(f"{key[0]} of {key[1]} is only here: {list(map(_shown, left[key]))}")
        else:
            unpaired.remove(twin)
    found += [f"only there: {list(map(_shown, story))}" for story in unpaired]
    return sorted(found)
