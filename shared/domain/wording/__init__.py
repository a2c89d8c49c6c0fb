"""What each event is in words, for people who read the story of a lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from shared.contract.directory import Document, kind_of
from shared.contract.envelope import Event
from shared.domain.names import Names
from shared.domain.wording import intake, notifications, pipeline, reminders
from shared.domain.wording.say import Say

WORDS: dict[type[Event], Callable[[Any, Say], str]] = {
    **intake.WORDS,
    **pipeline.WORDS,
    **reminders.WORDS,
    **notifications.WORDS,
}


def words_for(event: Event, names: Names, zone: ZoneInfo) -> str:
    """The event in words; instants are told in `zone`."""
    if isinstance(event, Document):
        return f"directory: {kind_of(event)} {event.id}"
    words = WORDS.get(type(event))
    return words(event, Say(names, zone)) if words else type(event).__name__
