"""The published schemas are what the code writes, and a breaking change is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relance import event_docs
from shared.contract.pipeline import StageEntered
from shared.contract.topics import TOPICS


def test_the_published_documents_are_those_the_code_writes() -> None:
    published = {path.name: path.read_text() for path in event_docs.FOLDER.iterdir()}

    assert published == event_docs.documents(), "run `relance docs` and commit docs/events"


def test_the_topic_table_for_people_is_that_of_the_code() -> None:
    page = event_docs.ARCHITECTURE.read_text()

    assert event_docs.with_topic_table(page) == page, "run `relance docs`"


def test_every_event_lies_on_exactly_one_topic() -> None:
    types = [cls.type for topic in TOPICS for cls in topic.events]

    assert len(types) == len(set(types))


def _changed(**edits: Any) -> dict[str, Any]:
    schema = json.loads(json.dumps(event_docs.schema_of(StageEntered)))
    for key, edit in edits.items():
        edit(schema["properties"]["data"], key)
    return dict(schema)


@pytest.mark.parametrize(
    ("edit", "compatible"),
    [
        (lambda data, _: data["properties"].update(why={"type": "string"}), True),
        (lambda data, _: data["required"].append("by"), False),
        (lambda data, _: data["properties"].update(stage={"type": "integer"}), False),
    ],
    ids=["an added optional field", "a new required field", "a changed type"],
)
def test_a_schema_change_is_judged_by_what_old_events_say(edit: Any, compatible: bool) -> None:
    frozen = event_docs.schema_of(StageEntered)

    assert event_docs.is_compatible(frozen, _changed(it=edit)) is compatible
