"""What pipeline says of deadlines, a batch at a time."""

from __future__ import annotations

from collections.abc import Sequence

from services.reminders import store
from services.reminders.core.deadline import handle
from shared.contract import pipeline
from shared.contract.envelope import Envelope, Event
from shared.contract.topics import PIPELINE
from shared.domain.calendar import NeverOpen
from shared.domain.directory import Directory, Unknown
from shared.runtime.companies import per_company
from shared.runtime.postgres import Transaction
from shared.runtime.service import Park, Quarantine, Service, Subscription
from shared.runtime.subscription import BatchHandler

HANDLED: frozenset[type[Event]] = frozenset(
    {pipeline.DeadlineSet, pipeline.DeadlineCleared, pipeline.LeadClosed}
)
IGNORED: frozenset[type[Event]] = frozenset(
    {
        pipeline.LeadCreated,
        pipeline.LeadLinked,
        pipeline.LeadInvalidated,
        pipeline.ContactMerged,
        pipeline.LeadUnlinked,
        pipeline.ReplyReceived,
        pipeline.LeadAssigned,
        pipeline.LeadAcknowledged,
        pipeline.StageEntered,
        pipeline.FieldsSet,
        pipeline.NoteAdded,
        pipeline.AttemptLogged,
        pipeline.ContactMade,
        pipeline.TaskCreated,
        pipeline.TaskAssigned,
        pipeline.ActionWarned,
        pipeline.TaskPostponed,
        pipeline.TaskCompleted,
        pipeline.TaskCancelled,
        pipeline.ConsentRevoked,
        pipeline.ConsentGiven,
        pipeline.LeadBlocked,
        pipeline.LeadUnblocked,
        pipeline.ActionRefused,
        pipeline.OutcomeClassified,
        pipeline.DocumentAttached,
        pipeline.PaymentConfirmed,
        pipeline.AppointmentBooked,
        pipeline.AppointmentMoved,
        pipeline.AppointmentCancelled,
        pipeline.AppointmentMissed,
        pipeline.LeadReopened,
        pipeline.LeadLate,
        pipeline.QuestionAsked,
        pipeline.QuestionAnswered,
        pipeline.NotificationRequested,
        pipeline.NotificationWithdrawn,
        pipeline.HandoffRequested,
        pipeline.ContactExported,
        pipeline.LeadErased,
        pipeline.ContactErased,
    }
)


_PACE_S = 0.1
"""Deadlines are minutes away: planning them together costs a fraction."""


def pipeline_events(service: Service) -> Subscription:
    """Deadlines armed and cleared as pipeline asks, by the hours of each company's sites."""
    handler = per_company(service.companies, lambda company: _on_pipeline(company.directory))
    return Subscription(PIPELINE, handler, ignored=IGNORED, pace_s=_PACE_S)


def _on_pipeline(directory: Directory) -> BatchHandler:
    """One load and one save a batch."""

    async def on_pipeline(tx: Transaction, batch: Sequence[Envelope]) -> list[Envelope]:
        before = after = await store.load(tx, {envelope.subject for envelope in batch})
        said: list[Envelope] = []
        for envelope in batch:
            if type(envelope.data) not in HANDLED:
                raise Park(envelope.id, f"this release of reminders does not know {envelope.type}")
            try:
                after, more = handle(after, envelope, directory)
            except (Unknown, NeverOpen) as error:
                raise Park(envelope.id, str(error)) from error
            except ValueError as error:
                raise Quarantine(envelope.id, str(error)) from error
            said += more
        await store.save(tx, before, after)
        return said

    return on_pipeline
