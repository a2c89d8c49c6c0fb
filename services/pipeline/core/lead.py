"""A lead as a frozen value. `evolve.py` says how events change it."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contract.due import Due
from shared.contract.envelope import Value
from shared.contract.intake import Channel, ContactPoint
from shared.contract.pipeline import Answer, DocumentStatus, NumberKind, PaymentKind, Status


class State(Value):
    """Part of what pipeline keeps; serialises to JSON and back. An unknown key is ignored, so
    that an older release can read what a newer one stored."""


class Attempt(State):
    """One try to reach the contact."""

    at: AwareDatetime
    code: str
    channel: Channel
    outcome: str
    counted: bool
    cost: int = 0
    number: NumberKind | None = None
    by: str | None = None


class Exchange(State):
    """A two-way exchange."""

    at: AwareDatetime
    channel: Channel
    direction: Literal["inbound", "outbound"]
    by: str | None = None


class Task(State):
    """Something an agent owes. `due_at` is known once reminders has planned it."""

    id: str
    name: str
    title: str
    status: Literal["open", "completed", "cancelled"] = "open"
    to: str | None = None
    issuer: str | None = None
    channel: Channel | None = None
    due: Due | None = None
    due_at: AwareDatetime | None = None
    created_at: AwareDatetime
    overdue: bool = False
    note: str | None = None


class Deadline(State):
    """What reminders watches for this lead. `id` is the envelope id of the `DeadlineSet`."""

    id: str
    name: str
    kind: Literal["task", "named"]
    due: Due
    due_at: AwareDatetime | None = None
    rule: str | None = None
    version: str | None = None


class Document(State):
    """A document on the lead; `url` is where it lies."""

    id: str
    kind: str
    status: DocumentStatus
    at: AwareDatetime
    name: str | None = None
    url: str | None = None


class Payment(State):
    """Money that is confirmed."""

    kind: PaymentKind
    at: AwareDatetime
    amount: str | None = None
    by: str | None = None


class Appointment(State):
    """A meeting with the contact. `revision` counts its changes, `answer` is the contact's."""

    id: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    place: str | None = None
    booked_by: str | None = None
    status: Literal["booked", "cancelled", "missed"] = "booked"
    answer: Literal["accepted", "declined", "tentative"] | None = None
    revision: int = 0


class Question(State):
    """What somebody was asked about this lead. `answer_to` is the agent whom the answer names;
    `withdrawn`: it is no longer to be answered."""

    name: str
    to: tuple[str, ...]
    answers: tuple[Answer, ...]
    asked_at: AwareDatetime
    answer: str | None = None
    answer_to: str | None = None
    answered_by: str | None = None
    withdrawn: bool = False

    @property
    def is_open(self) -> bool:
        """Whether an answer still counts."""
        return self.answer is None and not self.withdrawn


class Message(State):
    """A message that went out about this lead."""

    id: str
    template: str
    channel: str
    to: str
    sent_at: AwareDatetime
    opened_at: AwareDatetime | None = None


class Lead(State):
    """One request of a contact in one pipeline.

    `time` is the latest event's: per lead it never runs back. `tie_break` follows from what it said
    when it began, and orders leads received at the same instant (`order.py`). `points`, `name`,
    `company`, `subject` and `text` are what this request is known by, for people; what counts for
    matching is the contact. `linked` are the leads it came of; `kept` is the lead on which work
    goes on, where this one is the same request (002-03). `also_by`: the channels by which its
    contact got in touch again. `heard`: the `dedupe_key` of each input without an id of the
    sender's → when it came in. `blocked`: channel → the rule that forbids it on this lead,
    `person_blocked` that which forbids it because the person said so. `erased_at`: since when
    nobody knows whose it was.
    `late_at` is set once and stays (003-11).
    `fired` are deadlines due by the appointment that have come: they are planned again when it is
    moved.
    Collections are replaced, never changed in place.
    """

    id: str
    number: str
    tenant: str
    site: str
    pipeline: str
    contact: str
    channel: Channel
    source: str
    received_at: AwareDatetime
    tie_break: int = 0
    time: AwareDatetime
    stage: str = ""
    stage_entered_at: AwareDatetime | None = None
    previous_stage: str | None = None
    status: Status = "open"
    reason: str | None = None
    outcome: str | None = None
    closed_at: AwareDatetime | None = None
    late_at: AwareDatetime | None = None
    owner: str | None = None
    earlier_owners: tuple[str, ...] = ()
    assigned_at: AwareDatetime | None = None
    acknowledged_at: AwareDatetime | None = None
    acknowledged_by: str | None = None
    points: tuple[ContactPoint, ...] = ()
    name: str | None = None
    company: str | None = None
    subject: str | None = None
    text: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict)
    mail_ids: tuple[str, ...] = ()
    heard: dict[str, AwareDatetime] = Field(default_factory=dict)
    batch: str | None = None
    attempts: tuple[Attempt, ...] = ()
    contacts: tuple[Exchange, ...] = ()
    tasks: dict[str, Task] = Field(default_factory=dict)
    deadlines: dict[str, Deadline] = Field(default_factory=dict)
    fired: dict[str, Deadline] = Field(default_factory=dict)
    appointments: tuple[Appointment, ...] = ()
    messages: tuple[Message, ...] = ()
    documents: tuple[Document, ...] = ()
    payments: tuple[Payment, ...] = ()
    linked: tuple[str, ...] = ()
    also_by: tuple[Channel, ...] = ()
    kept: str | None = None
    questions: dict[str, Question] = Field(default_factory=dict)
    blocked: dict[str, str] = Field(default_factory=dict)
    person_blocked: dict[str, str] = Field(default_factory=dict)
    erased_at: AwareDatetime | None = None

    @property
    def is_open(self) -> bool:
        """Not won, lost or invalid."""
        return self.status == "open"

    @property
    def forbidden(self) -> dict[str, str]:
        """Every channel that nobody may use here → the rule that forbids it."""
        return self.person_blocked | self.blocked if self.person_blocked else self.blocked

    @property
    def next_due_at(self) -> AwareDatetime | None:
        """When the earliest open task is due: by this leads are urgent."""
        due = (task.due_at for task in self.open_tasks() if task.due_at is not None)
        return min(due, default=None)

    @property
    def appointment(self) -> Appointment | None:
        """The last one booked, whatever became of it."""
        return self.appointments[-1] if self.appointments else None

    @property
    def owner_locked(self) -> bool:
        """Whoever booked and took the deposit keeps the contact (002-07)."""
        booked = self.appointment is not None and self.appointment.status == "booked"
        return booked and any(payment.kind == "deposit" for payment in self.payments)

    @property
    def spend(self) -> int:
        """What the attempts have cost so far (000-09)."""
        return sum(attempt.cost for attempt in self.attempts)

    def open_tasks(self, name: str | None = None) -> tuple[Task, ...]:
        """The open tasks (of a kind), oldest first."""
        return tuple(
            task
            for task in self.tasks.values()
            if task.status == "open" and (name is None or task.name == name)
        )

    def point(self, kind: str) -> str | None:
        """The phone or e-mail this request is known by."""
        return next((point.value for point in self.points if point.kind == kind), None)
