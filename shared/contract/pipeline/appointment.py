"""When the contact and an agent will meet, and what came of it."""

from __future__ import annotations

from pydantic import AwareDatetime

from shared.contract.envelope import Event


class AppointmentBooked(Event):
    """The contact and an agent will meet. `appointment` is its id, for ever."""

    type = "relance.appointment.booked.v1"
    appointment: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    place: str | None = None
    by: str | None = None


class AppointmentMoved(Event):
    """It is at another time, or in another place; whatever the contact had answered is void."""

    type = "relance.appointment.moved.v1"
    appointment: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    place: str | None = None
    was_at: AwareDatetime
    by: str | None = None


class AppointmentCancelled(Event):
    """It will not take place."""

    type = "relance.appointment.cancelled.v1"
    appointment: str
    starts_at: AwareDatetime
    by: str | None = None


class AppointmentMissed(Event):
    """The contact did not come."""

    type = "relance.appointment.missed.v1"
    appointment: str
    starts_at: AwareDatetime
    by: str | None = None
