"""JSON Schemas of a rulebook's files, made from the models: completion and errors while typing.

A TOML file names its schema in the first line (`#:schema ../schema/rulebook.json`); editors with
taplo (Even Better TOML) read it. The loader checks more: names that must exist, for instance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from relance.directory import ORDER
from relance.scenario_schema import scenario_file
from relance.schema_shape import SPOKEN, plain
from relance.schema_text import patterned
from relance.stack.home import PROJECT
from shared.contract.directory import KINDS
from shared.domain.rulebook.condition import CONDITIONS
from shared.domain.rulebook.effect import EFFECTS
from shared.domain.rulebook.message import Messages
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.source import Sources
from shared.domain.rulebook.trigger import TRIGGERS
from shared.domain.rulebook.word import Word

FOLDER = PROJECT / "rulebooks" / "schema"
PARTS: Mapping[str, Mapping[str, type[Word]]] = {
    "when": TRIGGERS,
    "if": CONDITIONS,
    "do": EFFECTS,
}
ELSEWHERE = ("version", "sources", "messages")
"""What a `Rulebook` has that `rulebook.toml` does not say."""


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a file that this model reads, with every word it can hold."""
    schema = plain(model)
    definitions: dict[str, Any] = schema.pop("$defs", {})
    waiting = [part for part in PARTS if _speaks(schema, part) or _speaks(definitions, part)]
    done: set[str] = set()
    while waiting:
        part = waiting.pop()
        if part in done:
            continue
        done.add(part)
        names = [f"{part} {word}" for word in PARTS[part]]
        definitions[part] = {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in names]}
        for name, cls in zip(names, PARTS[part].values(), strict=True):
            word = plain(cls)
            definitions |= word.pop("$defs", {})
            definitions[name] = word
        waiting += [other for other in PARTS if _speaks(definitions, other)]
    whole = {**schema, "$defs": dict(sorted(definitions.items()))}
    referred: dict[str, Any] = patterned(_referring(whole))
    return {"$schema": "http://json-schema.org/draft-07/schema#", **referred}


def documents() -> dict[str, str]:
    """File name → text of everything in `rulebooks/schema/`."""
    pages = {
        "rulebook.json": _rulebook_file(),
        "sources.json": schema_of(Sources),
        "messages.json": _messages_file(),
        "directory.json": _directory_file(),
        "scenario.json": scenario_file(),
    }
    return {
        name: json.dumps(page, indent=1, ensure_ascii=False) + "\n" for name, page in pages.items()
    }


def write() -> list[str]:
    """Write them; returns the names of those that changed."""
    FOLDER.mkdir(exist_ok=True)
    changed = []
    for name, text in documents().items():
        file = FOLDER / name
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            changed.append(name)
    return changed


def _rulebook_file() -> dict[str, Any]:
    schema = schema_of(Rulebook)
    for key in ELSEWHERE:
        del schema["properties"][key]
    needed = {"name", *ELSEWHERE}  # the name is the tenant's unless said
    schema["required"] = [key for key in schema["required"] if key not in needed]
    return schema


def _messages_file() -> dict[str, Any]:
    """Without the texts that come from the folder `templates/`."""
    schema = schema_of(Messages)
    del schema["properties"]["partials"], schema["$defs"]["Template"]["properties"]["files"]
    return schema


def _directory_file() -> dict[str, Any]:
    """A list of tables for each kind of document."""
    tables: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for kind in ORDER:
        table = plain(KINDS[kind])
        definitions |= table.pop("$defs", {})
        for key in ("because", "withdrawn"):
            table["properties"].pop(key, None)
        table["additionalProperties"] = False
        tables[kind] = {"type": "array", "items": table}
    whole: dict[str, Any] = patterned(
        {
            "title": "Directory",
            "type": "object",
            "properties": tables,
            "additionalProperties": False,
            "$defs": definitions,
        }
    )
    return {"$schema": "http://json-schema.org/draft-07/schema#", **whole}


def _speaks(value: Any, part: str) -> bool:
    if isinstance(value, dict):
        return value.get(SPOKEN) == part or any(_speaks(v, part) for v in value.values())
    return isinstance(value, list) and any(_speaks(v, part) for v in value)


def _referring(value: Any) -> Any:
    """Every mark replaced by the reference to its part of the language."""
    if isinstance(value, list):
        return [_referring(item) for item in value]
    if not isinstance(value, dict):
        return value
    if SPOKEN in value:
        rest = {key: _referring(item) for key, item in value.items() if key != SPOKEN}
        return {**rest, "$ref": f"#/$defs/{value[SPOKEN]}"}
    return {key: _referring(item) for key, item in value.items()}
