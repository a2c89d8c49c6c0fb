"""What `declare` means: the directory documents of a site, changed."""

from __future__ import annotations

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from relance.simulation.step import Away, Declare
from shared.contract.directory import Absence, Calendar, Document, Site
from shared.domain.directory import Directory
from shared.domain.rulebook.declaration import Setting
from shared.domain.rulebook.rulebook import Rulebook


def declared(step: Declare, site: str, directory: Directory) -> tuple[Document, ...]:
    """The new versions of the documents that the step changes; `site` unless it names one."""
    if step.declare == "absence":
        return (_absence(step.away, directory),)
    if step.declare == "availability":
        return (step.availability,)
    document = directory.site(step.site or site)
    if step.declare == "setting":
        settings = {**document.settings, **{k: str(v) for k, v in step.values.items()}}
        return (document.model_copy(update={"settings": settings}),)
    calendar = directory.calendar(document.calendar)
    if step.declare == "closing":
        others = tuple(each for each in calendar.special if each.on != step.day.on)
        return (calendar.model_copy(update={"special": (*others, step.day)}),)
    return (Calendar.model_validate({**calendar.model_dump(), "weekly": step.weekly}),)


def _absence(away: Away, directory: Directory) -> Absence:
    zone = ZoneInfo(directory.site(directory.agent(away.agent).site).zone)
    return Absence(
        id=f"{away.agent}-{away.from_:%Y%m%dT%H%M}",
        agent=away.agent,
        begins=away.from_.replace(tzinfo=zone),
        ends=away.to.replace(tzinfo=zone),
        withdrawn=away.withdrawn,
    )


class NoSuchSetting(ValueError):
    """A step sets something that the rulebook does not let a site choose."""


def settings_problem(book: Rulebook, documents: Iterable[Document]) -> tuple[Setting, str] | None:
    """The first setting that a site may not have like that, and why in a sentence.

    Raises `NoSuchSetting`.
    """
    for document in documents:
        for name, value in document.settings.items() if isinstance(document, Site) else ():
            setting = book.settings.get(name)
            if setting is None:
                known = ", ".join(book.settings) or "none"
                raise NoSuchSetting(f"{name} is no setting of {book.name}; it has {known}")
            if problem := setting.problem(value):
                return setting, problem
    return None
