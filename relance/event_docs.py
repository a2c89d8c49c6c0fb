"""`relance docs`: the event schemas and the AsyncAPI document, from the topic table alone.

FastStream cannot see payloads that we decode ourselves, so the documents come from the same
classes that write the events. A frozen schema is never replaced by an incompatible one: a new
version of the event is needed then.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.contract.envelope import CONTENT_TYPE, Envelope, Event
from shared.contract.topics import TOPICS, Topic

FOLDER = Path(__file__).parent.parent / "docs" / "events"
ARCHITECTURE = FOLDER.parent / "architecture.md"


class IncompatibleChange(Exception):
    """A changed schema would not read what was written under the frozen one."""


def schema_of(cls: type[Event]) -> dict[str, Any]:
    """The JSON Schema of the whole record value: envelope attributes and this payload."""
    envelope = Envelope.model_json_schema(by_alias=True, mode="serialization")
    payload = cls.model_json_schema(by_alias=True, mode="validation")
    definitions = envelope.pop("$defs", {}) | payload.pop("$defs", {})
    definitions.pop("Event", None)
    envelope["properties"]["type"] = {"const": cls.type}
    envelope["properties"]["data"] = payload
    envelope["title"] = cls.__name__
    envelope["description"] = (cls.__doc__ or "").strip()
    envelope["required"] = [
        name for name in envelope["required"] if name not in {"specversion", "datacontenttype"}
    ]
    if definitions:
        envelope["$defs"] = definitions
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **envelope}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document: channels are topics, messages are event classes."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        name = topic.name.replace(".", "-")
        channels[name] = _channel(topic)
        for service in (topic.writer, *topic.readers):
            if service == "outside":
                continue
            verb = "send" if service == topic.writer else "receive"
            operations[f"{service}-{verb}-{name}"] = {
                "action": verb,
                "channel": {"$ref": f"#/channels/{name}"},
                "tags": [{"name": service}],
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Relance",
            "version": "1.0.0",
            "description": "Every topic, its only writer, its readers and its events.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Written by {topic.writer} only; key: {topic.key}; kept: {_kept(topic)}.",
        "messages": {
            cls.__name__: {
                "name": cls.type,
                "title": cls.__name__,
                "summary": (cls.__doc__ or "").strip().splitlines()[0],
                "contentType": CONTENT_TYPE,
                "payload": {"$ref": f"./{cls.type}.json"},
            }
            for cls in topic.events
        },
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    "max.message.bytes": topic.max_bytes,
                },
            }
        },
    }


def _kept(topic: Topic) -> str:
    return "compacted" if topic.compacted else f"{(topic.retention_ms or 0) // 86_400_000} days"


def documents() -> dict[str, str]:
    """File name -> text of everything in `docs/events/`."""
    pages = {f"{cls.type}.json": schema_of(cls) for topic in TOPICS for cls in topic.events} | {
        "asyncapi.json": asyncapi()
    }
    return {
        name: json.dumps(page, indent=1, ensure_ascii=False) + "\n" for name, page in pages.items()
    }


def topic_table() -> str:
    """The topic table of `docs/architecture.md`."""
    rows = [
        "| topic | only writer | key | partitions | kept | read by |",
        "|---|---|---|---|---|---|",
    ]
    rows += [
        f"| `{topic.name}` | {topic.writer} | {topic.key} | {topic.partitions} | {_kept(topic)} "
        f"| {', '.join(topic.readers) or 'people'} |"
        for topic in TOPICS
    ]
    return "\n".join(rows)


def with_topic_table(page: str) -> str:
    """`page` with the table between its two marks made anew."""
    head, start, rest = page.partition("<!-- topics: written by `relance docs` -->\n")
    _, end, tail = rest.partition("<!-- /topics -->")
    return f"{head}{start}{topic_table()}\n{end}{tail}"


def is_compatible(frozen: dict[str, Any], current: dict[str, Any]) -> bool:
    """Whether a reader with the `current` schema reads all that was written under `frozen`."""
    from jsonsubschema import isSubschema  # noqa: PLC0415  a development tool, slow to import

    return bool(isSubschema(_closed(frozen), current))


def _closed(schema: Any) -> Any:
    """The writer's view: no field beyond those declared."""
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(part) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict):
        closed.setdefault("additionalProperties", False)
    return closed


def write(folder: Path = FOLDER) -> list[str]:
    """Write the documents, return the names that changed.

    Raises `IncompatibleChange` naming the event when a frozen schema would be broken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in documents().items():
        path = folder / name
        old = path.read_text() if path.exists() else None
        if old == text:
            continue
        if old and name != "asyncapi.json" and not is_compatible(json.loads(old), json.loads(text)):
            raise IncompatibleChange(
                f"{name} would no longer read events written before this change; "
                "add a new version of the event class instead (type ending in the next .vN)."
            )
        path.write_text(text)
        changed.append(name)
    page = ARCHITECTURE.read_text()
    if (renewed := with_topic_table(page)) != page:
        ARCHITECTURE.write_text(renewed)
        changed.append(ARCHITECTURE.name)
    return changed
