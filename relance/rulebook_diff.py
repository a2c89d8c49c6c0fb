"""What changes for people between two rulebooks, in words: a sentence a difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from pydantic import BaseModel

from shared.domain.duration import parse
from shared.domain.rulebook.effect import EFFECTS
from shared.domain.rulebook.rulebook import Rulebook

UNITS = {"m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month"}
OF = {"open_hours": " of open hours", "working_days": " (working days)"}
BODIES = {"sms": "SMS", "txt": "e-mail", "html": "e-mail"}
UNTOLD = frozenset({"rule", "says", "files", "stage"})
"""Where a thing comes from, and what is told by itself."""

ASKED = {"if": "applies if", "need": "needs"}
"""How a rule says its conditions."""

Table = Mapping[str, Any]


def differences(old: Rulebook, new: Rulebook) -> list[str]:
    """Everything that people would notice, or that is done otherwise; empty for equal ones."""
    words = _Words(old, new)
    found = [
        *_named("pipeline", old.pipelines, new.pipelines, words),
        *_named("stage", _stages(old), _stages(new), words),
        *_named("field", old.fields, new.fields, words),
        *_named("task", old.tasks, new.tasks, words),
        *_named("outcome", old.outcomes, new.outcomes, words),
        *_named("reason", old.reasons, new.reasons, words),
        *_named("attempt", old.attempts, new.attempts, words),
        *_named("document", old.documents, new.documents, words),
        *_named("setting", old.settings, new.settings, words),
        *_listed("rule", old.rules, new.rules, words),
        *_listed("requirement", old.requires, new.requires, words),
        *_digests(old, new, words),
        *_named("source", _by_id(old.sources.source), _by_id(new.sources.source), words),
        *_named("message", old.messages.templates, new.messages.templates, words),
        *_texts(old, new),
    ]
    return list(dict.fromkeys(found))


class _Words:
    """What things are called: the new name, else the old one."""

    def __init__(self, old: Rulebook, new: Rulebook) -> None:
        self._labels = {
            ("task", id_): each.label for book in (old, new) for id_, each in book.tasks.items()
        }
        self.settings = {**old.settings, **new.settings}

    def task(self, id_: str) -> str:
        return f"«{self._labels.get(('task', id_), id_)}»"

    def instead(self, before: Any, after: Any) -> str:
        """`45 instead of 30 minutes`, `2 hours instead of 1 day`, `x instead of y`."""
        one, other = _duration(before), _duration(after)
        if one is None or other is None:
            return f"{_plain(after)} instead of {_plain(before)}"
        (count, unit), (new_count, new_unit) = one, other
        if unit == new_unit:
            return f"{new_count} instead of {_times(count, unit)}"
        return f"{_times(new_count, new_unit)} instead of {_times(count, unit)}"


def _duration(text: Any) -> tuple[int, str] | None:
    try:
        found = parse(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return (found.count, found.unit) if found else None


def _times(count: int, unit: str) -> str:
    return f"{count} {UNITS[unit]}{'' if count == 1 else 's'}"


def _plain(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value)) or "nothing"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(each)}" for key, each in value.items()) or "nothing"
    return str(value)


def _dumped(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, serialize_as_any=True
    )


def _stages(book: Rulebook) -> dict[str, BaseModel]:
    return {f"{pipeline}.{id_}": stage for (pipeline, id_), stage in book.stages.items()}


def _by_id(models: Iterable[Any]) -> dict[str, BaseModel]:
    return {model.id: model for model in models}


def _named(
    kind: str, old: Mapping[str, Any], new: Mapping[str, Any], words: _Words
) -> Iterator[str]:
    for id_ in [*old, *(id_ for id_ in new if id_ not in old)]:
        before, after = old.get(id_), new.get(id_)
        label = getattr(after or before, "label", "") or id_
        if before is None:
            yield f"new {kind} «{label}»"
        elif after is None:
            yield f"no {kind} «{label}» any more"
        else:
            for key, one, other in _leaves(_dumped(before), _dumped(after)):
                if key and key[0] not in UNTOLD:
                    said = ".".join(map(str, key)).replace("_", " ")
                    yield f"{kind} «{label}»: {said} is {words.instead(one, other)}"


def _listed(kind: str, old: Sequence[Any], new: Sequence[Any], words: _Words) -> Iterator[str]:
    """Rules by their number; of several entries of one number those that are alike go together."""
    for id_ in dict.fromkeys([each.id for each in (*old, *new)]):
        before = [_told(each) for each in old if each.id == id_]
        after = [_told(each) for each in new if each.id == id_]
        matcher = SequenceMatcher(
            None, [repr(each) for each in before], [repr(each) for each in after], autojunk=False
        )
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal":
                continue
            pairs = min(b - a, d - c)
            for one, other in zip(before[a : a + pairs], after[c : c + pairs], strict=True):
                yield from _changed(f"{kind} {id_}", one, other, words)
            for gone in before[a + pairs : b]:
                yield f"{kind} {id_} no longer: {gone['says']}"
            for come in after[c + pairs : d]:
                yield f"{kind} {id_} now also: {come['says']}"


def _told(rule: BaseModel) -> dict[str, Any]:
    return {**_dumped(rule), "says": getattr(rule, "says", "")}


def _changed(name: str, old: Table, new: Table, words: _Words) -> Iterator[str]:
    for path, one, other in _leaves(old, new):
        if path[0] == "says":
            yield f"{name} is told in other words: {other}"
        elif path[-2:] == ("due", "in"):
            effect = _at(new, path[:-2])
            of = OF.get(str(effect["due"].get("of")), "")
            yield f"{name}: {_doing(effect, words)} within {words.instead(one, other)}{of}"
        elif path[0] in ASKED and len(path) > 2:
            asked = _asked(new if other is not None else old, path)
            yield f"{name} {ASKED[path[0]]} {asked} {words.instead(one, other)}"
        else:
            place = _place(new if other is not None else old, path, words)
            yield f"{name}: {place} is {words.instead(one, other)}"


def _doing(effect: Table, words: _Words) -> str:
    word = next((key for key in effect if key in EFFECTS), "it")
    value = str(effect.get(word, ""))
    return words.task(value) if word.endswith("_task") else f"{word.replace('_', ' ')} {value}"


def _place(rule: Table, path: tuple[Any, ...], words: _Words) -> str:
    """`«Call back», due at`: the effect in hand, then the rest of the path."""
    if path[0] == "do" and len(path) > 2:
        rest = " ".join(str(part) for part in path[2:]).replace("_", " ")
        return f"{_doing(_at(rule, path[:2]), words)}, {rest}"
    return " ".join(str(part) for part in path).replace("_", " ")


def _asked(rule: Table, path: tuple[Any, ...]) -> str:
    """`filled phone, email, at least`: the condition that changes, up to what is new in it."""
    condition, rest = _at(rule, path[:2]), path[2:]
    word = next(iter(condition))
    inside = [str(part) for part in rest if isinstance(part, str)]
    if inside[:1] != [word]:
        inside = [f"{word} {_plain(condition[word])},", *inside]
    return " ".join(inside).replace("_", " ")


def _at(value: Any, path: Iterable[Any]) -> Any:
    for step in path:
        value = value[step]
    return value


def _leaves(
    old: Any, new: Any, path: tuple[Any, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Every place at which two values differ, with both."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from _leaves(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _leaves(one, other, (*path, place))
    elif old != new:
        yield path, old, new


def _digests(old: Rulebook, new: Rulebook, words: _Words) -> Iterator[str]:
    before = {each.template: each for each in old.digests}
    after = {each.template: each for each in new.digests}
    yield from _named("digest", before, after, words)


def _texts(old: Rulebook, new: Rulebook) -> Iterator[str]:
    before, after = old.messages, new.messages
    if before.partials != after.partials:
        yield "messages: what they share is worded or laid out differently"
    for id_, template in after.templates.items():
        known = before.templates.get(id_)
        for body, text in template.files.items() if known else ():
            if known is not None and known.files.get(body) != text:
                yield f"message «{template.label or id_}» ({BODIES[body]}) is worded differently"
