"""One lead's whole story with every promise kept, and ways to break one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from relance.promises.evidence import KeptMessage, Ledgers, Waiting
from relance.promises.leads import fold
from services.pipeline.core.action import ActionRequested, Note
from services.pipeline.core.lead import Lead
from services.pipeline.store import Step
from shared.contract.due import Due
from shared.contract.envelope import Envelope, Event, caused, derived_id
from shared.contract.intake import LeadReceived
from shared.contract.notifications import NotificationDeferred, NotificationSent
from shared.contract.pipeline import (
    DeadlineSet,
    LeadAssigned,
    LeadCreated,
    LeadLate,
    LeadLinked,
    NoteAdded,
    NotificationRequested,
    Recipient,
    StageEntered,
    TaskCreated,
)
from shared.contract.reminders import DeadlinePlanned, DigestDue, LeadOverdue
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE_AT, LATER_AT = NOW + timedelta(hours=2), NOW + timedelta(days=1)
LEAD, TASK, SECOND_TASK = derived_id("lead"), derived_id("task"), derived_id("second task")
SMS, MAIL = derived_id("sms"), derived_id("mail")
ACTION = derived_id("action")


def envelope(id_: str, data: Event, subject: str, time: datetime = NOW) -> Envelope:
    return Envelope(
        id=derived_id(id_), source="/intake", type=data.type, subject=subject, time=time,
        tenant="t", data=data,
    )  # fmt: skip


class _Said:
    """What a service says, with its sequences counted."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.events: list[Envelope] = []
        self.last: dict[tuple[str, str], int] = {}

    def say(self, cause: Envelope, data: Event, subject: str = LEAD, **more: Any) -> Envelope:
        key = (self.source, subject)
        self.last[key] = self.last.get(key, 0) + 1
        said = caused(
            cause, source=self.source, index=len(self.events), subject=subject, data=data, **more
        ).model_copy(update={"sequence": self.last[key]})
        self.events.append(said)
        return said


def kept() -> Ledgers:
    """Somebody writes twice; an owner is told, is late and told again; a digest is due; a note."""
    first, again = _received("first"), _received("again")
    pipeline, reminders, told = _Said("/pipeline"), _Said("/reminders"), _Said("/notifications")
    created = [pipeline.say(first, data) for data in _beginning()]
    linked = [pipeline.say(again, LeadLinked(channel="form", source="site"))]
    first_set, second_set, asked = created[4], created[6], created[7]
    for each, due_at in ((first_set, DUE_AT), (second_set, LATER_AT)):
        name = each.data.model_dump()["name"]
        reminders.say(each, DeadlinePlanned(name=name, deadline_set=each.id, due_at=due_at))
    planned = list(reminders.events)
    overdue = reminders.say(
        first_set,
        LeadOverdue(name=TASK, deadline_set=first_set.id, due_at=DUE_AT),
        time=DUE_AT,
    )
    late = [pipeline.say(overdue, LeadLate(owner="anna", deadline=TASK), time=DUE_AT)]
    acted = envelope("action", ActionRequested(by="anna", action=Note(text="да")), LEAD, LATER_AT)
    noted = [pipeline.say(acted, NoteAdded(text="да", by="anna"), time=LATER_AT)]
    _digest(reminders)
    sent = [told.say(asked, _message(asked, SMS, "sms"))]
    told.say(asked, _held(asked))
    steps = [
        Step(LEAD, first, tuple(created)),
        Step(LEAD, again, tuple(linked)),
        *(Step(LEAD, each, ()) for each in planned),
        *(Step(LEAD, each, ()) for each in sent),
        Step(LEAD, overdue, tuple(late)),
        Step(LEAD, acted, tuple(noted)),
    ]
    lead = fold(steps)
    assert lead is not None
    return Ledgers(
        records={
            INTAKE.name: [first, again],
            PIPELINE.name: pipeline.events,
            REMINDERS.name: reminders.events,
            NOTIFICATIONS.name: told.events,
        },
        leads={LEAD: lead},
        history=steps,
        deadlines={second_set.id: LATER_AT},
        messages={SMS: KeptMessage("sent", NOW), MAIL: KeptMessage("held", LATER_AT)},
        reached={
            "pipeline": pipeline.last | reminders.last | told.last,
            "reminders": pipeline.last | reminders.last,
            "notifications": pipeline.last | told.last,
        },
        waiting={service: Waiting() for service in ("pipeline", "reminders", "notifications")},
        accepted=frozenset({first.id, again.id}),
        acted=frozenset({acted.id}),
        delivered={"sms": {SMS: 1}, "email": {}},
        at=NOW + timedelta(hours=3),
    )


def _received(id_: str) -> Envelope:
    return envelope(id_, LeadReceived(channel="form", source="site", site="minsk"), "person")


def _beginning() -> Sequence[Event]:
    created = LeadCreated(
        number="7K2M9P", pipeline="sales", contact="c", site="minsk", channel="form",
        source="site", received_at=NOW,
    )  # fmt: skip
    asked = NotificationRequested(
        to=Recipient(kind="agent", id="anna"), template="new_lead", occasion="o", site="minsk",
        lead=LEAD,
    )  # fmt: skip
    due = Due(in_="2h")
    return (
        created,
        StageEntered(pipeline="sales", stage="new"),
        LeadAssigned(owner="anna"),
        TaskCreated(task=TASK, name="call_back", title="Call", to="anna", due=due),
        DeadlineSet(name=TASK, due=due, kind="task", site="minsk"),
        TaskCreated(task=SECOND_TASK, name="qualify", title="Ask", to="anna", due=due),
        DeadlineSet(name=SECOND_TASK, due=due, kind="task", site="minsk"),
        asked,
    )


def _digest(reminders: _Said) -> None:
    due = DigestDue(agent="anna", date=date(2026, 3, 3), due_at=LATER_AT)
    said = reminders.say(envelope("nine o'clock", due, "t/anna"), due, "t/anna")
    reminders.events[-1] = said.model_copy(update={"causationid": None})


def _message(asked: Envelope, id_: str, channel: str) -> NotificationSent:
    return NotificationSent.model_validate(
        {**_about(asked, id_, channel), "address": "+375291234567", "text": "…"}
    )


def _held(asked: Envelope) -> NotificationDeferred:
    return NotificationDeferred.model_validate(
        {**_about(asked, MAIL, "email"), "why": "closed", "until": LATER_AT}
    )


def _about(asked: Envelope, id_: str, channel: str) -> dict[str, str]:
    return {
        "notification": id_, "request": asked.id, "to": "anna", "channel": channel,
        "template": "new_lead", "occasion": "o", "lead": LEAD,
    }  # fmt: skip


# -- breaking --------------------------------------------------------------------------------------

Change = Callable[[list[Envelope]], list[Envelope]]


def changed(topic: str, change: Change, ledgers: Ledgers | None = None) -> Ledgers:
    """With other records on one topic."""
    ledgers = ledgers or kept()
    return replace(
        ledgers, records={**ledgers.records, topic: change(list(ledgers.records[topic]))}
    )


def without(topic: str, kind: type[Event]) -> Ledgers:
    """Events of one class never came out, and those after them close the gap."""
    return changed(topic, lambda events: dense([e for e in events if type(e.data) is not kind]))


def twice(topic: str, kind: type[Event]) -> Ledgers:
    """Each event of a class is said again, as another event, at the end."""

    def again(events: list[Envelope]) -> list[Envelope]:
        more = [
            event.model_copy(update={"id": derived_id(event.id, "again")})
            for event in events
            if type(event.data) is kind
        ]
        return dense([*events, *more])

    return changed(topic, again)


def dense(events: list[Envelope]) -> list[Envelope]:
    """Counted anew, so that no sequence tells of what was changed."""
    last: dict[str, int] = {}
    for place, event in enumerate(events):
        last[event.subject] = last.get(event.subject, 0) + 1
        events[place] = event.model_copy(update={"sequence": last[event.subject]})
    return events


def with_lead(**update: object) -> Ledgers:
    """The stored lead is another than was announced."""
    ledgers = kept()
    lead: Lead = ledgers.leads[LEAD].model_copy(update=update)
    return replace(ledgers, leads={LEAD: lead})


def of(ledgers: Ledgers, topic: str, kind: type[Event]) -> list[Envelope]:
    """The events of one class."""
    return [event for event in ledgers.records[topic] if type(event.data) is kind]
