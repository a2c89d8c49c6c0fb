"""Values of a rulebook in words: durations, ids by their labels, conditions, effects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from shared.domain.duration import parse
from shared.domain.rulebook.condition import CONDITIONS
from shared.domain.rulebook.effect import EFFECTS
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.trigger import TRIGGERS

Table = Mapping[str, Any]

UNITS = {"m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month"}
OF = {"open_hours": " of open hours", "working_days": " (working days)"}
NAMED_BY: Mapping[str, str] = {
    "create_task": "task",
    "postpone_task": "task",
    "complete_task": "task",
    "cancel_task": "task",
    "task_completed": "task",
    "task_assigned": "task",
    "overdue": "task",
    "task": "task",
    "move": "stage",
    "reopen": "stage",
    "stage_entered": "stage",
    "stage": "stage",
    "next": "stage",
    "from": "stage",
    "close_reason": "reason",
    "reason": "reason",
    "send": "message",
    "withdraw": "message",
    "ask": "message",
    "template": "message",
    "create_lead": "pipeline",
    "lead_created": "pipeline",
    "lead_linked": "pipeline",
    "pipeline": "pipeline",
    "classify": "outcome",
    "classified": "outcome",
    "outcome": "outcome",
    "log_attempt": "attempt",
    "attempt": "attempt",
    "code": "attempt",
    "attach": "document",
    "document": "document",
    "filled": "field",
    "field_set": "field",
    "set_fields": "field",
    "percent_of": "field",
    "key": "field",
}
"""By the keys of a rulebook's tables: what their values are the ids of."""

WORDS = frozenset({*CONDITIONS, *EFFECTS, *TRIGGERS})


class Saying:
    """What things are called: the new label, else the old one."""

    def __init__(self, old: Rulebook, new: Rulebook) -> None:
        self._labels: dict[tuple[str, str], str] = {}
        for book in (old, new):
            self._labels |= {
                (kind, id_): declared.label
                for kind, table in _tables(book)
                for id_, declared in table.items()
                if declared.label
            }

    def called(self, kind: str | None, id_: Any) -> str:
        """`«Call back»` for the id of a declaration of that kind; anything else as it is."""
        label = self._labels.get((kind or "", str(id_)))
        return f"«{label}»" if label else plain(id_)

    def value(self, key: object, value: Any) -> str:
        """The value that a key of a table has."""
        if isinstance(value, list | tuple):
            return ", ".join(self.value(key, each) for each in value) or "nothing"
        if isinstance(value, dict):
            return self.table(value)
        duration = _duration(value)
        if duration is not None:
            return _times(*duration)
        return self.called(NAMED_BY.get(str(key)), value)

    def table(self, table: Table) -> str:
        """`create task «Call back», due in 30 minutes of open hours, to owner`."""
        of_its_own: dict[str, Callable[[Any, Table], str]] = {
            "not": self._denied,
            "any_of": self._either,
            "linked": self._linked,
            "is": self._is,
            "filled": self._known,
            "due": self._owed,
        }
        word = next((word for word in of_its_own if table.get(word)), None)
        if word is not None and not isinstance(table[word], str):
            rest = {key: value for key, value in table.items() if key != word}
            return of_its_own[word](table[word], rest)
        said = [
            f"{spoken(key)} {self.value(key, value)}".strip()
            for key, value in table.items()
            if value not in (None, [], {}, "", False)
        ]
        return ", ".join(said) or "nothing"

    def _denied(self, inner: Table, _: Table) -> str:
        return f"not ({self.table(inner)})"

    def _either(self, branches: Iterable[Iterable[Table]], _: Table) -> str:
        return f"either {' or '.join(self.all_of(each) for each in branches)}"

    def _linked(self, conditions: Iterable[Table], _: Table) -> str:
        return f"another lead of the same contact: {self.all_of(conditions)}"

    def _is(self, asked: Table, _: Table) -> str:
        return " and ".join(f"{spoken(k)} is {self.value(k, v)}" for k, v in asked.items())

    def _known(self, names: Iterable[str], rest: Table) -> str:
        more = f", {self.table(rest)}" if any(rest.values()) else ""
        return f"{self.value('filled', names)} known{more}"

    def _owed(self, due: Table, rest: Table) -> str:
        return f"{self.table(rest)}, due {self.due(due)}"

    def all_of(self, conditions: Iterable[Table]) -> str:
        """Conditions that must hold together."""
        return " and ".join(self.table(each) for each in conditions) or "always"

    def due(self, due: Table) -> str:
        """`in 30 minutes of open hours`, `1 day before appointment`."""
        rest = {**due}
        of = OF.get(str(rest.pop("of", "")), "")
        within, before = rest.pop("in", None), rest.pop("before", None)
        said = [f"in {self.value('in', within)}{of}"] if within else []
        said += (
            [f"{self.value('in', before)}{of} before {rest.pop('from', 'now')}"] if before else []
        )
        rest = {
            k: v for k, v in rest.items() if (k, v) not in (("from", "now"), ("if_past", "now"))
        }
        told = self.table(rest) if any(v is not None for v in rest.values()) else ""
        return " ".join([*said, *([told] if told else [])])

    def instead(self, key: object, before: Any, after: Any) -> str:
        """`45 instead of 30 minutes`, `2 hours instead of 1 day`, `also x, no longer y`."""
        one, other = _duration(before), _duration(after)
        if one is not None and other is not None:
            (count, unit), (new_count, new_unit) = one, other
            if unit == new_unit:
                return f"{new_count} instead of {_times(count, unit)}"
            return f"{_times(new_count, new_unit)} instead of {_times(count, unit)}"
        return f"{self.value(key, after)} instead of {self.value(key, before)}"

    def listed(self, key: object, before: list[Any], after: list[Any]) -> str:
        """What came into a list, what went, or that its order changed."""
        come = [each for each in after if each not in before]
        gone = [each for each in before if each not in after]
        said = [f"also {self.value(key, come)}"] if come else []
        said += [f"no longer {self.value(key, gone)}"] if gone else []
        return "; ".join(said) or f"in this order: {self.value(key, after)}"


def spoken(key: object) -> str:
    """A key of the file as people read it."""
    return str(key).replace("_", " ")


def plain(value: Any) -> str:
    """A value that is no id."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _tables(book: Rulebook) -> Iterable[tuple[str, Mapping[str, Any]]]:
    stages = {id_: stage for (_, id_), stage in book.stages.items()}
    stages |= {f"{pipeline}.{id_}": stage for (pipeline, id_), stage in book.stages.items()}
    return (
        ("task", book.tasks),
        ("stage", stages),
        ("reason", book.reasons),
        ("message", book.messages.templates),
        ("pipeline", book.pipelines),
        ("outcome", book.outcomes),
        ("attempt", book.attempts),
        ("document", book.documents),
        ("field", book.fields),
    )


def _duration(text: Any) -> tuple[int, str] | None:
    try:
        found = parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return (found.count, found.unit) if found else None


def _times(count: int, unit: str) -> str:
    return f"{count} {UNITS[unit]}{'' if count == 1 else 's'}"
