"""What belongs together in two rulebooks, and what is only in one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from relance.rulebook_diff.order import moved
from relance.rulebook_diff.text import in_quotes
from relance.rulebook_diff.value import dumped, items_of
from shared.domain.rulebook.effect import Effect
from shared.domain.rulebook.word import Word

Pair = tuple[Word | None, Word | None]
"""The same in the old rulebook and in the new one; None where it is in one of them only."""


def rules_moved(
    kind: str, old: Sequence[Any], new: Sequence[Any], pairs: Sequence[tuple[Any, Any]]
) -> Iterator[str]:
    """Which rules run before which others now."""
    number = {id(each): place for place, each in enumerate(old)}
    places = {id(after): number[id(before)] for before, after in pairs}
    before = sorted(places.values())
    after = [places[id(each)] for each in new if id(each) in places]
    rule = {places[id(each)]: each for each in new if id(each) in places}
    for one, then in moved(before, after):
        place = f"before {rule[then].id}" if then is not None else "last"
        yield f"{kind} {rule[one].id} ({in_quotes(rule[one].says)}) now comes {place}"


def aligned(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Equal ones, then the others in order, then what is only here or there."""
    rest = list(new)
    left = []
    for one in old:
        if one in rest:
            yield one, rest.pop(rest.index(one))
        else:
            left.append(one)
    both = min(len(left), len(rest))
    yield from zip(left[:both], rest[:both], strict=True)
    yield from ((one, None) for one in left[both:])
    yield from ((None, other) for other in rest[both:])


def paired(old: Sequence[Word], new: Sequence[Word]) -> Iterator[Pair]:
    """What differs, the same word with the same argument together, else the same word."""
    left = [each for each in old if each not in new]
    right = [each for each in new if each not in old]
    for same in (_decides, type):
        for one in list(left):
            other = next((each for each in right if same(each) == same(one)), None)
            if other is not None:
                left.remove(one)
                right.remove(other)
                yield one, other
    yield from ((one, None) for one in left)
    yield from ((None, other) for other in right)


def _decides(word: Word) -> tuple[type, str]:
    return type(word), repr(
        getattr(word, word.word, None) if isinstance(word, Effect) else dumped(word).keys()
    )


def keyed(value: Any) -> dict[Any, Any]:
    """Models by what tells them apart; two that nothing tells apart by their place."""
    if isinstance(value, Mapping):
        return dict(value)
    keyed: dict[Any, Any] = {}
    for number, each in enumerate(items_of(value)):
        key = _key(each)
        keyed[(key, number) if key in keyed else key] = each
    return keyed


def renamed(old: dict[Any, Any], new: dict[Any, Any]) -> dict[Any, Any]:
    """What has no id and goes by another name now is the same, if as many come as go."""
    gone = [key for key in old if key not in new]
    come = [key for key in new if key not in old]
    if len(gone) != len(come) or any(hasattr(old[key], "id") for key in gone):
        return old
    now = dict(zip(gone, come, strict=True))
    return {now.get(key, key): each for key, each in old.items()}


def _key(model: BaseModel) -> Any:
    for name in ("id", "label", "template", "rule", "channels", "stage"):
        if (value := getattr(model, name, None)) not in (None, ""):
            return value
    return type(model).__name__
