"""What agents commit to beside tasks, where the rulebook speaks of it: taking a lead up,
appointments, answers to questions, and leaving somebody alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from relance.people.stand import Arguments, Stand
from services.pipeline.core.lead import Lead

APPOINTMENT_AT = time(10)


def commitments(stand: Stand, lead: Lead) -> Iterator[tuple[str, Arguments]]:
    """In words and as an action's arguments; only for open leads."""
    spoken = stand.house.spoken
    if lead.acknowledged_at is None and spoken & {"lead_acknowledged", "acknowledge"}:
        yield "takes it up", {"act": "acknowledge", "note": "ok"}
    if spoken & {"appointment", "book"}:
        yield from _appointments(stand, lead)
    for question, asked in lead.questions.items():
        if asked.answer is None and not asked.withdrawn:
            for answer in asked.answers:
                said: Arguments = {"act": "answer", "question": question, "answer": answer.id}
                yield f"answers «{asked.name}» with {answer.id}", said
    if "block" in spoken:
        yield "lets nobody contact them", {"act": "block", "channels": ["all"], "for": "contact"}


def _appointments(stand: Stand, lead: Lead) -> Iterator[tuple[str, Arguments]]:
    booked = lead.appointment
    if booked is None or booked.status != "booked":
        yield "books an appointment", {"act": "book", "start": _local(stand, lead, 3)}
        return
    yield "moves the appointment", {"act": "move_appointment", "start": _local(stand, lead, 6)}
    yield "cancels the appointment", {"act": "cancel_appointment"}
    if booked.starts_at <= stand.now:
        yield "notes that nobody came", {"act": "miss_appointment"}


def _local(stand: Stand, lead: Lead, days: int) -> str:
    """Ten o'clock at the site, on an open day so many days from now."""
    hours = stand.world.directory.opening(lead.site)
    zone = ZoneInfo(stand.world.directory.site(lead.site).zone)
    day = hours.open_date((stand.now.astimezone(zone) + timedelta(days=days)).date())
    return datetime.combine(day, APPOINTMENT_AT).isoformat()
