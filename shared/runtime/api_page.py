"""`/docs`: the HTTP interface on one page that needs neither scripts nor the internet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

Schema = Mapping[str, Any]

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ max-width: 52rem; margin: 1.5rem auto; padding: 0 1rem; overflow-wrap: anywhere }}
section {{ border-top: 1px solid #8884; margin-top: 2rem }}
h2 code {{ font-size: 1.05rem }} h3 {{ font-size: 1rem; margin: 1.2rem 0 .3rem }}
table {{ border-collapse: collapse; width: 100% }}
td {{ padding: .25rem .8rem .25rem 0; vertical-align: top; border-bottom: 1px solid #8883 }}
td:first-child {{ white-space: nowrap }} small {{ opacity: .7 }}
pre {{ white-space: pre-wrap; padding: .7rem 1rem; border: 1px solid #8884; border-radius: 8px }}
</style></head><body><h1>{title}</h1>
<p>For programs: <a href="/openapi.json">openapi.json</a></p>
{operations}
</body></html>
"""


def page(document: Schema) -> str:
    """The page of an OpenAPI document."""
    schemas = document.get("components", {}).get("schemas", {})
    keys = document.get("components", {}).get("securitySchemes", {})
    operations = (
        _operation(method, path, operation, schemas, keys)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    title = escape(document["info"]["title"])
    return _PAGE.format(title=title, operations="\n".join(operations))


def _operation(method: str, path: str, about: Schema, schemas: Schema, keys: Schema) -> str:
    parts = [
        f"<section><h2><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p><b>{escape(about.get('summary', ''))}</b></p>",
        *(f"<p>{_prose(text)}</p>" for text in about.get("description", "").split("\n\n") if text),
        *_proofs(about.get("security", ()), keys),
        *_table("Parameters", [_parameter(each) for each in about.get("parameters", ())]),
        *_body(about.get("requestBody", {}), schemas),
        *_table("Answers", [_answer(*each) for each in about["responses"].items()]),
        "</section>",
    ]
    return "\n".join(parts)


def _proofs(ways: Sequence[Schema], keys: Schema) -> Iterator[str]:
    """How the caller proves who it is: any one of the ways."""
    told = [keys[name].get("description", name) for way in ways for name in way if name in keys]
    if told:
        yield f"<h3>Who may</h3><p>{' or '.join(map(_prose, told))}</p>"


def _parameter(about: Schema) -> tuple[str, str, str]:
    kind = f"{about['in']}, {_kind(about.get('schema', {}))}"
    return about["name"], kind, about.get("description", "")


def _answer(status: str, about: Schema) -> tuple[str, str, str]:
    said = about["description"]
    return status, "", "Done." if said == "Successful Response" else said


def _body(about: Schema, schemas: Schema) -> Iterator[str]:
    content = about.get("content", {})
    if not content:
        return
    yield f"<h3>Body</h3><p>{_prose(about.get('description') or ', '.join(content))}</p>"
    told = content.get("application/json", {})
    for example in told.get("examples", {}).values():
        yield f"<p>{escape(example.get('summary', ''))}</p>{_json(example['value'])}"
    for schema in _choices(told.get("schema", {}), schemas):
        if "properties" not in schema:
            continue
        yield from (_json(example) for example in schema.get("examples", ()))
        needed = schema.get("required", ())
        rows = [
            (
                name,
                _kind(each) + (", needed" if name in needed else ""),
                each.get("description", ""),
            )
            for name, each in schema["properties"].items()
        ]
        yield from _table(schema.get("title", "Fields"), rows, schema.get("description", ""))


def _choices(schema: Schema, schemas: Schema) -> Iterator[Schema]:
    """The schema, or each of those it may be."""
    if "$ref" in schema:
        yield schemas[_name(schema)]
    elif among := schema.get("oneOf") or schema.get("anyOf"):
        for each in among:
            yield from _choices(each, schemas)
    else:
        yield schema


def _kind(schema: Schema) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        return _name(schema)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if among := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_kind(each) for each in among if each.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _table(head: str, rows: Sequence[tuple[str, str, str]], about: str = "") -> Iterator[str]:
    if not rows:
        return
    yield f"<h3>{escape(head)}</h3>" + (f"<p>{_prose(about)}</p>" if about else "")
    cells = (
        f"<tr><td><code>{escape(name)}</code><td><small>{escape(kind)}</small><td>{_prose(text)}"
        for name, kind, text in rows
    )
    yield f"<table>{''.join(cells)}</table>"


def _json(value: object) -> str:
    return f"<pre>{escape(json.dumps(value, ensure_ascii=False, indent=2))}</pre>"


def _prose(text: str) -> str:
    """Escaped, with the two marks our sentences use: `code` and **bold**."""
    coded = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", coded)
