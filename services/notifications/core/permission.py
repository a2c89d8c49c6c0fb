"""May this message go now? Judged at the moment of sending (`design.md` 10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.contract.pipeline import NotificationRequested
from shared.domain.calendar import NeverOpen, OpenHours
from shared.domain.directory import Directory
from shared.domain.rulebook.message import Hold, Template

_LOOK_AGAIN = timedelta(days=1)
"""A site without any open day holds its messages until somebody gives it hours."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: why, until when (judged again then), and by which numbered rule."""

    why: str
    until: datetime
    rule: str | None


def must_wait(
    asked: NotificationRequested,
    template: Template,
    hold: Hold,
    now: datetime,
    directory: Directory,
) -> Wait | None:
    """Why this message cannot go at `now`; None when it can. Raises the directory's `Unknown`."""
    if asked.to.kind == "contact":
        return _contact_waits()
    opening = directory.opening(directory.agent(asked.to.id).site)
    if template.purpose == "digest":
        # At nine on an open day, even where the doors open at ten.
        may_go = opening.is_open_day(opening.date_of(now))
    else:
        may_go = opening.is_open(now)
    return None if may_go else Wait("closed", _opens(opening, now), hold.closed)


def _contact_waits() -> Wait | None:
    """A contact is written to at once: quiet hours and consent are judged here when they come."""
    return None


def _opens(opening: OpenHours, now: datetime) -> datetime:
    try:
        return opening.next_opening(now)
    except NeverOpen:
        return now + _LOOK_AGAIN
