"""No change of a rulebook is silent: every field of every model that it is made of is changed."""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from relance.rulebook_diff import differences
from relance.rulebook_diff.naming import NOT_TOLD
from relance.stack.home import PROJECT
from shared.domain.rulebook.condition import CONDITIONS, By, Condition
from shared.domain.rulebook.effect import EFFECTS, Effect, Note
from shared.domain.rulebook.loader import load
from shared.domain.rulebook.rule import Requirement, Rule, Target
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.trigger import TRIGGERS, Overdue, Trigger
from shared.domain.rulebook.word import Word
from shared.runtime.rulebook_folder import texts

BOOKS = {
    file.parent.name: load(texts(file.parent)) for file in PROJECT.glob("rulebooks/*/rulebook.toml")
}
WORDS = [*TRIGGERS.values(), *CONDITIONS.values(), *EFFECTS.values()]
Path = tuple[Any, ...]


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, type[BaseModel]]]:
    """Every field of every model in there: the path to it, and whose it is."""
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            if name not in NOT_TOLD:
                yield (*path, name), type(value)
                yield from places(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, tuple):
        for number, each in enumerate(value):
            yield from places(each, (*path, number))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = getattr(value, step) if isinstance(value, BaseModel) else value[step]
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    """The same with something else there."""
    if not path:
        return new
    step, *rest = path
    inner = put(at(value, (step,)), tuple(rest), new)
    if isinstance(value, BaseModel):
        return value.model_copy(update={step: inner})
    if isinstance(value, Mapping):
        return {**value, step: inner}
    return (*value[:step], inner, *value[step + 1 :])


def made(annotation: Any) -> Any:
    """Some value of that type."""
    args, origin = get_args(annotation), get_origin(annotation)
    if origin is Annotated:
        return made(args[0])
    if origin is Literal:
        return args[0]
    if origin in (Union, types.UnionType):
        return made(next(each for each in args if each is not type(None)))
    if origin is tuple:
        return (made(args[0]),)
    if origin is dict:
        return {made(args[0]): made(args[1])}
    plain = {
        Condition: By(by=("owner",)),
        Effect: Note(note="seen"),
        Trigger: Overdue(overdue=("any",)),
        Target: Target(move=("any",)),
        str: "other",
        int: 7,
        bool: True,
        dt.date: dt.date(2026, 3, 2),
    }
    return plain[annotation] if annotation in plain else built(annotation)


def built(model: type[BaseModel]) -> Any:
    """With what is needed, unchecked."""
    needed = {n: i.annotation for n, i in model.model_fields.items() if i.is_required()}
    return model.model_construct(**{name: made(each) for name, each in needed.items()})


def others(value: Any, annotation: Any) -> Iterator[Any]:
    """Other values: less, more, in another order, or simply another one."""
    if isinstance(value, Mapping):
        items = list(value.items())
        yield from [dict(items[1:]), dict(items[::-1])][: len(items)]
    elif isinstance(value, tuple):
        yield from [value[1:], value[::-1]][: len(value)]
    if value is None or value == () or value == {}:
        yield made(annotation)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
    elif isinstance(value, str):
        choices = [each for each in literals(annotation) if isinstance(each, str)]
        yield from (each for each in choices or ("2h", "another") if each != value)
    elif isinstance(value, dt.date):
        yield value + dt.timedelta(days=1)
    elif isinstance(value, BaseModel):
        yield made(type(value))


def literals(annotation: Any) -> list[Any]:
    """What a text can be, where that is a closed list."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [each for arg in get_args(annotation) for each in literals(arg)]


def silent(book: Rulebook, path: Path) -> list[str]:
    value, owner = at(book, path), type(at(book, path[:-1]))
    of_a_word = issubclass(owner, Word)  # inside one the order of a table says nothing
    return [
        f"{path}: {value!r} → {other!r}"
        for other in others(value, owner.model_fields[path[-1]].annotation)
        if repr(other) != repr(value) and not (of_a_word and other == value)
        if not differences(book, put(book, path, other))
    ]


def models(cls: type[BaseModel] = Rulebook) -> set[type[BaseModel]]:
    """Every model that a rulebook can be made of, the words of the language with them."""
    found: set[type[BaseModel]] = set()
    waiting: list[Any] = [cls, *WORDS]
    while waiting:
        part = waiting.pop()
        if isinstance(part, type) and issubclass(part, BaseModel) and part not in found:
            found.add(part)
            waiting += [info.annotation for info in part.model_fields.values()]
            waiting += [each for info in part.model_fields.values() for each in info.metadata]
        waiting += get_args(part)
    return found - {Trigger, Condition, Effect}


def everything() -> Rulebook:
    """Ours, with one of each word and of each table that none of ours says."""
    book = BOOKS["sales_academy"]
    rules = [
        Rule.model_construct(id=f"901-{n:02}", says="…", when=built(word), if_=(), do=())
        for n, word in enumerate(TRIGGERS.values())
    ]
    rules += [
        Rule.model_construct(
            id=f"902-{n:02}", says="…", when=made(Trigger), if_=(), do=(built(word),)
        )
        for n, word in enumerate(EFFECTS.values())
    ]
    rules += [
        Rule.model_construct(
            id=f"903-{n:02}", says="…", when=made(Trigger), if_=(built(word),), do=()
        )
        for n, word in enumerate(CONDITIONS.values())
    ]
    return book.model_copy(update={"rules": (*book.rules, *rules)})


@pytest.mark.parametrize("name", BOOKS)
def test_no_change_of_a_rulebook_of_ours_is_silent(name: str) -> None:
    """Each field of each model, at every place where it stands."""
    book = BOOKS[name]
    found = [told for path, _ in places(book) for told in silent(book, path)]

    assert found == []


def test_every_model_of_the_language_is_told() -> None:
    """Also the words and the arguments that none of our rulebooks says."""
    seen: set[tuple[type, str]] = set()
    found: list[str] = []
    waiting = [*BOOKS.values(), everything()]
    while waiting:
        book = waiting.pop()
        for path, owner in places(book):
            if (owner, path[-1]) in seen:
                continue
            seen.add((owner, path[-1]))
            found += silent(book, path)
            value = at(book, path)
            if value in (None, (), {}):
                annotation = owner.model_fields[path[-1]].annotation
                waiting.append(put(book, path, made(annotation)))
    missed = {
        f"{cls.__name__}.{name}"
        for cls in models()
        for name in cls.model_fields
        if name not in NOT_TOLD and (cls, name) not in seen
    }

    assert found == []
    assert missed == set()


def test_a_requirement_that_comes_or_goes_is_told() -> None:
    book = BOOKS["axelerator"]
    less = book.model_copy(update={"requires": book.requires[1:]})

    assert isinstance(book.requires[0], Requirement)
    assert [len(differences(*pair)) for pair in ((book, less), (less, book))] == [1, 1]
