"""The history of a lead, read back: what came in, what followed, why, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic_core import from_json

from services.pipeline.core.action import ActionRequested
from services.pipeline.editions import Editions, Saying
from services.pipeline.store import Step
from shared.contract.envelope import Because, Envelope, Event
from shared.contract.pipeline import TaskCreated
from shared.contract.topics import EVENT_CLASSES
from shared.domain.names import Names
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
    """One event of a lead's life. `says` is the rule's own sentence, where a rulebook has it."""

    envelope: Envelope
    at: datetime
    service: str
    text: str
    by: str | None
    because: Because | None
    says: Saying | None


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
    envelopes: Iterable[Envelope], editions: Editions, names: Names, zone: ZoneInfo
) -> Iterator[Moment]:
    """The events told to people; instants in `zone`.

    An action asked for is not told: what came of it is, with who did it, or the refusal.
    `names` learns the titles of tasks as they come up.
    """
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
            says=editions.saying(data.because),
        )


def _envelope(attributes: Mapping[str, object]) -> Envelope:
    data = _CLASSES[str(attributes["type"])].model_validate(attributes.get("data"))
    return Envelope.model_validate({**attributes, "data": data})
