"""The `inbound.*` topics: upstream systems that publish CloudEvents themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from services.intake.core.arrival import Refusal
from services.intake.formats import cloud_event
from services.intake.formats.payload import Payload
from services.intake.houses import Entrance, Houses
from services.intake.reception import Read
from shared.runtime.kafka import Headers, Record, headers_as_text


class TopicDoor:
    """Reads exactly as the HTTP door does; who may publish is for the cluster's ACLs."""

    def __init__(self, houses: Houses) -> None:
        self._houses = houses

    async def receive(self, records: Sequence[Record]) -> None:
        """Record all of them; returning lets their offsets be committed.

        Raises `NotConfirmed` when Kafka did not acknowledge: the batch is repeated, and what
        was written already keeps its id. A record that cannot be read stops nobody.
        """
        reads = await asyncio.gather(*(self._read(record) for record in records))
        await self._houses.stranger.record(reads)

    async def _read(self, record: Record) -> Read:
        headers = cloud_event.headers_as_text(record.headers)
        place = f"{record.topic}/{record.partition}/{record.offset}"
        payload = Payload(
            door="topic",
            content_type=headers.get("content-type", ""),
            body=record.value or b"",
            headers=headers,
            provider_id=place,
        )
        name, reception = "unknown", self._houses.stranger
        try:
            event = cloud_event.read(record.value, headers, place)
            payload, name = event.payload, event.source or name
            entrance = self._entrance(event.source)
            reception = entrance.reception
            read = await reception.read(entrance.source, payload)
        except Refusal as refusal:
            read = reception.set_aside(name, payload, refusal)
        return read if read.refusal is None else replace(read, letter=_letter(record))

    def _entrance(self, name: str) -> Entrance:
        entrance = self._houses.by_cloudevents_source(name)
        if entrance is None:
            raise Refusal(
                f"no source of sources.toml has cloudevents_source {name[:200]!r}", "source"
            )
        return entrance


def _letter(record: Record) -> Headers:
    ours: dict[str, str | int] = {
        "relance-topic": record.topic,
        "relance-partition": record.partition,
        "relance-offset": record.offset,
    }
    return (*record.headers, *headers_as_text(ours))
