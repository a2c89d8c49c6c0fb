"""A story read from several topics is told causes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

from relance.causal_order import in_order
from shared.contract.envelope import Envelope, caused, derived_id
from shared.contract.pipeline import NoteAdded

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _root(name: str, at: datetime = NOON) -> Envelope:
    data = NoteAdded(text=name)
    return Envelope(
        id=derived_id(name), source="/intake", type=data.type, subject="x", time=at, tenant="t",
        data=data,
    )  # fmt: skip


def _then(cause: Envelope, source: str, sequence: int) -> Envelope:
    made = caused(cause, source=source, index=sequence, subject="x", data=NoteAdded(text="n"))
    return made.model_copy(update={"sequence": sequence})


def test_causes_come_before_effects_whatever_the_order_of_reading() -> None:
    call = _root("call")
    created, assigned = _then(call, "/pipeline", 1), _then(call, "/pipeline", 2)
    sent = _then(assigned, "/notifications", 1)
    story = [call, created, assigned, sent]

    assert all(in_order(read) == story for read in permutations(story))


def test_what_is_earlier_is_told_earlier() -> None:
    later, earlier = _root("a", NOON + timedelta(minutes=1)), _root("b")

    assert in_order([later, earlier]) == [earlier, later]


def test_two_stories_of_one_instant_are_not_mixed() -> None:
    one, two = _root("one"), _root("two")
    events = [one, two, _then(one, "/pipeline", 1), _then(two, "/pipeline", 1)]

    stories = [event.correlationid or event.id for event in in_order(events)]

    assert stories in ([one.id] * 2 + [two.id] * 2, [two.id] * 2 + [one.id] * 2)
