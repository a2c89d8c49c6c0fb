"""The walk over two rulebooks: every field of every model is told, the ones without words of
their own in a general sentence. A field added tomorrow is told without a line here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from relance.rulebook_diff.called import Called, kind_named, plain
from relance.rulebook_diff.condition import phrase_of
from relance.rulebook_diff.naming import NOT_TOLD, ORDERED, kind_of, label_of, name_of, said_of
from relance.rulebook_diff.order import moved
from relance.rulebook_diff.pairing import Pair, aligned, keyed, paired, renamed, rules_moved
from relance.rulebook_diff.phrase import Many, Phrase, instead, said, shown, untied
from relance.rulebook_diff.text import TEXTS, in_quotes
from relance.rulebook_diff.value import dumped, given, items_of, same
from relance.rulebook_diff.word import Speech
from relance.toml_text import inline
from shared.domain.rulebook.condition import Condition
from shared.domain.rulebook.due import DueTime
from shared.domain.rulebook.effect import Effect
from shared.domain.rulebook.message import Hold, Messages
from shared.domain.rulebook.rule import Requirement, Rule, Target
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.source import Sources
from shared.domain.rulebook.trigger import Trigger


def differences(old: Rulebook, new: Rulebook) -> list[str]:
    """Everything that people would notice, or that is done otherwise; empty for equal ones."""
    return list(dict.fromkeys(map(untied, _Telling(old, new).book(old, new))))


class _Telling:
    def __init__(self, old: Rulebook, new: Rulebook) -> None:
        self._called = Called(old, new)
        self._speech = Speech(self._called)

    def book(self, old: Rulebook, new: Rulebook) -> Iterator[str]:
        yield from self._model("", old, new)

    def _model(self, subject: str, old: BaseModel, new: BaseModel) -> Iterator[str]:
        for name in type(new).model_fields:
            if name not in NOT_TOLD:
                yield from self._field(subject, name, old, new)

    def _field(self, subject: str, name: str, old: BaseModel, new: BaseModel) -> Iterator[str]:
        """What is told of this field; something always is, where it differs."""
        one, other = getattr(old, name), getattr(new, name)
        if same(one, other):
            return
        found = list(self._told(subject, name, old, new))
        yield from found or [_general(subject, said_of(new, name), one, other)]

    def _told(self, subject: str, name: str, old: BaseModel, new: BaseModel) -> Iterator[str]:
        one, other = getattr(old, name), getattr(new, name)
        items = [*items_of(one), *items_of(other)]
        if tell := TEXTS.get(name) or TEXTS.get(f"{type(new).__name__}.{name}"):
            yield from tell(subject, one, other)
        elif _all(items, Trigger):
            yield self._two(f"{subject} starts at", one, other)
        elif _all(items, Target) and name == "to":
            yield self._two(f"{subject} binds who wants to:", one, other)
        elif _all(items, Condition):
            yield from self._conditions(subject, name, one, other)
        elif _all(items, Effect):
            yield from self._effects(subject, one, other)
        elif _all(items, (Rule, Requirement)):
            yield from self._rules(kind_of(name), one, other)
        elif _all(items, (Messages, Sources, Hold)):
            yield from self._model(subject, one, other)
        elif _all(items, BaseModel):
            yield from self._models(subject, name, one, other)
        else:
            yield self._values(subject, name, old, new)

    def _two(self, subject: str, old: Any, new: Any) -> str:
        one, other = self._phrase(old), self._phrase(new)
        if one == other:
            return _general(subject, "", old, new)
        return f"{subject} {instead(one, other)}"

    def _phrase(self, part: Any) -> Phrase:
        match part:
            case Trigger():
                return self._speech.trigger(part)
            case Condition():
                return phrase_of(part, self._called)
            case Effect():
                return self._speech.effect(part)
            case Target():
                return self._speech.target(part)
            case DueTime():
                return self._speech.due(part)
            case _:
                return said(inline(dumped(part)))

    def _values(self, subject: str, name: str, old: BaseModel, new: BaseModel) -> str:
        """A field that holds a value, or several."""
        words = said(subject, said_of(new, name))
        one, other = (self._value(name, model) for model in (old, new))
        if one == other:
            return _general(subject, said_of(new, name), getattr(old, name), getattr(new, name))
        return instead(said(words, one), said(words, other))

    def _value(self, name: str, model: BaseModel) -> str | Many:
        value, kind = getattr(model, name), kind_named(type(model).model_fields[name])
        ordered = (type(model).__name__, name) in ORDERED
        if isinstance(value, Mapping):
            return Many(tuple(f"{key}: {plain(each)}" for key, each in value.items()), "and")
        if isinstance(value, tuple | list):
            return Many(tuple(self._one(each, kind, name) for each in value), "and", ordered)
        return self._one(value, kind, name)

    def _one(self, value: Any, kind: str | None, name: str) -> str:
        if name == "next":
            kind = "stage"
        if kind is not None and isinstance(value, str):
            return self._called.name(kind, value)
        text = plain(value)
        return f"«{text}»" if " " in text and text == value else text

    def _conditions(self, subject: str, name: str, old: Any, new: Any) -> Iterator[str]:
        """`need`, or what a thing applies under."""
        verb = "counts" if name == "counts_if" else "applies"
        whole, come, gone = f"{verb} if", f"now {verb} only if", f"now {verb} also without this:"
        if name == "need":
            whole, come, gone = "needs", "now also needs:", "no longer needs:"
        words = (f"{subject} {gone}", f"{subject} {come}", f"{subject} {whole}")
        yield from self._each(*words, paired(old, new))

    def _each(self, gone: str, come: str, whole: str, pairs: Iterable[Pair]) -> Iterator[str]:
        """What went, what came, and what is otherwise now."""
        for one, other in pairs:
            if other is None:
                yield f"{gone} {shown(self._phrase(one))}"
            elif one is None:
                yield f"{come} {shown(self._phrase(other))}"
            else:
                yield self._two(whole, one, other)

    def _effects(self, subject: str, old: Any, new: Any) -> Iterator[str]:
        words = (f"{subject}: no longer", f"{subject}: now also", f"{subject}:")
        yield from self._each(*words, paired(old, new))
        done = {repr(each): shown(self._phrase(each)) for each in new}
        for what, before in moved([repr(each) for each in old], list(done)):
            then = f"before {done[before]}" if before else "at the end"
            yield f"{subject}: {done[what]} now {then}"

    def _models(self, subject: str, name: str, old: Any, new: Any) -> Iterator[str]:
        """Declared things by what they are called; in which order they stand is told as well."""
        before, after = keyed(old), keyed(new)
        before = renamed(before, after)
        within = f"{subject}, " if subject else ""
        if not isinstance(new, Mapping | tuple | list):
            before, after = ({"": each} if each is not None else {} for each in (old, new))
        kind = kind_of(name)
        for key in [*before, *(key for key in after if key not in before)]:
            one, other = before.get(key), after.get(key)
            called = f"{within}{name_of(kind, key, one or other)}"
            if one is None:
                yield f"{called} is new{self._content(other)}"
            elif other is None:
                yield f"{called} is gone{self._content(one)}"
            else:
                yield from self._model(called, one, other)
        for key, then in moved(list(before), list(after)):
            called = f"{within}{name_of(kind, key, after[key])}"
            place = f"before {plain(label_of(after[then]) or then)}" if then else "last"
            yield f"{called} now comes {place}"

    def _content(self, model: Any) -> str:
        """What a thing without a name of its own says."""
        if label_of(model):
            return ""
        names = [name for name in given(model) if name not in ("id", "rule", *TEXTS)]
        names = [name for name in names if f"{type(model).__name__}.{name}" not in TEXTS]
        return f": {'; '.join(self._says(name, model) for name in names)}"

    def _says(self, name: str, model: BaseModel) -> str:
        items = items_of(getattr(model, name))
        if _all(items, Condition):
            return f"if {' and '.join(shown(self._phrase(each)) for each in items)}"
        if _all(items, BaseModel):
            return f"{said_of(model, name)} {inline(dumped(getattr(model, name)))}"
        return shown(said(said_of(model, name), self._value(name, model)))

    def _summary(self, rule: Rule | Requirement) -> str:
        """What a rule does, or a requirement asks, without its conditions."""
        if isinstance(rule, Rule):
            done = "; ".join(shown(self._phrase(each)) for each in rule.do)
            return f"at {shown(self._phrase(rule.when))}: {done}"
        needed = "; ".join(shown(self._phrase(each)) for each in rule.need)
        return f"who wants to {shown(self._phrase(rule.to))} needs {needed}"

    def _rules(self, kind: str, old: Sequence[Any], new: Sequence[Any]) -> Iterator[str]:
        """Rules by their number; of several entries of one number those that are alike go
        together. In which order they run is told as well."""
        pairs: list[tuple[Any, Any]] = []
        ids = dict.fromkeys(each.id for each in (*old, *new))
        for id_ in ids:
            one = [each for each in old if each.id == id_]
            other = [each for each in new if each.id == id_]
            pairs += aligned(one, other)
        for before, after in pairs:
            if after is None:
                yield f"{kind} {before.id} no longer: {before.says} ({self._summary(before)})"
            elif before is None:
                yield f"{kind} {after.id} now also: {after.says} ({self._summary(after)})"
            elif before != after:
                yield from self._model(
                    f"{kind} {after.id} ({in_quotes(after.says)})", before, after
                )
        yield from rules_moved(kind, old, new, [(a, b) for a, b in pairs if a and b])


def _all(items: list[Any], cls: type | tuple[type, ...]) -> bool:
    return bool(items) and all(isinstance(each, cls) for each in items)


def _general(subject: str, words: str, old: Any, new: Any) -> str:
    """For what has no words of its own: as the file says it."""
    one, other = (inline(dumped(each)) for each in (old, new))
    return f"{f'{subject} {words}'.strip()} {other} instead of {one}"
