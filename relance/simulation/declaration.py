"""What `declare` means: the directory documents of a site, changed."""

from __future__ import annotations

from collections.abc import Iterable

from relance.simulation.step import Declare
from shared.contract.directory import Calendar, Document, Interval, Site
from shared.domain.directory import Directory
from shared.domain.rulebook.declaration import Setting
from shared.domain.rulebook.rulebook import Rulebook


def declared(step: Declare, site: str, directory: Directory) -> tuple[Document, ...]:
    """The new versions of the documents that the step changes; `site` unless it names one."""
    document = directory.site(step.site or site)
    if step.declare == "setting":
        settings = {**document.settings, **{k: str(v) for k, v in step.values.items()}}
        return (document.model_copy(update={"settings": settings}),)
    calendar = directory.calendar(document.calendar)
    weekly = {
        day: tuple(Interval(opens=opens, closes=closes) for opens, closes in intervals)
        for day, intervals in step.values.items()
    }
    return (Calendar.model_validate({**calendar.model_dump(), "weekly": weekly}),)


def settings_problem(book: Rulebook, documents: Iterable[Document]) -> tuple[Setting, str] | None:
    """The first setting that a site may not have like that, and why in a sentence."""
    for document in documents:
        if not isinstance(document, Site):
            continue
        for name, value in document.settings.items():
            setting = book.settings.get(name)
            problem = setting.problem(value) if setting else None
            if setting and problem:
                return setting, problem
    return None
