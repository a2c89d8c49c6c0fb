"""The envelope's values: copied quickly, yet as pydantic would have copied them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ValidationError

from shared.contract.envelope import Because, Envelope
from shared.contract.pipeline import NoteAdded
from shared.contract.topics import decode

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
RULE = Because(rulebook="house", version="1", rule="house-01")
NOTE = NoteAdded(text="не поднял", because=RULE)


def _envelope() -> Envelope:
    return Envelope(
        id="0b8f8f5e-0000-5000-8000-000000000001",
        source="/pipeline",
        type=NoteAdded.type,
        subject="lead",
        time=NOW,
        tenant="house",
        data=NOTE,
    )


@pytest.mark.parametrize("update", [None, {}, {"text": "поднял"}, {"task": "1", "because": None}])
@pytest.mark.parametrize("deep", [False, True])
def test_a_copied_value_is_what_pydantic_would_have_made_of_it(
    update: dict[str, object] | None, deep: bool
) -> None:
    ours = NOTE.model_copy(update=update, deep=deep)
    pydantics = BaseModel.model_copy(NOTE, update=update, deep=deep)
    assert ours == pydantics
    assert ours.model_dump_json() == pydantics.model_dump_json()


def test_a_copy_leaves_the_value_it_was_made_of_as_it_was() -> None:
    other = NOTE.model_copy(update={"text": "поднял", "task": "1"})
    assert (NOTE.text, NOTE.task, other.text, other.task) == ("не поднял", None, "поднял", "1")


def test_a_copy_cannot_be_changed_either() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        NOTE.model_copy(update={"task": "1"}).text = "другое"  # type: ignore[misc]  # that is it


def test_an_event_on_the_wire_is_compact_json_without_what_is_absent() -> None:
    written = _envelope().to_bytes()
    assert decode(written) == _envelope()
    told = json.loads(written)
    assert "sequence" not in told
    assert told["data"] == {"because": RULE.model_dump(), "text": "не поднял"}
    assert "не поднял".encode() in written
    assert b'": ' not in written


def test_what_was_written_once_is_not_what_a_changed_copy_says() -> None:
    first = _envelope()
    assert first.to_bytes() == first.to_bytes()
    other = first.model_copy(update={"subject": "другая"})
    assert decode(other.to_bytes()).subject == "другая"
    assert first == _envelope()


@pytest.mark.parametrize("before", [None, 3])
def test_a_numbered_event_reads_as_the_event_with_that_sequence(before: int | None) -> None:
    envelope = _envelope().model_copy(update={"sequence": before})
    told = decode(envelope.numbered(7))
    assert told == envelope.model_copy(update={"sequence": 7})


def test_a_value_of_checked_parts_is_what_checking_them_would_have_made_of_them() -> None:
    parts = {"text": "не поднял", "because": RULE}
    ours, pydantics = NoteAdded.model_construct(**parts), NoteAdded(**parts)  # type: ignore[arg-type]
    assert ours == pydantics == NOTE
    assert list(ours.__dict__) == list(pydantics.__dict__)
    assert ours.model_dump_json() == pydantics.model_dump_json()
