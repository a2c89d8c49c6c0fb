"""`relance explain LEAD`: why each thing happened, from what came in to what was sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from textwrap import wrap
from zoneinfo import ZoneInfo

from relance import database
from relance.database import CannotDo
from relance.explain_chain import by_id, chain, told
from relance.explain_due import counted
from relance.story import heading
from services.pipeline import editions, history, leads
from services.pipeline.core.lead import Lead
from services.pipeline.history import Moment
from shared.contract.envelope import Envelope
from shared.contract.intake import LeadReceived
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import ActionRefused, DeadlineSet
from shared.contract.reminders import DeadlinePlanned
from shared.domain.calendar import OpenHours
from shared.domain.names import Names
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime import rulebook_folder
from shared.runtime.companies import Books
from shared.runtime.postgres import Transaction

WIDTH = 80
RULE_WIDTH = 8
TEXT_AT = 20


class NoLead(CannotDo):
    """Which lead there is not."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A lead and its moments, local to its site."""

    lead: Lead
    moments: Sequence[Moment]
    book: Rulebook
    names: Names
    hours: OpenHours
    kept: Mapping[str, Envelope]

    def chain(self, moment: Moment) -> tuple[Envelope, ...]:
        """What led to this moment, the first first."""
        return chain(moment.envelope, self.kept)

    def counted(self, moment: Moment) -> str | None:
        """How the calendar made the instant of a deadline that is planned in this moment."""
        data = moment.envelope.data
        if not isinstance(data, DeadlinePlanned):
            return None
        asked = self.kept.get(data.deadline_set)
        if asked is None or not isinstance(asked.data, DeadlineSet):
            return None
        return counted(asked.data.due, asked.time, data.due_at, self.hours)


async def explain(rulebook: Path, reference: str) -> Explanation:
    """The whole chain of a lead of the company whose folder this is, by id or number.

    Raises `NoLead`, `NoDatabase`.
    """
    folder = rulebook_folder.read(rulebook)
    books = Books(folder)
    async with database.transaction("pipeline") as tx:
        book = await editions.in_force(tx, books, folder)
        found = await leads.find(tx, book.tenant, reference)
        if not found:
            raise NoLead(await _of_nobody(tx, book.tenant, reference))
        if len(found) > 1:
            ids = " ".join(each.id for each in found)
            raise NoLead(f"{len(found)} leads have the number {reference}; take an id: {ids}")
        lead = await leads.one(tx, found[0].id)
        envelopes = await history.read(tx, lead.id)
        told_by = await editions.read(tx, books, book, envelopes)
        directory = await database.directory(tx, book.tenant)
    names = told_by.names(directory)
    zone = ZoneInfo(directory.site(lead.site).zone)
    told_moments = tuple(history.moments(envelopes, told_by, names, zone))
    return Explanation(
        lead, told_moments, book, names, directory.opening(lead.site), by_id(envelopes)
    )


async def _of_nobody(tx: Transaction, tenant: str, reference: str) -> str:
    """That the company has no such lead, and whose it is."""
    told = f"There is no lead {reference!r} of {tenant}"
    for row in await tx.fetch("SELECT DISTINCT tenant FROM directory WHERE tenant <> $1", tenant):
        if await leads.find(tx, row["tenant"], reference):
            return (
                f"{told}: it is of {row['tenant']}. Name the folder of their rulebook (--rulebook)."
            )
    return f"{told}."


def as_text(explanation: Explanation) -> str:
    """For people: 80 columns, each rule with its own sentence where it first comes up."""
    return "\n".join([*_head(explanation), *_body(explanation)])


def as_json(explanation: Explanation) -> str:
    """For programs: the lead's state, and every event with what made it."""
    lead = explanation.lead
    moments = [
        {
            "at": moment.at.isoformat(),
            "service": moment.service,
            "text": moment.text,
            "by": moment.by,
            "rule": moment.because.rule if moment.because else None,
            "says": moment.says.text if moment.says else None,
            "says_version": moment.says.version if moment.says else None,
            "version": moment.because.version if moment.because else None,
            "chain": [link.id for link in explanation.chain(moment)],
            "counted": explanation.counted(moment),
            "event": moment.envelope.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        for moment in explanation.moments
    ]
    whole = {"lead": lead.model_dump(mode="json", by_alias=True), "history": moments}
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _head(explanation: Explanation) -> Iterator[str]:
    lead, book, names = explanation.lead, explanation.book, explanation.names
    who = (lead.name, lead.company, *(point.value for point in lead.points))
    stage = names.stages.get(lead.stage, lead.stage)
    reason = f" ({names.reasons.get(lead.reason, lead.reason)})" if lead.reason else ""
    late = ", late" if lead.late_at else ""
    yield from _wrapped(f"Lead {lead.number}: {', '.join(word for word in who if word)}", "  ")
    yield from _wrapped(
        f"{lead.status}{reason}{late} · {stage} · {names.agent(lead.owner)} · site {lead.site}",
        "  ",
    )
    yield f"Rules of {book.name}, version {book.version}"


def _body(explanation: Explanation) -> Iterator[str]:
    day: date | None = None
    before: Moment | None = None
    said: set[tuple[str, str]] = set()
    before_links = ""
    for moment in explanation.moments:
        if moment.at.date() != day:
            day, before = moment.at.date(), None
            yield from ("", heading(day))
        yield from _event(moment, before)
        for rule, sentence in _sentences(moment, explanation.book):
            if (rule, sentence) not in said:
                said.add((rule, sentence))
                yield from _sentence(f"{rule}: {sentence}")
        if slice_ := explanation.counted(moment):
            yield from _sentence(slice_)
        if isinstance(moment.envelope.data, LeadReceived):
            yield from _sentence(f"inbound record {moment.envelope.id}")
        if isinstance(moment.envelope.data, NotificationSent):
            links = told(explanation.chain(moment), explanation.names, explanation.hours.zone)
            if links and links != before_links:  # the same request by another channel
                yield from _sentence(f"because {links}")
            before_links = links
        before = moment


def _event(moment: Moment, before: Moment | None) -> Iterator[str]:
    """The event's lines; a time or service that the line before said is left out."""
    time, service = f"{moment.at:%H:%M}", moment.service
    if before and f"{before.at:%H:%M}" == time:
        time = ""
        service = "" if before.service == service else service
    left = f"{time:<5} {service:<13} "
    rule = moment.because.rule if moment.because else ""
    room = WIDTH - TEXT_AT - RULE_WIDTH - 1
    first, *rest = wrap(moment.text, room) or [""]
    yield f"{left}{first:<{room}} {rule}".rstrip()
    yield from (f"{'':<{TEXT_AT + 2}}{line}" for line in _again(rest, room - 2))


def _sentences(moment: Moment, book: Rulebook) -> Iterator[tuple[str, str]]:
    """The rules behind the event with their words: the one that made it, those that refuse."""
    because, data, says = moment.because, moment.envelope.data, moment.says
    if because is not None and says is not None:
        yield because.rule, f"«{says.text}»{_edition(because.version, says.version, book.version)}"
    if isinstance(data, ActionRefused):
        yield from ((need.rule, f"«{need.says}»") for need in data.needs)


def _edition(decided: str, said: str, now: str) -> str:
    """Which version decided, where it is not the one in force, and whether these are its words."""
    if decided == now:
        return ""
    if decided == said:
        return f" (version {decided})"
    return f" (decided by version {decided}, which was not published; the words are of {said})"


def _sentence(text: str) -> list[str]:
    indent = " " * (TEXT_AT + 2)
    return wrap(text, WIDTH, initial_indent=f"{indent}↳ ", subsequent_indent=f"{indent}  ")


def _again(lines: Iterable[str], room: int) -> list[str]:
    return wrap(" ".join(lines), room)


def _wrapped(text: str, indent: str) -> list[str]:
    return wrap(text, WIDTH, subsequent_indent=indent)
