"""The appointment of a lead: booked, moved, cancelled, missed, and what is due by it."""

from __future__ import annotations

from datetime import datetime

from services.pipeline.core.lead import Appointment, Deadline, Lead
from services.pipeline.core.task import clear_deadline, postpone_task, set_deadline
from services.pipeline.core.turn import Scene, Turn
from shared.contract.envelope import derived_id
from shared.contract.pipeline import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentMissed,
    AppointmentMoved,
    NotificationWithdrawn,
)
from shared.domain.duration import parse
from shared.domain.local_time import instant_of, moved


def local_instant(scene: Scene, start: datetime) -> datetime:
    """A start as an agent says it: without an offset by the clock of the lead's site."""
    if start.tzinfo is not None:
        return start
    zone = scene.directory.opening(scene.lead.site).zone
    return instant_of(start.date(), start.time(), zone)


def booked(lead: Lead) -> Appointment | None:
    """The appointment that stands, still to come or past."""
    last = lead.appointment
    return last if last is not None and last.status == "booked" else None


def book(
    turn: Turn, lead: str, start: datetime, lasts: str, *, place: str | None, by: str | None
) -> None:
    """The contact and an agent will meet."""
    scene = turn.scene(lead, by)
    starts_at = local_instant(scene, start)
    turn.emit(
        lead,
        AppointmentBooked(
            appointment=derived_id(turn.cause.id, "appointment"),
            starts_at=starts_at,
            ends_at=_end(scene, starts_at, lasts),
            place=place,
            by=by,
        ),
    )


def move_appointment(
    turn: Turn,
    lead: str,
    start: datetime,
    lasts: str | None,
    *,
    place: str | None,
    by: str | None,
) -> None:
    """At another time: what was to be said of the old one is withdrawn, what is due by it follows,
    also after firing."""
    scene = turn.scene(lead, by)
    before = booked(scene.lead)
    if before is None:
        return
    starts_at = local_instant(scene, start)
    length = before.ends_at - before.starts_at
    ends_at = starts_at + length if lasts is None else _end(scene, starts_at, lasts)
    _withdraw(turn, lead, before, "appointment_moved")
    turn.emit(
        lead,
        AppointmentMoved(
            appointment=before.id,
            starts_at=starts_at,
            ends_at=ends_at,
            place=place or before.place,
            was_at=before.starts_at,
            by=by,
        ),
    )
    for deadline in _due_by_it(turn.lead(lead), before):
        _plan_again(turn, lead, deadline, starts_at)


def cancel_appointment(turn: Turn, lead: str, by: str | None = None) -> None:
    """It will not take place: nothing is due by it any more."""
    standing = booked(turn.lead(lead))
    if standing is not None:
        _forget(turn, lead, standing, "appointment_cancelled")
        turn.emit(
            lead,
            AppointmentCancelled(appointment=standing.id, starts_at=standing.starts_at, by=by),
        )


def miss_appointment(turn: Turn, lead: str, by: str | None = None) -> None:
    """Nobody came; without an appointment that has begun nothing happens."""
    standing = booked(turn.lead(lead))
    if standing is not None and standing.starts_at <= turn.now:
        _forget(turn, lead, standing, "appointment_missed")
        turn.emit(
            lead, AppointmentMissed(appointment=standing.id, starts_at=standing.starts_at, by=by)
        )


def _end(scene: Scene, starts_at: datetime, lasts: str) -> datetime:
    return moved(starts_at, parse(lasts), scene.directory.opening(scene.lead.site).zone)


def _due_by_it(lead: Lead, appointment: Appointment) -> list[Deadline]:
    known = (*lead.deadlines.values(), *lead.fired.values())
    return [deadline for deadline in known if deadline.due.anchor == appointment.id]


def _plan_again(turn: Turn, lead: str, deadline: Deadline, starts_at: datetime) -> None:
    due = deadline.due.model_copy(update={"from_": starts_at})
    task = turn.lead(lead).tasks.get(deadline.name)
    with turn.under(deadline.rule):
        if task is None:
            set_deadline(turn, lead, deadline.name, due)
        elif task.status == "open":
            postpone_task(turn, lead, task, due, note=None)


def _forget(turn: Turn, lead: str, appointment: Appointment, why: str) -> None:
    _withdraw(turn, lead, appointment, why)
    for deadline in _due_by_it(turn.lead(lead), appointment):
        clear_deadline(turn, lead, deadline.name)


def _withdraw(turn: Turn, lead: str, appointment: Appointment, why: str) -> None:
    turn.emit(lead, NotificationWithdrawn(lead=lead, appointment=appointment.id, why=why))
