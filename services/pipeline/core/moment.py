"""Moments of a lead as instants, and due times as they travel in events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.pipeline.core.turn import Scene
from shared.contract.due import Due, Of
from shared.domain.duration import mismatch, parse
from shared.domain.local_time import moved
from shared.domain.rulebook.due import DueTime, Moment

DAYLESS = ("end_of_day", "next_opening")
"""Alone they are the next ones from now on; a time of day alone is today's."""


def instant(scene: Scene, moment: Moment) -> datetime:
    """When that was. What has not happened falls back on the receipt (`closed`: on now)."""
    return INSTANTS[moment](scene)


def moment_of(scene: Scene, name: str) -> datetime | None:
    """That moment, or the first instant of the date in the field of that name; None while the
    field is empty."""
    if name in INSTANTS:
        return INSTANTS[name](scene)
    written = scene.lead.fields.get(name)
    if not written:
        return None
    return datetime.combine(date.fromisoformat(written), time(), _zone(scene))


def later(scene: Scene, start: datetime, duration: str) -> datetime:
    """`start` and a duration, or a setting's, later by the clock of the lead's site."""
    return moved(start, parse(length(scene, duration)), _zone(scene))


def length(scene: Scene, duration: str) -> str:
    """The duration itself, or the one that the lead's site chose for that setting (003-04)."""
    setting = scene.book.settings.get(duration)
    if setting is None:
        return duration
    return setting.chosen(scene.directory.site(scene.lead.site).settings.get(duration))


def counted_by(scene: Scene, due: DueTime) -> Of:
    """By what its length is counted: as the rule says, or as the lead's site chose (003-04)."""
    setting = scene.book.settings.get(due.in_ or due.before or "")
    if setting is None:
        return due.of
    chosen = scene.directory.site(scene.lead.site).settings.get(setting.id)
    return "elapsed" if setting.is_elapsed(chosen) else due.of


def is_countable(scene: Scene, due: DueTime, duration: str) -> bool:
    """Whether this length of an action's due time, or the setting it names, can be counted."""
    try:
        return mismatch(parse(length(scene, duration)), counted_by(scene, due)) is None
    except ValueError:
        return False


def due_of(scene: Scene, due: DueTime) -> Due | None:
    """The due time of a rule or an action, with settings, fields and moments filled in.

    None while the field that holds its date is empty, or there is no appointment to count from.
    """
    anchor = _booked(scene) if due.from_ == "appointment" else None
    if due.from_ == "appointment" and anchor is None:
        return None
    on = due.on
    if isinstance(on, str):
        written = scene.lead.fields.get(on)
        if not written:
            return None
        on = date.fromisoformat(written)
    elif due.in_ is None and due.before is None and on is None and due.at not in DAYLESS:
        on = scene.today
    return Due.model_construct(
        in_=None if due.in_ is None else length(scene, due.in_),
        before=None if due.before is None else length(scene, due.before),
        on=on,
        of=counted_by(scene, due),
        from_=None if due.from_ == "now" else instant(scene, due.from_),
        at=due.at,
        if_past=due.if_past,
        anchor=anchor,
    )


def _booked(scene: Scene) -> str | None:
    """The id of the appointment that stands."""
    last = scene.lead.appointment
    return last.id if last is not None and last.status == "booked" else None


def local_date(scene: Scene, at: datetime) -> date:
    """The date at the lead's site."""
    return at.astimezone(_zone(scene)).date()


def _zone(scene: Scene) -> ZoneInfo:
    return scene.directory.opening(scene.lead.site).zone


def _last_contact(scene: Scene) -> datetime:
    made = scene.lead.contacts
    return made[-1].at if made else scene.lead.received_at


def _last_attempt(scene: Scene) -> datetime:
    counted = (attempt.at for attempt in reversed(scene.lead.attempts) if attempt.counted)
    return next(counted, scene.lead.received_at)


def _last_call(scene: Scene) -> datetime:
    tried = reversed(scene.lead.attempts)
    calls = (attempt.at for attempt in tried if attempt.counted and attempt.channel == "call")
    return next(calls, scene.lead.received_at)


def _opened(scene: Scene) -> datetime:
    opened = (message.opened_at for message in scene.lead.messages)
    return max((at for at in opened if at is not None), default=scene.lead.received_at)


def _appointment(scene: Scene) -> datetime:
    last = scene.lead.appointment
    return scene.lead.received_at if last is None else last.starts_at


def _today(scene: Scene) -> datetime:
    local = scene.now.astimezone(_zone(scene))
    return local - timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )


INSTANTS: Mapping[str, Callable[[Scene], datetime]] = {
    "now": lambda scene: scene.now,
    "received": lambda scene: scene.lead.received_at,
    "stage_entered": lambda scene: scene.lead.stage_entered_at or scene.lead.received_at,
    "last_contact": _last_contact,
    "last_attempt": _last_attempt,
    "last_call": _last_call,
    "opened": _opened,
    "appointment": _appointment,
    "closed": lambda scene: scene.lead.closed_at or scene.now,
    "today": _today,
}
