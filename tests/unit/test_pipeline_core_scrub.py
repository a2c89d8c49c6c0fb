"""What happened stays, of whom does not: for every event there is, and every action."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import AwareDatetime, BaseModel, TypeAdapter

from services.pipeline.core.action import ActionRequested
from services.pipeline.core.evolve_erased import ours
from services.pipeline.core.scrub import ERASED, KEPT, scrubbed
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import ContactPoint, LeadReceived, MailFacts
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import (
    LeadCreated,
    NotificationWithdrawn,
    StageEntered,
    TaskCreated,
)
from shared.contract.topics import EVENT_CLASSES

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
LEA = ContactPoint(kind="phone", value="+33612345678")
SAID = [cls for cls in EVENT_CLASSES.values() if ".directory." not in cls.type]
WRITTEN = re.compile(r"written in (\w+)")


def event(data: Event) -> Envelope:
    return Envelope(
        id="11111111-1111-4111-8111-111111111111",
        source="/pipeline",
        type=data.type,
        subject="lead",
        time=AT,
        tenant="t",
        sequence=7,
        data=data,
    )


def sample(cls: type[BaseModel]) -> Any:
    """One with every field filled; each text says in which field it stands."""
    return cls.model_validate(
        {
            field.alias or name: value(field.annotation, name)
            for name, field in cls.model_fields.items()
            if field.annotation is not None
        }
    )


def value(annotation: Any, name: str) -> Any:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return value(next(each for each in inner if each is not NoneType), name)
    if origin is Annotated:
        return value(inner[0], name)
    if origin is Literal:
        return inner[0]
    if origin is tuple:
        return (value(inner[0], name),)
    if origin is dict:
        return {f"written in {name}": f"written in {name}"}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {"in": "1h"} if annotation.__name__ == "Due" else sample(annotation)
    plain: dict[Any, Any] = {bool: True, int: 3, float: 1.0, date: AT.date()}
    plain |= {AwareDatetime: AT, datetime: AT}
    return plain.get(annotation, f"written in {name}")


@pytest.mark.parametrize("cls", SAID, ids=lambda cls: str(cls.__name__))
def test_an_event_without_the_person_is_still_one_that_can_be_read(cls: type[Event]) -> None:
    before = event(sample(cls))

    after = scrubbed(before)

    assert cls.model_validate_json(after.data.model_dump_json(by_alias=True)) == after.data
    assert (after.id, after.time, after.sequence) == (before.id, before.time, before.sequence)
    assert scrubbed(after) == after


@pytest.mark.parametrize("cls", SAID, ids=lambda cls: str(cls.__name__))
def test_of_what_is_written_only_ids_and_words_of_the_rulebook_stay(cls: type[Event]) -> None:
    before = sample(cls)
    assert WRITTEN.search(before.model_dump_json())

    left = set(WRITTEN.findall(scrubbed(event(before)).data.model_dump_json()))

    kinds = cls.__name__.startswith(("Task", "Deadline", "LeadOverdue"))
    named = {"name", "title"} if kinds else set()
    named |= {"why"} if cls is NotificationWithdrawn else set()
    assert left <= KEPT | {"channels", "leads", "tags", "not_by"} | named
    assert not left & {"text", "points", "value", "fields", "values", "address", "note", "needs"}


@pytest.mark.parametrize(
    "asked",
    [
        {"act": "note", "text": "SECRET"},
        {"act": "set_fields", "fields": {"phone": "SECRET"}},
        {"act": "create_lead", "phone": "SECRET", "name": "SECRET", "fields": {"x": "SECRET"}},
        {"act": "send", "template": "blank", "subject": "SECRET", "text": "SECRET"},
        {"act": "book", "start": "2026-03-02T10:00", "place": "SECRET"},
        {"act": "attach", "kind": "letter", "name": "SECRET", "url": "https://SECRET"},
        {"act": "confirm_payment", "kind": "deposit", "amount": "SECRET"},
        {"act": "unblock", "channels": ["sms"], "why": "SECRET"},
        {"act": "postpone_task", "task": "call", "due": {"in": "1h"}, "note": "SECRET"},
        {"act": "close", "status": "lost", "reason": "refused", "evidence": "SECRET"},
        {"act": "log_attempt", "code": "call", "outcome": "no_answer"},
    ],
    ids=lambda asked: str(asked["act"]),
)
def test_an_action_that_was_asked_for_says_what_and_who_but_not_the_words(
    asked: dict[str, Any],
) -> None:
    data = ActionRequested.model_validate({"by": "anna", "action": asked})

    after = scrubbed(event(data)).data

    assert isinstance(after, ActionRequested)
    assert "SECRET" not in after.model_dump_json()
    assert (after.by, after.action.act) == ("anna", asked["act"])
    again = TypeAdapter(ActionRequested).validate_json(after.model_dump_json(by_alias=True))
    assert again == after


def test_what_is_counted_later_stays() -> None:
    stage = StageEntered(pipeline="sales", stage="in_work", left="new", by="anna")
    assert scrubbed(event(stage)).data == stage

    task = TaskCreated(task="t-1", name="call_back", title="Rappeler Léa", to="anna", script="Léa")
    after = scrubbed(event(task)).data
    assert after == TaskCreated(task="t-1", name="call_back", title="call_back", to="anna")


def test_nobody_can_be_found_by_what_stays_of_an_input() -> None:
    received = LeadReceived(
        channel="email",
        source="mail",
        site="paris",
        points=(LEA,),
        name="Léa Durand",
        text="bonjour",
        fields={"x": "y"},
        owner="Léa la sœur",
        mail=MailFacts(message_id="<lea@example.com>"),
        raw_id="22222222-2222-4222-8222-222222222222",
    )
    after = scrubbed(event(received)).data
    assert after == LeadReceived(channel="email", source="mail", site="paris", mail=MailFacts())

    sent = sample(NotificationSent).model_copy(update={"address": LEA.value, "text": "Léa"})
    said = scrubbed(event(sent)).data
    assert isinstance(said, NotificationSent)
    assert (said.address, said.text, said.template) == (ERASED, ERASED, sent.template)


def test_of_a_thread_only_our_own_ids_stay() -> None:
    own = "33333333-3333-4333-8333-333333333333"
    assert ours(("<lea@example.com>", own, "lea")) == (own,)
    created = sample(LeadCreated).model_copy(update={"mail_ids": ("<lea@example.com>", own)})
    after = scrubbed(event(created)).data
    assert isinstance(after, LeadCreated)
    assert after.mail_ids == (own,)
