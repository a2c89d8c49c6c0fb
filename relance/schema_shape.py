"""Models as JSON Schema, in the shapes in which people write them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from shared.domain.rulebook.rulebook import by_id
from shared.domain.rulebook.word import Spoken, listed

SPOKEN = "x-words"


class Shapes(GenerateJsonSchema):
    """The shapes in which people write: one for a list of one, tables with ids for a mapping."""

    def function_before_schema(
        self, schema: core_schema.BeforeValidatorFunctionSchema
    ) -> JsonSchemaValue:
        """What the file may say before a validator of ours has read it."""
        function = schema["function"]["function"]
        if isinstance(function, Spoken):
            return {SPOKEN: function.part}
        inner = super().function_before_schema(schema)
        if function is listed and "items" in inner:
            return {"anyOf": [inner["items"], inner]}
        if function is by_id:
            table = inner.get("additionalProperties", {})
            return {"type": "array", "items": table}
        return inner


def plain(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of one model, before words are put in their places."""
    return model.model_json_schema(by_alias=True, schema_generator=Shapes)
