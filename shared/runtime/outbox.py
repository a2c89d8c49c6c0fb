"""The outbox: what a transaction says, stored with what it did (`runtime.md` 16)."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from shared.contract.envelope import Envelope
from shared.runtime.kafka import Headers
from shared.runtime.postgres import Transaction

MAX_EVENT_BYTES = 900_000

# The rows are locked in sorted order, before any outbox row gets its id: so id order is commit
# order per subject, and two transactions never wait for each other in a circle.
_NUMBER = """
insert into sequence (source, subject, last)
select $1, subject, many from unnest($2::text[], $3::bigint[]) as n (subject, many)
on conflict (source, subject) do update set last = sequence.last + excluded.last
returning subject, last
"""
_COLUMNS = ("topic", "key", "value", "headers")
Row = tuple[str, bytes | None, bytes | None, str | None]
"""Its columns."""


class TooLarge(ValueError):
    """An event over 900 KB is refused where it is made; its cause is quarantined."""


@dataclass(frozen=True, slots=True)
class Message:
    """A row of the outbox; `headers` None means those of a CloudEvent."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers | None = None


def topic_of(source: str) -> str:
    """`pipeline.events.v1` of `/pipeline`: a topic belongs to the service it is named after."""
    return f"{source.strip('/')}.events.v1"


async def append(tx: Transaction, source: str, envelopes: Sequence[Envelope]) -> None:
    """Store `envelopes`, each with its sequence, to be published after the commit.

    Raises `TooLarge`. The caller wakes the relay after the commit.
    """
    if not envelopes:
        return
    many = Counter(envelope.subject for envelope in envelopes)
    subjects = sorted(many)
    given = await tx.fetch(_NUMBER, source, subjects, [many[subject] for subject in subjects])
    last = {row["subject"]: row["last"] - many[row["subject"]] for row in given}
    topic = topic_of(source)
    rows: list[Row] = []
    for envelope in envelopes:
        subject = envelope.subject
        last[subject] += 1
        rows.append((topic, subject.encode(), _numbered(envelope, last[subject]), None))
    await _copy(tx, rows)


async def store(tx: Transaction, messages: Sequence[Message]) -> None:
    """Store messages as they are, in this order."""
    if messages:
        await _copy(tx, [(m.topic, m.key, m.value, headers_to_json(m.headers)) for m in messages])


async def _copy(tx: Transaction, rows: Sequence[Row]) -> None:
    """By COPY, which writes pages instead of rows."""
    await tx.copy_records_to_table("outbox", columns=_COLUMNS, records=rows)


def headers_to_json(headers: Headers | None) -> str | None:
    """Headers as JSON; values may be any bytes, so base64."""
    if headers is None:
        return None
    return json.dumps(
        [
            [name.replace("\0", "\\0"), None if value is None else base64.b64encode(value).decode()]
            for name, value in headers
        ]
    )


def headers_from_json(text: str) -> Headers:
    """The other way."""
    return tuple(
        (name, None if value is None else base64.b64decode(value))
        for name, value in json.loads(text)
    )


def _numbered(envelope: Envelope, sequence: int) -> bytes:
    value = envelope.numbered(sequence)
    if len(value) > MAX_EVENT_BYTES:
        raise TooLarge(f"{envelope.type} of {envelope.subject} has {len(value)} bytes, over 900 KB")
    return value
