"""An appointment as calendars understand it (iCalendar, RFC 5545 and 5546)."""

from __future__ import annotations

from datetime import UTC, datetime

from icalendar import Calendar, Event, vCalAddress, vText

from services.notifications.core.template import TemplateError
from shared.contract.invitation import Invitation
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook


def calendar_of(
    invitation: Invitation,
    *,
    guest: str,
    title: str,
    text: str,
    site: str,
    now: datetime,
    book: Rulebook,
    directory: Directory,
) -> str:
    """The calendar that goes along with the mail: the same UID for ever, SEQUENCE as it changes.

    Answers go to the organizer: the site's mailbox, where intake reads them; else to the agent.
    Raises `TemplateError` where there is neither.
    """
    host = directory.agent(invitation.host) if invitation.host else None
    address = _mailbox(book, site) or (host.email if host else None)
    if address is None:
        raise TemplateError(f"nobody could take the answer: site {site!r} has no mailbox source")
    meeting = Event()
    meeting.add("uid", invitation.appointment)
    meeting.add("sequence", invitation.revision)
    meeting.add("dtstamp", now.astimezone(UTC))
    meeting.add("dtstart", invitation.starts_at.astimezone(UTC))
    meeting.add("dtend", invitation.ends_at.astimezone(UTC))
    meeting.add("summary", title)
    meeting.add("description", text)
    meeting.add("status", "CANCELLED" if invitation.method == "cancel" else "CONFIRMED")
    if invitation.place:
        meeting.add("location", invitation.place)
    meeting["organizer"] = _person(address, host.name if host else book.messages.company)
    attendee = _person(guest)
    attendee.params.update({"PARTSTAT": vText("NEEDS-ACTION"), "RSVP": vText("TRUE")})
    meeting.add("attendee", attendee, encode=False)
    calendar = Calendar()
    calendar.add("prodid", "-//Relance//appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", invitation.method.upper())
    calendar.add_component(meeting)
    return str(calendar.to_ical().decode())


def _person(address: str, name: str | None = None) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    if name:
        person.params["CN"] = vText(name)
    return person


def _mailbox(book: Rulebook, site: str) -> str | None:
    """Where mail for this site is read; another site's mailbox is better than none."""
    mailboxes = [each for each in book.sources.source if each.mailbox]
    mailboxes.sort(key=lambda each: each.site != site)
    return mailboxes[0].mailbox if mailboxes else None
