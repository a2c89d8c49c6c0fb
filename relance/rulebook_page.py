"""`docs/rulebook.md`: the whole rule language, made from the models that read it.

Meanings are the docstrings, arguments come from the fields, examples from our own rulebooks, which
the loader reads.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from relance import scenario
from relance.directory import ORDER
from relance.rulebook_example import (
    Example,
    example_of,
    example_scenario,
    example_table,
    examples_of_step,
)
from relance.rulebook_schema import ELSEWHERE, PARTS
from relance.schema_shape import SPOKEN, Shapes
from relance.simulation.step import Away
from relance.stack.home import PROJECT
from relance.toml_text import inline
from services.pipeline.core import action as acts
from shared.contract.directory import KINDS
from shared.domain.rulebook import due, message, placeholder, reference, source
from shared.domain.rulebook.condition import Condition
from shared.domain.rulebook.effect import Effect
from shared.domain.rulebook.rule import ACTION_WORDS, Target
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.trigger import Trigger

PAGE = PROJECT / "docs" / "rulebook.md"

HEAD = """# The rule language

Written by `relance docs` from the models in `shared/domain/rulebook`; change those.
Every example stands in one of our rulebooks or their scenarios, apart from those that say so.
While typing, editors that know taplo (Even Better TOML) complete and check by the schemas in
`rulebooks/schema`.

A rulebook is a folder: `rulebook.toml` (pipelines, lists, rules), `sources.toml` (ways in),
`messages.toml` with `templates/` (what is said), `directory.toml` (an example company) and
`scenarios/` (the proofs).
`relance check` finds what is wrong with one, `relance simulate` plays its scenarios.

- A **rule** happens by itself: `when` something happens, `if` all of these are true, `do` that.
  Rules run in file order, each on the state that the one before left, on open leads only unless
  they ask for `status`; what they do can start others.
- A **requirement** binds agents: what they do (`to`) is refused until `need` is true; `if` says
  when it asks at all. A refusal lists everything that is missing at once.
- `id` is the number of the company's own sentence, `says` quotes it. Several entries may share a
  number; `house-NN` is for what every sales team expects and no document says.
"""

TITLES = {"when": "When", "if": "If and need: conditions", "do": "Do"}
LEADS = {
    "when": "What can start a rule. Several values mean any of them.",
    "if": "What must be true, for a rule (`if`) or for an action (`need`).",
    "do": "What a rule does, to the lead in hand.",
}


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for part, registry in PARTS.items():
        lines += [f"## {TITLES[part]}", "", LEADS[part], ""]
        for word, cls in registry.items():
            lines += _entry(f"`{word}`", cls, [example_of(part, word)])
    lines += _actions()
    lines += _tables("rulebook.toml", Rulebook, ELSEWHERE)
    lines += _tables("sources.toml", source.Sources, ())
    lines += _tables("messages.toml", message.Messages, ("partials",))
    lines += _directory()
    lines += _scenarios()
    lines += _inner()
    lines += _lists()
    return "\n".join(lines).rstrip() + "\n"


def write() -> list[str]:
    """Write it; returns its name if it has changed."""
    text = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return []
    PAGE.write_text(text, encoding="utf-8")
    return [PAGE.name]


def _entry(
    title: str,
    cls: type[BaseModel],
    examples: Iterable[Example | None] = (),
    without: tuple[str, ...] = (),
) -> list[str]:
    lines = [f"### {title}", "", _meaning(cls), "", *_arguments(cls, without)]
    for where, text in filter(None, examples):
        lines += [f"```toml\n# {where}\n{text}\n```", ""]
    return lines


def _meaning(cls: object) -> str:
    """The docstring as paragraphs."""
    text = inspect.getdoc(cls) or ""
    return "\n\n".join(" ".join(part.split("\n")) for part in text.split("\n\n"))


def _arguments(cls: type[BaseModel], without: tuple[str, ...] = ()) -> list[str]:
    """A line an argument: name, what it can be, whether it is needed."""
    schema = cls.model_json_schema(by_alias=True, schema_generator=Shapes)
    needed = schema.get("required", [])
    lines = []
    for name, shape in schema.get("properties", {}).items():
        if name in without:
            continue
        default = shape.get("default")
        note = " (needed)" if name in needed else ""
        if name not in needed and default and not isinstance(default, Mapping | list):
            note = f" (default: {inline(default)})"
        lines.append(f"- `{name}`: {_shape(shape)}{note}")
    return [*(lines or ["No arguments."]), ""]


def _shape(shape: Mapping[str, Any]) -> str:
    """What a value can be, in words."""
    if SPOKEN in shape:
        title = TITLES[shape[SPOKEN]]
        return f"a word of [{title}](#{_anchor(title)})"
    if "$ref" in shape:
        name = shape["$ref"].rpartition("/")[2]
        return f"[{name}](#{_STEPS.get(name) or _anchor(name)})"
    if "anyOf" in shape:
        return _choice([each for each in shape["anyOf"] if each.get("type") != "null"])
    values = shape.get("enum") or ([shape["const"]] if "const" in shape else None)
    return " · ".join(f"`{value}`" for value in values) if values else _simple(shape)


def _choice(kinds: list[Mapping[str, Any]]) -> str:
    """One of several shapes; one and a list of it are the same to the loader."""
    if len(kinds) == 2 and kinds[1].get("items") == kinds[0]:
        return f"{_shape(kinds[0])}, one or several"
    return " or ".join(dict.fromkeys(_shape(each) for each in kinds))


def _simple(shape: Mapping[str, Any]) -> str:
    kind = shape.get("type", "")
    if kind == "array":
        return f"a list: {_shape(shape.get('items', {}))}"
    if kind == "object" and isinstance(inner := shape.get("additionalProperties"), Mapping):
        return f"a table: name → {_shape(inner)}"
    if kind == "string" and "description" in shape:
        return str(shape["description"])
    return SIMPLE.get(shape.get("format", kind), SIMPLE.get(kind, "a value"))


_STEPS = {"Act": "act-step", "Declare": "declare-step"}
"""Where the steps are told that others hold."""

SIMPLE = {
    "string": "a text",
    "integer": "a number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a table",
    "date": "a date",
    "time": "a time of day",
    "date-time": "a date with a time",
    "duration": "a duration",
}


def _actions() -> list[str]:
    """What agents do, and so what a requirement can bind."""
    lines = ["## To: what agents do", ""]
    lines += ["The main argument is what `to = { <action> = … }` names; `any` binds them all.", ""]
    classes = {cls.model_fields["act"].default: cls for cls in acts.ActionBase.__subclasses__()}
    for word, cls in sorted(classes.items()):
        bound = word in ACTION_WORDS
        examples = [example_of("to", word) if bound else None, *examples_of_step("act", word)]
        lines += _entry(f"`{word}` (action)", cls, examples, ("act",))
        lines += [] if bound else ["No requirement can bind it.", ""]
    narrowing = [name for name in _names(Target) if name not in ACTION_WORDS]
    lines += [f"Narrowed down by {', '.join(f'`{name}`' for name in narrowing)}.", ""]
    return lines


def _tables(file: str, model: type[BaseModel], without: tuple[str, ...]) -> list[str]:
    """Every top-level table of a file, by its own class."""
    lines = [f"## Tables of {file}", "", _meaning(model), ""]
    for name, info in model.model_fields.items():
        key = info.alias or name
        if key in without:
            continue
        found = _classes(info.annotation)
        if not found:
            lines += [f"- `{key}`: one value at the top of the file", ""]
            continue
        many = info.annotation is not found[0] and "None" not in str(info.annotation)
        title = f"`[[{key}]]`" if many else f"`[{key}]`"
        lines += _entry(title, found[0], [example_table(file, key)])
    return lines


def _directory() -> list[str]:
    """What intake can be told of a company's people, as `relance directory apply` reads it."""
    lines = ["## Tables of directory.toml", ""]
    lines += [
        "Who works where and when. `relance directory apply` brings it to a running stack.",
        "",
    ]
    for kind in ORDER:
        example = example_table("directory.toml", kind)
        lines += _entry(f"`[[{kind}]]`", KINDS[kind], [example], ("because", "withdrawn"))
    return lines


def _scenarios() -> list[str]:
    """The proofs: a table for each, and the steps that it is made of."""
    lines = ["## Scenarios", "", _meaning(scenario), ""]
    lines += _entry("`[[scenario]]`", scenario.Scenario, [example_scenario()], ("file", "steps"))
    lines += ["`steps` are these, in order:", ""]
    for word, cls in scenario.STEPS.items():
        lines += _entry(f"`{word}` (step)", cls, examples_of_step(word))
    return lines


def _inner() -> list[str]:
    """The tables that stand inside others."""
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [c for words in PARTS.values() for c in words.values()]
    waiting += [Rulebook, source.Sources, message.Messages]
    tops = {
        c for m in waiting[-3:] for i in m.model_fields.values() for c in _classes(i.annotation)
    }
    waiting += [*(KINDS[kind] for kind in ORDER), *scenario.STEPS.values(), Away]
    found[Away.__name__] = Away
    tops |= set(scenario.STEPS.values())
    while waiting:
        for name, info in waiting.pop().model_fields.items():
            for cls in _classes(info.annotation) if name != "because" else ():
                if cls.__name__ not in found and not hasattr(cls, "word"):
                    found[cls.__name__] = cls
                    waiting.append(cls)
    lines = ["## Tables inside others", ""]
    for name in sorted(found):
        if found[name] not in (*tops, Trigger, Condition, Effect):
            lines += _entry(name, found[name])
    return lines


def _lists() -> list[str]:
    moments = ", ".join(f"`{each}`" for each in due.MOMENTS)
    parties = ", ".join(f"`{each}`" for each in reference.PARTIES)
    prefixes = ", ".join(f"`{each}x`" for each in reference.PARTY_PREFIXES)
    attributes = ", ".join(f"`{each}`" for each in reference.ATTRIBUTES)
    names = ", ".join(f"`{{{each}}}`" for each in placeholder.NAMES)
    return [
        "## Closed lists",
        "",
        f"- **Moments**: {moments}, and any field of type date where a span is counted.",
        f"- **Parties**: {parties}, {prefixes}.",
        f"- **Attributes** that `is` can ask for: {attributes}, and any field.",
        f"- **Placeholders** of texts: {names}, and any field.",
        "- **Durations**: a number and `m`, `h`, `d`, `w` or `mo`, or the name of a setting.",
        "",
    ]


def _classes(annotation: Any) -> list[type[BaseModel]]:
    """The models anywhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [cls for arg in getattr(annotation, "__args__", ()) for cls in _classes(arg)]


def _names(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _anchor(title: str) -> str:
    return title.lower().replace(":", "").replace(" ", "-")
