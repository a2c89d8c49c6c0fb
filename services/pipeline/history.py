"""The history of a lead, read back: what came in, what followed, why, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from services.pipeline.core.action import ActionRequested
from services.pipeline.store import Step
from shared.contract.envelope import Because, Envelope, Event
from shared.contract.pipeline import TaskCreated
from shared.contract.topics import EVENT_CLASSES
from shared.domain.names import Names
from shared.domain.rulebook.declaration import Declaration
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.wording import words_for
from shared.runtime.postgres import Transaction

_READ = """
SELECT cause::text, events::text
FROM lead_history
WHERE lead = $1
ORDER BY position
"""
_READ_ALL = """
SELECT lead::text, cause::text, events::text
FROM lead_history
WHERE $1::uuid[] IS NULL OR lead = ANY($1)
ORDER BY lead, position
"""
_LOCK = """
SELECT position, cause::text, events::text
FROM lead_history
WHERE lead = $1
ORDER BY position
FOR UPDATE
"""
_CLASSES: dict[str, type[Event]] = {**EVENT_CLASSES, ActionRequested.type: ActionRequested}


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a lead's life. `says` is the rule's own sentence, where the rulebook has it."""

    envelope: Envelope
    at: datetime
    service: str
    text: str
    by: str | None
    because: Because | None
    says: str | None


async def read(tx: Transaction, lead: str) -> list[Envelope]:
    """Everything kept of the lead, in the order it happened: each cause before what it caused."""
    envelopes: list[Envelope] = []
    for row in await tx.fetch(_READ, lead):
        envelopes.append(_envelope(from_json(row["cause"])))
        envelopes += [_envelope(event) for event in from_json(row["events"])]
    return envelopes


async def rows_of(tx: Transaction, lead: str) -> list[tuple[int, Step]]:
    """The same with the place of each step, locked."""
    return [
        (
            row["position"],
            Step(
                lead,
                _envelope(from_json(row["cause"])),
                tuple(_envelope(event) for event in from_json(row["events"])),
            ),
        )
        for row in await tx.fetch(_LOCK, lead)
    ]


async def of_leads(tx: Transaction, leads: Sequence[str]) -> dict[str, list[Envelope]]:
    """The same of several, a list each."""
    found: dict[str, list[Envelope]] = {lead: [] for lead in leads}
    for step in await read_all(tx, leads):
        found[step.lead] += [step.cause, *step.events]
    return found


async def read_all(tx: Transaction, leads: Sequence[str] | None = None) -> list[Step]:
    """The history of these leads, or of every one, each in the order it happened."""
    return [
        Step(
            row["lead"],
            _envelope(from_json(row["cause"])),
            tuple(_envelope(event) for event in from_json(row["events"])),
        )
        for row in await tx.fetch(_READ_ALL, leads)
    ]


def moments(
    envelopes: Iterable[Envelope], book: Rulebook, names: Names, zone: ZoneInfo
) -> Iterator[Moment]:
    """The events told to people; instants in `zone`.

    An action asked for is not told: what came of it is, with who did it, or the refusal.
    `names` learns the titles of tasks as they come up.
    """
    sentences = sentences_of(book)
    for envelope in envelopes:
        data = envelope.data
        if isinstance(data, ActionRequested):
            continue
        if isinstance(data, TaskCreated):
            names.tasks[data.task] = data.title
        yield Moment(
            envelope=envelope,
            at=envelope.time.astimezone(zone),
            service=envelope.source.strip("/").split("/")[0],
            text=words_for(data, names, zone),
            by=getattr(data, "by", None),
            because=data.because,
            says=sentences.get(data.because.rule) if data.because else None,
        )


def sentences_of(book: Rulebook) -> Mapping[str, str]:
    """Each numbered row's own words; entries that share a number are told one after the other."""
    told: dict[str, list[str]] = {}
    for id_, says in _sayings(book):
        said = told.setdefault(id_, [])
        if says not in said:
            said.append(says)
    return {id_: " / ".join(said) for id_, said in told.items()}


def _sayings(book: Rulebook) -> Iterator[tuple[str, str]]:
    """(number, sentence) of all rules, and of the declarations that quote their row."""
    yield from ((rule.id, rule.says) for rule in book.rules)
    yield from ((requirement.id, requirement.says) for requirement in book.requires)
    declared: list[Declaration] = [*book.pipelines.values(), *book.stages.values()]
    declared += [*book.fields.values(), *book.tasks.values(), *book.attempts.values()]
    for each in (*declared, *book.digests, *((book.late,) if book.late else ())):
        if each.rule and each.says:
            yield each.rule, each.says


def _envelope(attributes: Mapping[str, object]) -> Envelope:
    data = _CLASSES[str(attributes["type"])].model_validate(attributes.get("data"))
    return Envelope.model_validate({**attributes, "data": data})
