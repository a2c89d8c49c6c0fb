"""How events change the appointments of a lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core.evolve_task import Update
from services.pipeline.core.lead import Appointment, Lead
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import InvitationAnswered
from shared.contract.pipeline import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentMoved,
)


def _booked(lead: Lead, _: Envelope, data: AppointmentBooked) -> Update:
    appointment = Appointment(
        id=data.appointment,
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        place=data.place,
        booked_by=data.by,
    )
    # Its id is the UID of the invitation: an answer to that finds the lead by it.
    return {
        "appointments": (*lead.appointments, appointment),
        "mail_ids": (*lead.mail_ids, data.appointment),
    }


def _moved(lead: Lead, _: Envelope, data: AppointmentMoved) -> Update:
    """What the contact had answered was about the old time."""
    return _changed(
        lead,
        data.appointment,
        starts_at=data.starts_at,
        ends_at=data.ends_at,
        place=data.place,
        answer=None,
    )


def _cancelled(lead: Lead, _: Envelope, data: AppointmentCancelled) -> Update:
    return _changed(lead, data.appointment, status="cancelled")


def _missed(lead: Lead, _: Envelope, data: AppointmentMissed) -> Update:
    return _changed(lead, data.appointment, status="missed")


def _answered(lead: Lead, _: Envelope, data: InvitationAnswered) -> Update:
    return _updated(lead, data.appointment, answer=data.answer)


def _changed(lead: Lead, id_: str, **update: object) -> Update:
    """Each change is one more revision: calendars take the highest."""
    revision = next((each.revision for each in lead.appointments if each.id == id_), 0)
    return _updated(lead, id_, revision=revision + 1, **update)


def _updated(lead: Lead, id_: str, **update: object) -> Update:
    return {
        "appointments": tuple(
            each.model_copy(update=update) if each.id == id_ else each for each in lead.appointments
        )
    }


APPOINTMENT_CHANGES: Mapping[type[Event], Callable[[Lead, Envelope, Any], Update]] = {
    AppointmentBooked: _booked,
    AppointmentMoved: _moved,
    AppointmentCancelled: _cancelled,
    AppointmentMissed: _missed,
    InvitationAnswered: _answered,
}
