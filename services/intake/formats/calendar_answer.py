"""What a calendar answers to an invitation of ours (iCalendar METHOD:REPLY)."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from icalendar import Calendar
from icalendar.cal.component import Component

from shared.contract.intake import Answer, CalendarAnswer

ANSWERS: Mapping[str, Answer] = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
}


def read(text: str) -> CalendarAnswer | None:
    """The answer; None for any other calendar, or one that cannot be read: then the mail counts."""
    try:
        calendar = Calendar.from_ical(text)
    except (ValueError, IndexError, KeyError):
        return None
    if str(calendar.get("METHOD", "")).upper() != "REPLY":
        return None
    meeting = next(iter(calendar.walk("VEVENT")), None)
    return None if meeting is None else _answer(meeting)


def _answer(meeting: Component) -> CalendarAnswer | None:
    attendees = meeting.get("ATTENDEE", [])
    attendee = attendees[0] if isinstance(attendees, list) and attendees else attendees
    said = str(getattr(attendee, "params", {}).get("PARTSTAT", "")).upper()
    uid = str(meeting.get("UID", ""))
    if said not in ANSWERS or not _is_ours(uid):
        return None
    try:
        revision = int(meeting.get("SEQUENCE", 0))
    except ValueError:
        revision = 0
    return CalendarAnswer(
        appointment=uid.lower(), answer=ANSWERS[said], revision=max(0, min(revision, 10**6))
    )


def _is_ours(uid: str) -> bool:
    """Our appointments are named by a UUID; whether there is such a one pipeline knows."""
    try:
        return str(UUID(uid)) == uid.lower()
    except ValueError:
        return False
