"""Every difference between two rulebooks, a sentence each.

Complete by construction: all fields of all models are walked; what has no sentence of its own gets
a general one. Left out is only what no person and no lead would notice (`UNNOTICED`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, TypeVar

from pydantic import BaseModel

from relance.rulebook_diff.saying import OF, WORDS, Saying, Table, spoken
from shared.domain.rulebook.declaration import Pipeline
from shared.domain.rulebook.message import Messages, Template
from shared.domain.rulebook.rulebook import Rulebook

UNNOTICED = frozenset({"version", "name", "proofs"})
"""The hash of the files, the tenant once more, and which of our tests prove a row."""

ELSEWHERE = frozenset({"sources", "messages", "partials"})
"""Fields that are told on their own: the other files, and the texts."""

INNER: Mapping[type, str] = {Pipeline: "stage", Template: "files"}
"""The same within a declaration: the stages of a pipeline, the texts of a message."""

KINDS: Mapping[str, str] = {
    "require": "requirement",
    "template": "message",
    "target": "system",
    "quiet": "quiet time",
    "hold": "what holds messages back",
    "rest": "place to rest",
}
"""How people call what the files call otherwise."""

BODIES = {"sms": "SMS", "chat": "chat", "txt": "e-mail", "html": "e-mail"}
ASKED = {"if": "applies if", "need": "needs"}
"""How a rule says its conditions."""

COMES_AND_GOES: Mapping[tuple[Any, ...], tuple[str, str]] = {
    ("if",): ("applies only if also", "no longer applies only if"),
    ("need",): ("also needs", "no longer needs"),
    ("do",): ("also", "no longer"),
    ("order",): ("also lists", "no longer lists"),
}
"""How it is said that an entry of such a list came, or went."""

Path = tuple[Any, ...]
T = TypeVar("T", bound=Hashable)


def differences(old: Rulebook, new: Rulebook) -> list[str]:
    """Everything that people would notice, or that is done otherwise; empty for equal ones."""
    teller = _Teller(Saying(old, new))
    found = [
        *teller.parts(old, new),
        *teller.named("stage", _stages(old), _stages(new)),
        *teller.parts(old.sources, new.sources),
        *teller.parts(old.messages, new.messages),
        *_texts(old.messages, new.messages),
    ]
    return list(dict.fromkeys(found))


class _Teller:
    def __init__(self, saying: Saying) -> None:
        self.saying = saying

    def parts(self, old: BaseModel, new: BaseModel) -> Iterator[str]:
        """Of every field of the model."""
        for name, info in type(new).model_fields.items():
            if name not in UNNOTICED | ELSEWHERE:
                key = info.alias or name
                yield from self._part(KINDS.get(key, key), getattr(old, name), getattr(new, name))

    def named(self, kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
        """Declarations by their id."""
        called = {id_: getattr(each, "label", "") or id_ for id_, each in {**old, **new}.items()}
        for id_, label in called.items():
            if id_ not in old:
                yield f"new {kind} «{label}»"
            elif id_ not in new:
                yield f"no {kind} «{label}» any more"
            else:
                yield from self._changed(f"{kind} «{label}»", _dumped(old[id_]), _dumped(new[id_]))
        for id_, before_it in _moved(list(old), list(new)):
            place = f"after «{called[before_it]}»" if before_it else "first"
            yield f"{kind} «{called[id_]}» now comes {place}"

    def _part(self, kind: str, old: Any, new: Any) -> Iterator[str]:
        if isinstance(new, Mapping):
            yield from self.named(kind, old, new)
        elif kind in ("rule", "requirement"):
            yield from self._numbered(kind, old, new)
        elif not isinstance(new, tuple):
            yield from self._single(kind, old, new)
        elif all(_id(each) for each in (*old, *new)):
            yield from self.named(
                kind, *({_id(each): each for each in side} for side in (old, new))
            )
        else:
            yield from self._unnamed(kind, [*map(_dumped, old)], [*map(_dumped, new)])

    def _single(self, kind: str, old: Any, new: Any) -> Iterator[str]:
        one, other = _dumped(old), _dumped(new)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from self._changed(kind, one, other)
        elif one != other:
            yield f"{kind} is {self.saying.instead(kind, one, other)}"

    def _numbered(self, kind: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
        """By their number; of several entries of one number those that are alike go together."""
        for id_ in dict.fromkeys([each.id for each in (*old, *new)]):
            before, after = ([_dumped(x) for x in side if x.id == id_] for side in (old, new))
            for one, other in _matched(before, after):
                if one is None:
                    yield f"{kind} {id_} now also: {other['says']}"
                elif other is None:
                    yield f"{kind} {id_} no longer: {one['says']}"
                else:
                    yield from self._changed(f"{kind} {id_}", one, other)
        entries = ([(x.id, x.says, repr(_dumped(x))) for x in side] for side in (old, new))
        for entry, before_it in _moved(*entries):
            place = f"after {kind} {before_it[0]}" if before_it else "first of all"
            yield f"{kind} {entry[0]} is now looked at {place}: {entry[1]}"

    def _unnamed(self, kind: str, old: list[Table], new: list[Table]) -> Iterator[str]:
        for one, other in _matched(old, new):
            if one is None:
                yield f"new {kind}: {self.saying.table(other)}"
            elif other is None:
                yield f"no {kind} any more: {self.saying.table(one)}"
            else:
                yield from self._changed(f"{kind} ({self.saying.table(one)})", one, other)
        for entry, _ in _moved([*map(repr, old)], [*map(repr, new)]):
            told = self.saying.table(next(each for each in new if repr(each) == entry))
            yield f"{kind} comes in another order: {told}"

    def _changed(self, name: str, old: Table, new: Table) -> Iterator[str]:
        for key, verb in (("when", "starts by"), ("to", "binds")):
            one, other = old.get(key), new.get(key)
            if isinstance(one, dict) and isinstance(other, dict) and one != other:
                told = self.saying.table(other)
                yield f"{name} now {verb}: {told}; no longer: {self.saying.table(one)}"
                old = {**old, key: other}
        for path, one, other in _leaves(old, new):
            table = new if other is not None else old
            yield self._own(name, path, one, other) or self._general(name, table, path, one, other)

    def _own(self, name: str, path: Path, one: Any, other: Any) -> str | None:
        """The sentence of what has one of its own."""
        if path == ("says",) and other:
            return f"{name} is told in other words: {other}"
        if path == ("rule",):
            return f"{name}: its number is {self.saying.instead('', one, other)}"
        come_or_gone = isinstance(one or other, dict) and None in (one, other)
        if path not in COMES_AND_GOES or not come_or_gone:
            return None
        comes, goes = COMES_AND_GOES[path]
        return f"{name} {comes if other else goes}: {self.saying.table(other or one)}"

    def _general(self, name: str, table: Table, path: Path, one: Any, other: Any) -> str:
        saying, first = self.saying, path[0]
        if first in ASKED and len(path) > 1:
            asked = _asked(table, path, saying)
            return f"{name} {ASKED[first]} {asked} {self._now(path, one, other)}"
        if first == "do" and path[-2:] == ("due", "in"):
            effect = _at(table, path[:-2])
            of = OF.get(str(effect["due"].get("of")), "")
            return f"{name}: {_doing(effect, saying)} within {self._now(path, one, other)}{of}"
        scalar = not isinstance(one, list) and not isinstance(other, list)
        is_ = " is" if scalar else ":"
        return f"{name}: {_place(table, path, saying)}{is_} {self._now(path, one, other)}"

    def _now(self, path: Path, one: Any, other: Any) -> str:
        """`45 instead of 30 minutes`, `also x; no longer y`."""
        key = next((step for step in reversed(path) if isinstance(step, str)), "")
        if isinstance(one, list) or isinstance(other, list):
            return self.saying.listed(key, one or [], other or [])
        return self.saying.instead(key, one, other)


def _doing(effect: Table, saying: Saying) -> str:
    word = next((key for key in effect if key in WORDS), "it")
    value = saying.value(word, effect.get(word, ""))
    return value if word.endswith("_task") else f"{spoken(word)} {value}"


def _place(table: Table, path: Path, saying: Saying) -> str:
    """`«Call back», due at`: the effect in hand, then the rest of the path."""
    if path[0] == "do" and len(path) > 2:
        return f"{_doing(_at(table, path[:2]), saying)}, {_spoken(path[2:])}"
    return _spoken(path)


def _asked(rule: Table, path: Path, saying: Saying) -> str:
    """`filled phone, email, at least`: the condition that changes, up to what is new in it."""
    condition, rest = _at(rule, path[:2]), path[2:]
    word = next(iter(condition))
    inside = [str(part) for part in rest if isinstance(part, str)]
    if inside[:1] != [word]:
        return f"{word} {saying.value(word, condition[word])}, {_spoken(inside)}"
    return _spoken(inside)


def _spoken(path: Iterable[Any]) -> str:
    """Places in lists count from one."""
    return " ".join(spoken(step + 1 if isinstance(step, int) else step) for step in path)


def _texts(old: Messages, new: Messages) -> Iterator[str]:
    for name in sorted({*old.partials, *new.partials}):
        if old.partials.get(name) != new.partials.get(name):
            yield f"messages: what they share ({name}) is worded or laid out differently"
    for id_, template in new.templates.items():
        known = old.templates.get(id_)
        for body in {**known.files, **template.files} if known else ():
            if known is not None and known.files.get(body) != template.files.get(body):
                yield f"message «{template.label or id_}» ({BODIES[body]}) is worded differently"


def _stages(book: Rulebook) -> dict[str, BaseModel]:
    return {f"{pipeline}.{id_}": stage for (pipeline, id_), stage in book.stages.items()}


def _id(part: Any) -> str:
    """What one entry of a list is known by: a digest by its template; empty where by nothing."""
    return str(getattr(part, "id", "") or getattr(part, "template", ""))


def _dumped(part: Any) -> Any:
    if isinstance(part, BaseModel):
        told = part.model_dump(mode="json", by_alias=True, serialize_as_any=True)
        told.pop(INNER.get(type(part), ""), None)
        return told
    return part


def _at(value: Any, path: Iterable[Any]) -> Any:
    for step in path:
        value = value[step]
    return value


def _leaves(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Every place at which two values differ, with both; what came into a list of tables, or went
    from it, has the place of the list."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _leaves(old.get(key), new.get(key), (*path, key))
    elif _is_of_tables(old) and _is_of_tables(new) and old and new:
        for one, other in _matched(old, new):
            if one is None or other is None:
                yield path, one, other
            else:
                place = new.index(other)
                yield from _leaves(one, other, (*path, place))
        if sorted(map(repr, old)) == sorted(map(repr, new)) and old != new:
            yield path, old, new
    elif old != new:
        for one, other in _whole(old, new):
            yield path, one, other


def _whole(old: Any, new: Any) -> Iterator[tuple[Any, Any]]:
    """A list of tables that was empty, or is: each by itself."""
    if _is_of_tables(old) and old and not new:
        yield from ((each, None) for each in old)
    elif _is_of_tables(new) and new and not old:
        yield from ((None, each) for each in new)
    else:
        yield old, new


def _is_of_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _matched(old: list[Any], new: list[Any]) -> Iterator[tuple[Any, Any]]:
    """What changed into what; None where something came or went."""
    matcher = SequenceMatcher(None, [*map(repr, old)], [*map(repr, new)], autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            continue
        pairs = min(b - a, d - c)
        yield from zip(old[a : a + pairs], new[c : c + pairs], strict=True)
        yield from ((gone, None) for gone in old[a + pairs : b])
        yield from ((None, come) for come in new[c + pairs : d])


def _moved(old: Sequence[T], new: Sequence[T]) -> Iterator[tuple[T, T | None]]:
    """What comes in another place among what both have; and what it comes after now."""
    before = [each for each in old if each in set(new)]
    after = [each for each in new if each in set(old)]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, _, __, c, d in matcher.get_opcodes():
        if tag in ("insert", "replace"):
            for place in range(c, d):
                yield after[place], after[place - 1] if place else None
