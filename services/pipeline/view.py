"""What the API shows of a lead: names beside ids, so that nobody has to look them up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field, JsonValue

from services.pipeline.core.lead import Appointment, Attempt, Exchange, Lead, Message, Task
from services.pipeline.history import Moment
from shared.contract.due import Due
from shared.contract.envelope import Because, Envelope
from shared.contract.pipeline import Status
from shared.domain.names import Names
from shared.domain.rulebook.rulebook import Rulebook


class Summary(BaseModel):
    """A lead in a list. Instants are UTC."""

    id: str
    number: str = Field(description="The lead's short name for people; works wherever `id` does.")
    pipeline: str
    stage: str
    stage_label: str
    status: Status
    owner: str | None = Field(description="The agent who answers for it.")
    owner_name: str | None
    name: str | None
    company: str | None
    phone: str | None
    email: str | None
    source: str
    source_label: str
    site: str
    received_at: datetime
    late_at: datetime | None = Field(description="When its first overdue alert went out; it stays.")
    next_due_at: datetime | None = Field(description="When the earliest open task is due.")


class TaskView(BaseModel):
    """What somebody owes. `due_at` is known a moment after the task is made."""

    id: str
    task: str = Field(description="Its kind: the name that actions take.")
    title: str
    status: str
    to: str | None
    to_name: str | None
    due_at: datetime | None
    overdue: bool
    created_at: datetime


class DeadlineView(BaseModel):
    """What is watched, and the rule that asked for it."""

    name: str
    kind: str
    due_at: datetime | None
    due: Due
    rule: str | None


class MomentView(BaseModel):
    """One thing that happened, in words, and why: the rule's number and its own sentence."""

    id: str
    at: datetime = Field(description="Local time of the lead's site.")
    service: str
    type: str
    text: str
    by: str | None
    rule: str | None
    says: str | None


class Detail(Summary):
    """All that is known of a lead."""

    subject: str | None
    text: str | None
    tags: tuple[str, ...]
    fields: dict[str, str]
    reason: str | None
    closed_at: datetime | None
    acknowledged_at: datetime | None = Field(description="When its owner took it up.")
    blocked: dict[str, str] = Field(
        description="By which channels nobody may be reached here → the rule that says so."
    )
    erased_at: datetime | None = Field(description="Since when nobody knows whose it was.")
    spend: int = Field(description="What the attempts have cost, in the company's currency.")
    tasks: list[TaskView]
    deadlines: list[DeadlineView]
    attempts: tuple[Attempt, ...]
    contacts: tuple[Exchange, ...]
    messages: tuple[Message, ...]
    appointments: tuple[Appointment, ...]
    history: list[MomentView]


class Page(BaseModel):
    """One page of a list."""

    leads: list[Summary]
    next: str | None = Field(description="`cursor` of the next page; null on the last one.")


class EventView(BaseModel):
    """What an action made happen."""

    id: str
    type: str
    because: Because | None
    data: dict[str, object]


class Done(BaseModel):
    """An action was done: the lead as it is now, and what happened."""

    lead: Summary
    events: list[EventView]
    document: dict[str, JsonValue] | None = Field(
        default=None, description="With `export_contact`: everything that is kept of the person."
    )


def summary(lead: Lead, book: Rulebook, names: Names) -> Summary:
    """The lead for a list."""
    return Summary.model_validate(_summary(lead, book, names))


def detail(lead: Lead, moments: Iterable[Moment], book: Rulebook, names: Names) -> Detail:
    """The lead whole, with its history."""
    return Detail.model_validate(
        {
            **_summary(lead, book, names),
            "subject": lead.subject,
            "text": lead.text,
            "tags": lead.tags,
            "fields": lead.fields,
            "reason": lead.reason,
            "closed_at": lead.closed_at,
            "acknowledged_at": lead.acknowledged_at,
            "blocked": lead.forbidden,
            "erased_at": lead.erased_at,
            "spend": lead.spend,
            "tasks": [_task(task, names) for task in lead.tasks.values()],
            "deadlines": [
                DeadlineView.model_validate(deadline, from_attributes=True)
                for deadline in lead.deadlines.values()
            ],
            "attempts": lead.attempts,
            "contacts": lead.contacts,
            "messages": lead.messages,
            "appointments": lead.appointments,
            "history": [moment_view(moment) for moment in moments],
        }
    )


def moment_view(moment: Moment) -> MomentView:
    """One line of the history."""
    return MomentView(
        id=moment.envelope.id,
        at=moment.at,
        service=moment.service,
        type=moment.envelope.type,
        text=moment.text,
        by=moment.by,
        rule=moment.because.rule if moment.because else None,
        says=moment.says.text if moment.says else None,
    )


def event_view(envelope: Envelope) -> EventView:
    """One event that an action made."""
    data = envelope.data.model_dump(mode="json", by_alias=True, exclude_none=True)
    data.pop("because", None)
    return EventView(id=envelope.id, type=envelope.type, because=envelope.data.because, data=data)


def _task(task: Task, names: Names) -> TaskView:
    return TaskView(
        id=task.id,
        task=task.name,
        title=task.title,
        status=task.status,
        to=task.to,
        to_name=names.agents.get(task.to or ""),
        due_at=task.due_at,
        overdue=task.overdue,
        created_at=task.created_at,
    )


def _summary(lead: Lead, book: Rulebook, names: Names) -> dict[str, object]:
    stage = book.stages.get((lead.pipeline, lead.stage))
    return {
        "id": lead.id,
        "number": lead.number,
        "pipeline": lead.pipeline,
        "stage": lead.stage,
        "stage_label": stage.label if stage else lead.stage,
        "status": lead.status,
        "owner": lead.owner,
        "owner_name": names.agents.get(lead.owner or ""),
        "name": lead.name,
        "company": lead.company,
        "phone": lead.point("phone"),
        "email": lead.point("email"),
        "source": lead.source,
        "source_label": names.sources.get(lead.source, lead.source),
        "site": lead.site,
        "received_at": lead.received_at,
        "late_at": lead.late_at,
        "next_due_at": lead.next_due_at,
    }
