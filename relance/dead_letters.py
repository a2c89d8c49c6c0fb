"""`relance dead-letters`: what was set aside, and why (`relance.redrive` takes it up again).

A dead letter is named `service/number`; intake's lie on Kafka. What merely waits (for a gap to
close, a fact to come) is listed too: it is tried again by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from textwrap import indent, wrap
from typing import Any

from pydantic_core import from_json, to_json

from relance import database, intake_letters
from relance.database import CannotDo
from relance.intake_letters import IntakeLetter
from shared.domain.count import counted, noun
from shared.runtime import quarantine
from shared.runtime.postgres import Transaction

WIDTH = 80

_SET_ASIDE = """
SELECT id, topic, subject, value, why, quarantined_at AS since
FROM quarantine
ORDER BY id
"""
_WAITING = """
SELECT count(*) AS many, min(parked_at) AS since, topic, subject, min(why) AS why
FROM parked
GROUP BY topic, subject
ORDER BY min(parked_at)
LIMIT 100
"""


class NoLetter(CannotDo):
    """Which dead letter there is not."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter in a list."""

    service: str
    id: int
    topic: str
    subject: str | None
    type: str
    why: str
    since: datetime

    @property
    def name(self) -> str:
        """What `show` and `redrive` take."""
        return f"{self.service}/{self.id}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Events of one subject that wait in the parking; `why` is one of their reasons."""

    service: str
    many: int
    topic: str
    subject: str
    why: str
    since: datetime


async def listed(kafka: str | None = None, services: Sequence[str] = database.WITH_DATABASE) -> str:
    """All dead letters, and what waits, for people; intake's are those on `kafka`.

    Raises `NoDatabase`.
    """
    letters: list[Letter] = []
    waiting: list[Waiting] = []
    for service in services:
        async with database.transaction(service) as tx:
            letters += await _letters(tx, service)
            waiting += [Waiting(service, **dict(row)) for row in await tx.fetch(_WAITING)]
    outside = [] if kafka is None else await _of_intake(kafka)
    lines = [line for letter in letters for line in _letter(letter)]
    lines += [line for each in waiting for line in _waits(each)]
    many = f"{len(letters)} set aside" if letters else "Nothing is set aside"
    held = sum(each.many for each in waiting)
    waits = f"{held} {noun(held, 'waits', 'wait')}" if held else "nothing waits"
    return "\n".join([*outside, *lines, f"{many} by services, {waits}."])


async def _of_intake(kafka: str) -> list[str]:
    """Lines about the latest inputs that intake could not use; a Kafka that is away is said so."""
    try:
        letters, before = await intake_letters.latest(kafka)
    except CannotDo as error:
        return wrap(f"What came in wrongly is not listed: {error}", WIDTH)
    lines = [line for letter in letters for line in _came_in(letter)]
    if letters:
        lie = counted(before, "earlier one lies", "earlier ones lie")
        earlier = f"; {lie} on their topic" if before else ""
        mend = noun(
            len(letters), "its sender mends and repeats it", "their senders mend and repeat them"
        )
        lines.append(f"{len(letters)} came in wrongly{earlier}: {mend}.")
        lines.append("")
    return lines


async def shown(name: str, kafka: str | None = None) -> str:
    """One dead letter whole: where it lay, why it was set aside, its bytes. Raises `NoLetter`."""
    service, id_ = parsed(name)
    if service == intake_letters.SERVICE:
        return await _shown_of_intake(name, id_, kafka)
    async with database.transaction(service) as tx:
        found = await quarantine.shown(tx, id_)
    if found is None:
        raise NoLetter(f"There is no dead letter {name}: see `relance dead-letters list`.")
    place = f"{found['topic']}, partition {found['partition']}, offset {found['record']}"
    told = [
        f"{name}, set aside {found['quarantined_at']:%Y-%m-%d %H:%M:%S} UTC",
        f"topic    {place}",
        f"event    {found['event'] or 'unreadable'}",
        f"subject  {found['subject'] or 'unreadable'}",
        *wrap(f"why      {found['why']}", WIDTH, subsequent_indent=" " * 9),
        "",
        _readable(found["value"]),
    ]
    return "\n".join(told)


async def _shown_of_intake(name: str, number: int, kafka: str | None) -> str:
    found = None if kafka is None else await intake_letters.one(kafka, number)
    if found is None:
        raise NoLetter(f"There is no dead letter {name}: see `relance dead-letters list`.")
    told = [
        f"{name}, came in {found.since:%Y-%m-%d %H:%M:%S} UTC",
        f"source   {found.source}",
        f"by       {found.door}",
        *wrap(f"why      {found.why}", WIDTH, subsequent_indent=" " * 9),
        "",
        _readable(found.value),
    ]
    return "\n".join(told)


async def _letters(tx: Transaction, service: str) -> list[Letter]:
    return [
        Letter(service, type=type_of(row["value"]), **_without(row, "value"))
        for row in await tx.fetch(_SET_ASIDE)
    ]


def _without(row: Any, name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}


def type_of(value: bytes | None) -> str:
    """The type an event gives itself."""
    try:
        attributes = from_json(value or b"")
        return str(attributes["type"])
    except (ValueError, KeyError, TypeError):
        return "unreadable"


def _readable(value: bytes | None) -> str:
    """JSON laid out; anything else as its characters, or as hexadecimal."""
    if value is None:
        return "(no value)"
    try:
        return to_json(from_json(value), indent=2).decode()
    except ValueError:
        return value.decode("utf-8", errors="backslashreplace")


def _letter(letter: Letter) -> Iterator[str]:
    yield f"{letter.name:<20} {letter.since:%Y-%m-%d %H:%M}  {letter.type}"
    yield f"    {letter.topic} · {letter.subject or 'no subject'}"
    yield from _why(letter.why)


def _came_in(letter: IntakeLetter) -> Iterator[str]:
    name = f"{intake_letters.SERVICE}/{letter.number}"
    yield f"{name:<20} {letter.since:%Y-%m-%d %H:%M}  from {letter.source} by {letter.door}"
    yield from _why(letter.why)


def _waits(each: Waiting) -> Iterator[str]:
    events = counted(each.many, "event waits", "events wait")
    yield f"{each.service:<20} {each.since:%Y-%m-%d %H:%M}  {events}"
    yield f"    {each.topic} · {each.subject}"
    yield from _why(each.why)


def _why(why: str) -> Iterator[str]:
    first_line = why.splitlines()[0] if why else ""
    yield indent("\n".join(wrap(first_line, WIDTH - 4)), "    ")


def parsed(name: str) -> tuple[str, int]:
    """Service and number of a name; raises `NoLetter`."""
    service, _, number = name.partition("/")
    if service not in (intake_letters.SERVICE, *database.WITH_DATABASE) or not number.isdecimal():
        raise NoLetter(f"{name!r} names no dead letter: it is written like pipeline/12.")
    return service, int(number)
