"""May this message go now? Judged at the moment of sending (`design.md` 10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.notifications.core.message import Message
from services.notifications.core.quiet import quiet_until
from shared.contract.notifications import MessageChannel
from shared.domain.calendar import NeverOpen, OpenHours
from shared.domain.directory import Directory
from shared.domain.rulebook.message import Messages, Template

_LOOK_AGAIN = timedelta(days=1)
"""A site without any open day holds its messages until somebody gives it hours."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: why, until when (judged again then), and by which numbered rule."""

    why: str
    until: datetime
    rule: str | None


def must_wait(
    message: Message,
    template: Template,
    messages: Messages,
    now: datetime,
    directory: Directory,
) -> Wait | None:
    """Why this message cannot go at `now`; None when it can. Raises the directory's `Unknown`."""
    asked, hold = message.asked, messages.hold
    if asked.to.kind == "contact":
        zone = ZoneInfo(asked.to.zone or directory.site(asked.site).zone)
        return _contact_waits(messages, message.channel, now, zone)
    opening = directory.opening(directory.agent(asked.to.id).site)
    if template.purpose == "digest":
        # At nine on an open day, even where the doors open at ten.
        may_go = opening.is_open_day(opening.date_of(now))
    else:
        may_go = opening.is_open(now)
    opens = now if may_go else _opens(opening, now)
    if (back := _back(asked.to.id, opens, opening, directory)) is not None:
        return Wait("absent", back, hold.absent)
    return None if may_go else Wait("closed", opens, hold.closed)


def _back(agent: str, opens: datetime, opening: OpenHours, directory: Directory) -> datetime | None:
    """When somebody who is away at that opening can be told; None for one who is there then."""
    away = directory.away(agent, opens)
    if away is None:
        return None
    while away is not None:
        opens = away.until if opening.is_open(away.until) else _opens(opening, away.until)
        away = directory.away(agent, opens)
    return opens


def _contact_waits(
    messages: Messages, channel: MessageChannel, now: datetime, zone: ZoneInfo
) -> Wait | None:
    """A contact is written to at once, except in the quiet hours of where they live."""
    for quiet in messages.quiet:
        until = quiet_until(quiet, now, zone) if channel in quiet.channels else None
        if until is not None:
            return Wait("quiet_hours", until, quiet.rule)
    return None


def _opens(opening: OpenHours, now: datetime) -> datetime:
    try:
        return opening.next_opening(now)
    except NeverOpen:
        return now + _LOOK_AGAIN
