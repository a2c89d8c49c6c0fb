"""Values of a rulebook: whether two are the same, and as the file says them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from shared.domain.rulebook.word import Word


def same(one: Any, other: Any) -> bool:
    """Equal, and in the same order; inside a word of the language order says nothing."""
    if one is other:
        return True
    if isinstance(one, Word) or type(one) is not type(other):
        return bool(one == other)
    if isinstance(one, BaseModel):
        return all(same(getattr(one, n), getattr(other, n)) for n in type(one).model_fields)
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def dumped(value: Any) -> Any:
    """As TOML tables."""
    if isinstance(value, BaseModel):
        return value.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, serialize_as_any=True
        )
    if isinstance(value, Mapping):
        return {key: dumped(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [dumped(each) for each in value]
    return "nothing" if value is None else value


def items_of(value: Any) -> list[Any]:
    """Of one thing, of several or of none, a list."""
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, tuple | list) else [] if value is None else [value]


def given(model: BaseModel) -> list[str]:
    """The fields that say something else than when they are left out, in the order of the model."""
    return [
        name
        for name, info in type(model).model_fields.items()
        if info.is_required() or getattr(model, name) != info.default
    ]
