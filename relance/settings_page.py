"""`relance settings`: every setting in one place, from the classes that read them."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import indent, wrap

from services.intake.settings import IntakeSettings
from services.notifications.settings import NotificationsSettings
from services.pipeline.settings import PipelineSettings
from services.reminders.settings import RemindersSettings
from shared.runtime.settings import Settings, documented

WIDTH = 80
SERVICES: dict[str, type[Settings]] = {
    "intake": IntakeSettings,
    "pipeline": PipelineSettings,
    "reminders": RemindersSettings,
    "notifications": NotificationsSettings,
}


def settings_page() -> str:
    """Those of every service first, then what each asks for beside them."""
    common = {name for name, _, _ in documented(Settings)}
    parts = [_part("every service", documented(Settings))]
    parts += [
        _part(service, [row for row in documented(cls) if row[0] not in common])
        for service, cls in SERVICES.items()
    ]
    return "\n\n".join(part for part in parts if part)


def _part(title: str, rows: list[tuple[str, str, str]]) -> str:
    return "\n".join([title.upper(), *_lines(rows)]) if rows else ""


def _lines(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    for name, default, meaning in rows:
        yield f"{name} = {default}"
        yield indent("\n".join(wrap(meaning, WIDTH - 4)), "    ")
