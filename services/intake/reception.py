"""The one path from every door: read, keep the bytes, say the event; both acknowledged."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import uuid4

import structlog

from services.intake import metrics
from services.intake.core.arrival import Arrival, Refusal
from services.intake.core.normal_form import INTAKE, Acceptance, normalise, quarantined, raw_id_of
from services.intake.formats import call, csv_rows, form, sms
from services.intake.formats.mail_process import MailReaders
from services.intake.formats.payload import BODY_BYTES_MOST, Payload
from shared.contract import topics
from shared.contract.envelope import Envelope, Event
from shared.contract.intake import (
    CallEnded,
    CallStarted,
    InboundIgnored,
    InboundQuarantined,
    RawReceived,
)
from shared.contract.topics import Topic
from shared.domain.directory import Directory, Unknown
from shared.domain.rulebook.source import Source
from shared.runtime import clock
from shared.runtime.kafka import EVENT_HEADERS, Headers
from shared.runtime.producer import LIMIT_S, NotConfirmed

log = structlog.get_logger(__name__)

_KEPT_HEADERS = frozenset(
    {"accept-language", "content-type", "idempotency-key", "origin", "user-agent"}
    | {"webhook-id", "webhook-timestamp", "ce-id", "ce-source", "ce-type", "ce-time"}
)
"""What of a request is kept as evidence; never a secret."""

_STAGES_MOST_S = LIMIT_S + 0.5
"""For all stages; past the limit of one, whose failure the producer must see."""

_ROWS_AT_ONCE = 500
"""Rows of a file that are on their way to Kafka together."""

_LETTER_BYTES_MOST = 8 * topics.MIB - 64 * 1024
"""What fits on the dead letters beside the headers."""


OUTCOMES: Mapping[type[Event], str] = {
    CallStarted: "noted",
    CallEnded: "noted",
    InboundIgnored: "ignored",
    InboundQuarantined: "set_aside",
}
"""What an input is called in metrics and logs; any other is `received`."""


class Doors(Protocol):
    """Writes to Kafka (the runtime's `ConfirmedProducer`)."""

    async def send(
        self, topic: str, *, key: bytes | None, value: bytes, headers: Headers = EVENT_HEADERS
    ) -> tuple[int, int]:
        """The record's (partition, offset), once it is safe. Raises `NotConfirmed`."""

    async def send_event(self, topic: Topic, envelope: Envelope, key: str) -> tuple[int, int]:
        """The same for an event of ours."""


class Known(Protocol):
    """The directory as this replica has read it."""

    @property
    def directory(self) -> Directory:
        """The copy in memory."""


@dataclass(frozen=True, slots=True)
class Read:
    """An input that was read: the event to say, or why it is set aside."""

    payload: Payload
    source: str
    envelope: Envelope
    refusal: Refusal | None = None
    letter: Headers = field(default=())
    """What a dead letter says of where it came from."""


class Reception:
    """Reads inputs and records them; holds no state of its own."""

    def __init__(
        self, tenant: str, hash_key: bytes, doors: Doors, known: Known, mails: MailReaders
    ) -> None:
        self._tenant, self._hash_key = tenant, hash_key
        self._doors, self._known, self._mails = doors, known, mails

    async def take(self, source: Source, payload: Payload) -> Read:
        """Read one input and record it. Raises `NotConfirmed` when Kafka did not acknowledge:
        it may still take effect, once, and a repeat with the same id changes nothing."""
        read = await self.read(source, payload)
        await self._record_soon([read])
        return read

    async def take_rows(self, source: Source, payload: Payload) -> list[Read]:
        """Read a file and record its rows; what came of each, in order.

        A row that cannot be used is set aside and stops no other; a file that cannot be read is
        one refused read. Raises `NotConfirmed`: the rows that were recorded keep their ids.
        """
        try:
            rows = csv_rows.read(source, payload)
        except Refusal as refusal:
            reads = [self.set_aside(source.id, payload, refusal)]
            await self._record_soon(reads)
            return reads
        region, reads = self._region(source), []
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            # Each slice is given its time when it is on its way to Kafka, not before (rule 12).
            some = rows[start : start + _ROWS_AT_ONCE]
            reads += (now := [self._row(source, payload, row, region) for row in some])
            await self._record_soon(now)
        return reads

    def _row(self, source: Source, payload: Payload, row: csv_rows.Row, region: str | None) -> Read:
        own = replace(payload, body=row.text, provider_id=row.arrival.provider_id)
        return Read(own, source.id, *row.normalised(source, self._acceptance(region)))

    async def _record_soon(self, reads: Sequence[Read]) -> None:
        """Record them; raises `NotConfirmed` when that takes too long."""
        try:
            async with asyncio.timeout(_STAGES_MOST_S):
                await self.record(reads)
        except TimeoutError:
            raise NotConfirmed("Kafka has not acknowledged it; please try again.") from None

    async def read(self, source: Source, payload: Payload) -> Read:
        """What the input says; nothing is written yet."""
        try:
            arrival = await self._arrival(source, payload)
            # Its time is that of the end of reading, which may take seconds: what is judged
            # waits for what came in earlier, and that must be on its way to Kafka (rule 12).
            envelope = normalise(source, arrival, self._acceptance(self._region(source)))
        except Refusal as refusal:
            return self.set_aside(source.id, payload, refusal)
        return Read(payload, source.id, envelope)

    def set_aside(self, source: str, payload: Payload, refusal: Refusal) -> Read:
        """An input that no source would read."""
        acceptance = self._acceptance(None)
        envelope = quarantined(source, refusal.sentence, acceptance, payload.provider_id)
        return Read(payload, source, envelope, refusal)

    async def record(self, reads: Sequence[Read]) -> None:
        """Dead letters, then raw bytes, then events, each stage acknowledged before the next.

        Each stage's records are handed over in order, so the events of one person stay in order.
        """
        refused = [read for read in reads if read.refusal is not None]
        await asyncio.gather(*(self._bury(read) for read in refused))
        await asyncio.gather(*(self._keep(read) for read in reads))
        await asyncio.gather(*(self._say(read.envelope) for read in reads))
        for read in reads:
            outcome = OUTCOMES.get(type(read.envelope.data), "received")
            metrics.INPUTS.labels(door=read.payload.door, outcome=outcome).inc()
            log.info("input", event_id=read.envelope.id, source=read.source, outcome=outcome)

    async def _arrival(self, source: Source, payload: Payload) -> Arrival:
        match source.format:
            case "call":
                return call.read(payload)
            case "form":
                return form.read(source, payload)
            case "sms":
                return sms.read(payload)
            case "mail":
                return await self._mails.read(payload)
            case "csv":
                raise Refusal("a file of leads is taken in row by row")

    def _acceptance(self, region: str | None) -> Acceptance:
        return Acceptance(
            tenant=self._tenant,
            at=clock.now(),
            region=region,
            chance=str(uuid4()),
            hash_key=self._hash_key,
        )

    def _region(self, source: Source) -> str | None:
        try:
            return self._known.directory.site(source.site).region
        except Unknown:  # a lead is never refused for what we do not know yet
            return None

    async def _bury(self, read: Read) -> None:
        assert read.refusal is not None
        ours = {
            "relance-service": "intake",
            "relance-door": read.payload.door,
            "relance-source": read.source,
            "relance-event": read.envelope.id,
            "relance-why": read.refusal.sentence,
        }
        headers = [*read.letter, *((name, value.encode()) for name, value in ours.items())]
        await self._doors.send(
            topics.DEAD_LETTERS["intake"].name,
            key=read.envelope.id.encode(),
            value=read.payload.as_it_came[:_LETTER_BYTES_MOST],
            headers=headers,
        )

    async def _keep(self, read: Read) -> None:
        event, payload = read.envelope, read.payload
        body = payload.as_it_came
        if len(body) > BODY_BYTES_MOST:
            body = b""  # only `inbound.*` allows more; such a record lies on the dead letters
        raw = RawReceived(
            source=read.source,
            door=payload.door,
            content_type=payload.content_type,
            body_base64=base64.b64encode(body).decode(),
            headers=_kept(payload.headers),
        )
        envelope = Envelope(
            id=raw_id_of(event.id),
            source=INTAKE,
            type=raw.type,
            subject=event.id,
            time=event.time,
            tenant=event.tenant,
            data=raw,
        )
        await self._doors.send_event(topics.INTAKE_RAW, envelope, event.id)

    async def _say(self, envelope: Envelope) -> None:
        await self._doors.send_event(topics.INTAKE, envelope, envelope.subject)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name in _KEPT_HEADERS}
