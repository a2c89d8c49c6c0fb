"""What every part of a rulebook is made of: frozen tables, references by name, words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

Kind = Literal[
    "pipeline",
    "stage",
    "field",
    "filled",
    "task",
    "outcome",
    "attempt",
    "attempt or outcome",
    "reason",
    "template",
    "target",
    "words",
    "document",
    "deadline",
    "date field",
    "duration",
    "party",
    "moment",
    "attribute",
    "question",
    "queue",
    "digest section",
]
"""What a name in a rulebook can stand for; `reference.py` knows which names exist."""


KIND_NAMES: Mapping[Kind, str] = {
    "filled": "field or contact point",
    "attempt": "attempt code",
    "attempt or outcome": "attempt code or outcome",
    "deadline": "deadline that a rule sets",
    "question": "question that a rule asks",
    "duration": "duration or setting",
    "attribute": "attribute or field",
}
"""How people call a kind where its own name would not say it."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Marks a field whose text names a declaration of this kind; checked at load.

    `also` is a text that stands for all of them.
    """

    kind: Kind
    also: str | None = None

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """Editors say what kind of name is expected."""
        also = f", or `{self.also}`" if self.also else ""
        return {**handler(core), "description": f"{KIND_NAMES.get(self.kind, self.kind)}{also}"}


class Part(BaseModel):
    """A table of a rulebook file: frozen, and a key nobody knows is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """The same with some fields replaced; what was worked out of them is worked out anew."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


class Word(Part):
    """A table whose first key is a word of the language: `{ create_task = "qualify", … }`.

    `word` is that key; the table's other keys are the word's arguments.
    """

    word: ClassVar[str]


AnyWord = TypeVar("AnyWord", bound=Word)


def listed(value: object) -> object:
    """One value where a list is expected stands for a list of one."""
    return (value,) if isinstance(value, str | bool | int | float | Mapping) else value


def parse(registry: Mapping[str, type[AnyWord]], value: object, part: str) -> AnyWord:
    """The word that a table says, by its key; a table without a known word is an error.

    An argument may be called like another word (`postpone_task` takes a `note`): then the word
    is the one that takes the other as an argument.
    """
    if isinstance(value, Word):
        return value  # type: ignore[return-value]  # an instance of the registry's own classes
    if not isinstance(value, Mapping):
        raise PydanticCustomError(
            "not_a_table", "expected a table with one word of `{part}`", {"part": part}
        )
    spoken = [key for key in value if key in registry]
    for key in spoken:
        known = {f.alias or name for name, f in registry[key].model_fields.items()}
        if known.issuperset(spoken):
            return registry[key].model_validate(value)
    if len(spoken) > 1:
        raise PydanticCustomError(
            "several_words",
            "{given}: one table says one word of `{part}`, not {many}",
            {"given": " and ".join(map(repr, spoken)), "many": len(spoken), "part": part},
        )
    raise PydanticCustomError(
        "no_word",
        "{given} is no word of `{part}`; expected one of {expected}",
        {
            "given": ", ".join(map(repr, value)) or "an empty table",
            "part": part,
            "expected": ", ".join(sorted(registry)),
        },
    )


@dataclass(frozen=True)
class Spoken:
    """Reads a word of a registry, looked up when a file is loaded: a registry comes after the
    words that may stand inside others."""

    registry: Callable[[], Mapping[str, type[Any]]]
    part: str

    def __call__(self, value: object) -> Any:
        """The word that a table says."""
        return parse(self.registry(), value, self.part)


def words(registry: Callable[[], Mapping[str, type[Any]]], part: str) -> BeforeValidator:
    """A validator for fields that hold words of a registry."""
    return BeforeValidator(Spoken(registry, part))


Listed = BeforeValidator(listed)
Names = Annotated[tuple[str, ...], Listed]
