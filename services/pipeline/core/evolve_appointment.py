"""How events change the appointments of a lead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.pipeline.core.evolve_task import Update
from services.pipeline.core.lead import Appointment, Lead
from shared.contract.envelope import Envelope, Event
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
    return {"appointments": (*lead.appointments, appointment)}


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


def _changed(lead: Lead, id_: str, **update: object) -> Update:
    """Each change is one more revision: calendars take the highest."""
    return {
        "appointments": tuple(
            each.model_copy(update={**update, "revision": each.revision + 1})
            if each.id == id_
            else each
            for each in lead.appointments
        )
    }


APPOINTMENT_CHANGES: Mapping[type[Event], Callable[[Lead, Envelope, Any], Update]] = {
    AppointmentBooked: _booked,
    AppointmentMoved: _moved,
    AppointmentCancelled: _cancelled,
    AppointmentMissed: _missed,
}
