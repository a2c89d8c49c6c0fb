"""The JSON Schema of a file of scenarios, made from the steps that read it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from relance.scenario import STEPS, Scenario
from relance.schema_shape import plain
from relance.schema_text import patterned
from relance.simulation.expected import EVENTS
from relance.simulation.step import Act
from services.pipeline.core.action import ActionBase


def actions() -> dict[str, type[ActionBase]]:
    """What agents do, by its word."""
    classes = {cls.model_fields["act"].default: cls for cls in ActionBase.__subclasses__()}
    return dict(sorted(classes.items()))


def scenario_file() -> dict[str, Any]:
    """Tables of scenarios, each with its steps; an action of an agent with its own arguments."""
    definitions: dict[str, Any] = {}
    for word, cls in STEPS.items():
        if cls is not Act:
            definitions[f"step {word}"] = _table(cls, definitions)
    for word, action in actions().items():
        definitions[f"act {word}"] = _act(action, definitions)
    definitions["act"] = _any(each for each in definitions if each.startswith("act "))
    definitions["Act"] = {"$ref": "#/$defs/act"}
    for word in ("expect", "expect_no"):
        definitions[f"step {word}"]["properties"][word] = {"enum": sorted(EVENTS)}
    refused = definitions["step refuse"]["properties"]
    refused["rule"] = {"anyOf": [{"type": "string"}, refused["rule"]]}
    scenario = _table(Scenario, definitions)
    del scenario["properties"]["file"]
    steps = [*(each for each in definitions if each.startswith("step ")), "act"]
    scenario["properties"]["steps"]["items"] = _any(steps)
    whole: dict[str, Any] = patterned(
        {
            "title": "Scenarios",
            "type": "object",
            "properties": {"scenario": {"type": "array", "items": scenario}},
            "required": ["scenario"],
            "additionalProperties": False,
            "$defs": dict(sorted(definitions.items())),
        },
        local=True,
    )
    return {"$schema": "http://json-schema.org/draft-07/schema#", **whole}


def _act(action: type[ActionBase], definitions: dict[str, Any]) -> dict[str, Any]:
    """The action's arguments, and who does it to which lead."""
    schema = _table(action, definitions)
    who = _table(Act, definitions)["properties"]
    schema["properties"] = {**who, **schema["properties"]}
    schema["required"] = ["act", "by", *schema.get("required", ())]
    return schema


def _table(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = plain(model)
    for name, each in schema.pop("$defs", {}).items():
        definitions.setdefault(name, each)
    return schema


def _any(names: Any) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in names]}
