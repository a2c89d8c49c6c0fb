"""`relance dead-letters redrive`: what was set aside is taken up again, in order, after a look.

What waits behind a dead letter follows it, from the table, in the order of its subject
(`runtime.md` 9).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap

from relance import database
from relance.dead_letters import WIDTH, NoLetter, parsed, type_of
from relance.intake_letters import SERVICE as INTAKE
from shared.domain.count import noun
from shared.runtime import quarantine
from shared.runtime.postgres import Transaction

MOST_SHOWN = 40

_WANTED = """
SELECT q.id, q.subscription, q.topic, q.source, q.subject, q.sequence, q.value, q.why,
  coalesce(s.last, 0) AS reached
FROM quarantine q LEFT JOIN sequence s ON s.source = q.source AND s.subject = q.subject
WHERE CASE WHEN $1::bigint[] IS NULL THEN $2::text IS NULL OR q.subject = $2
           ELSE q.id = ANY($1) END
ORDER BY q.topic, q.subject NULLS FIRST, q.sequence NULLS FIRST, q.id
"""
_BEHIND = """
SELECT subscription, source, subject, sequence, value, why
FROM parked
WHERE (subscription, source, subject) IN
  (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
ORDER BY sequence NULLS FIRST, id
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which dead letters: by name, or all of a subject, or all there are."""

    names: Sequence[str] = ()
    subject: str | None = None
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One event, in the order of taking up; `letter`: its number, None where it waits behind."""

    letter: int | None
    sequence: int | None
    type: str
    why: str


@dataclass(frozen=True, slots=True)
class Queue:
    """All of one subject: what is released and what follows. `gap`: a number that is missing."""

    service: str
    topic: str
    subject: str | None
    rows: Sequence[Row]
    gap: int | None = None


async def redrive(wish: Wish, *, for_real: bool) -> str:
    """What would be taken up again, in its order; done only `for_real`.

    Raises `NoLetter` when nothing is meant, `NoDatabase`.
    """
    queues: list[Queue] = []
    released = 0
    for service, ids in _by_service(wish).items():
        async with database.transaction(service) as tx:
            found = await queued(tx, service, ids, wish.subject)
            queues += found
            if for_real:
                letters = [row.letter for queue in found for row in queue.rows]
                released += await quarantine.redrive(tx, [id_ for id_ in letters if id_])
    if not queues:
        raise NoLetter("Nothing to redrive: see `relance dead-letters list`.")
    if for_real:
        taken = noun(released, "Its service takes it", "Their service takes them")
        return (
            f"{released} released. {taken} up within a second, in order; "
            "what is still bad comes back here."
        )
    return "\n".join([*_preview(queues), "", *_summary(queues)])


def _by_service(wish: Wish) -> dict[str, list[int] | None]:
    """The numbers meant of each service; None means all that match."""
    if wish.everything or wish.subject is not None:
        return dict.fromkeys(database.WITH_DATABASE)
    wanted: dict[str, list[int] | None] = {}
    for name in wish.names:
        service, id_ = parsed(name)
        if service == INTAKE:
            raise NoLetter(f"{name} came in wrongly: its sender mends it and sends it again.")
        wanted[service] = [*(wanted.get(service) or ()), id_]
    return wanted


async def queued(
    tx: Transaction, service: str, letters: Sequence[int] | None, subject: str | None = None
) -> list[Queue]:
    """What `letters` (None: all, or all of `subject`) and what waits behind them would be."""
    wanted = await tx.fetch(_WANTED, letters, subject)
    subjects = {_key(row): row for row in reversed(wanted)}  # the first of each subject
    keys = [key for key in subjects if None not in key]
    columns = [list(column) for column in zip(*keys, strict=True)] or [[], [], []]
    behind = await tx.fetch(_BEHIND, *columns)
    queues = []
    for key, first in reversed(subjects.items()):
        rows = [
            *(Row(row["id"], *_told(row)) for row in wanted if _key(row) == key),
            *(Row(None, *_told(row)) for row in behind if _key(row) == key),
        ]
        rows.sort(key=lambda row: row.sequence or 0)
        numbers = [row.sequence for row in rows if row.sequence is not None]
        gap = _gap(int(first["reached"]), numbers)
        queues.append(Queue(service, first["topic"], first["subject"], rows, gap))
    return queues


def _key(row: database.Row) -> tuple[str, str | None, str | None]:
    return row["subscription"], row["source"], row["subject"]


def _told(row: database.Row) -> tuple[int | None, str, str]:
    return row["sequence"], type_of(row["value"]), row["why"]


def _gap(reached: int, numbers: Sequence[int]) -> int | None:
    """The first number that neither has been taken up nor lies here."""
    for number in numbers:
        if number > reached + 1:
            return reached + 1
        reached = max(reached, number)
    return None


def _preview(queues: Sequence[Queue]) -> Iterator[str]:
    yield "In this order they would be taken up again:"
    shown = 0
    for queue in queues:
        if shown >= MOST_SHOWN:
            yield ""
            yield "… and more: name a subject to see its own."
            return
        yield ""
        yield f"{queue.service} · {queue.topic} · {queue.subject or 'no subject'}"
        for row in queue.rows[:MOST_SHOWN]:
            number = "" if row.sequence is None else row.sequence
            name = "waits behind" if row.letter is None else f"{queue.service}/{row.letter}"
            yield f"  {name:<20}{number:>6}  {row.type}"
            if row.letter is not None:
                lines = wrap(row.why.splitlines()[0] if row.why else "", WIDTH - 28)
                yield from (f"{'':<28}{line}" for line in lines)
        shown += len(queue.rows)
        if queue.gap is not None:
            yield f"  Number {queue.gap} is not here: what comes after it goes on waiting."


def _summary(queues: Sequence[Queue]) -> Iterator[str]:
    letters = sum(row.letter is not None for queue in queues for row in queue.rows)
    behind = sum(len(queue.rows) for queue in queues) - letters
    waits = noun(behind, "waits behind follows", "wait behind follow")
    follow = f", {behind} that {waits}" if behind else ""
    yield f"{letters} set aside{follow}. Nothing has changed yet: add --yes to do it."
