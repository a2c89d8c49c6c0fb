"""A file of leads: CSV as spreadsheets write it, a lead a row, columns by the source's mapping."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from services.intake.core.arrival import Arrival, Refusal
from services.intake.core.normal_form import Acceptance, normalise, quarantined
from services.intake.formats.form import mapped
from services.intake.formats.payload import Payload
from shared.contract.envelope import Envelope
from shared.domain.rulebook.source import Source

ROWS_MOST = 10_000
_DELIMITERS = ";,\t"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file as people count (the header is 1), itself and its header as
    CSV, what it says, and how many rows follow it."""

    number: int
    text: bytes
    arrival: Arrival
    followed_by: int = 0

    def normalised(self, source: Source, acceptance: Acceptance) -> tuple[Envelope, Refusal | None]:
        """The row as the event that intake says, and its refusal where it cannot be used.

        Each row is received a microsecond before the one below it: so rows keep the order of the
        file, and none is ahead of the clock.
        """
        at = acceptance.at - timedelta(microseconds=self.followed_by)
        own = replace(acceptance, at=at)
        try:
            return normalise(source, self.arrival, own), None
        except Refusal as refusal:
            why = Refusal(f"row {self.number}: {refusal.sentence}", refusal.field)
            return quarantined(source.id, why.sentence, own, self.arrival.provider_id), why


def read(source: Source, payload: Payload) -> list[Row]:
    """The rows that hold anything. Raises `Refusal` for a file that is none of this source's.

    A row is known by the id in its column, else by what it says: so the same file again, or one
    with more rows, makes nothing twice. `batch` is the same for all rows of a file.
    """
    header, rows = _table(payload.body)
    if not any(name in source.reachable_by for name in header):
        wanted = " or ".join(source.reachable_by)
        raise Refusal(f"the first line names no column {wanted}; it has {', '.join(header)}")
    batch = hashlib.sha256(payload.body).hexdigest()[:32]
    found: list[Row] = []
    for number, cells in rows:
        pairs = [(n, c.strip()) for n, c in zip(header, cells, strict=False) if c.strip()]
        if not pairs:
            continue
        if len(found) == ROWS_MOST:
            raise Refusal(f"the file has more than {ROWS_MOST} rows")
        arrival = mapped(source, pairs, _digest(pairs)).model_copy(update={"batch": batch})
        found.append(Row(number, _csv([header, cells]), arrival))
    if not found:
        raise Refusal("the file has no row below its first line")
    return [replace(row, followed_by=len(found) - n) for n, row in enumerate(found, 1)]


def _table(body: bytes) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    lines = io.StringIO(_text(body), newline="")
    first = lines.readline()
    lines.seek(0)
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise Refusal(f"the first line cannot be read: {error}") from None
    return header, _rows(reader)


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    number = 1
    while True:
        number += 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refusal(f"row {number} cannot be read: {error}") from None


def _text(body: bytes) -> str:
    """UTF-8, with or without its mark; else as Western Windows writes it."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _digest(pairs: list[tuple[str, str]]) -> str:
    return hashlib.sha256("\x1e".join(f"{n}\x1f{v}" for n, v in pairs).encode()).hexdigest()[:32]


def _csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";").writerows(rows)
    return text.getvalue().encode()
