"""When what was hit works again: ready, all its partitions in its hand, and read up to now.

Ready alone says little: a service that has not got its partitions back answers that it is ready,
and reads nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import httpx2
from aiokafka import TopicPartition
from pydantic import ValidationError

from relance.stack.service import Service
from relance.stack.stack import SERVICES, Stack
from shared.runtime.health import Quiet
from shared.runtime.kafka import Ends
from shared.runtime.settings import Settings

LIMIT_S = 120.0
GONE_S = 3.0
"""So long it may not run at all: another lane of the fire may be starting it again."""

_LOOK_EVERY_S = 0.02


class NotRecovered(AssertionError):
    """It did not work again in time; the sentence says what it had not read."""


@dataclass(frozen=True)
class Recovery:
    """After so long what was hit worked again; `at_s` since the fire began."""

    what: str
    at_s: float
    seconds: float


def wait_recovered(stack: Stack, names: Iterable[str] = SERVICES) -> None:
    """Until these services are ready and have read what lies on their topics by then."""
    services = [stack.services[name] for name in names]
    for service in services:
        _wait_ready(service)
    asyncio.run(_read_up_to_now(stack.kafka.bootstrap, services))


def _wait_ready(service: Service) -> None:
    limit = time.monotonic() + LIMIT_S
    ran = time.monotonic()
    while not service.ready:
        now = time.monotonic()
        ran = now if service.child.alive else ran
        if now > min(limit, ran + GONE_S):
            raise NotRecovered(f"{service.name} is not ready again; its log ends:\n{_end(service)}")
        time.sleep(_LOOK_EVERY_S)


def _end(service: Service) -> str:
    return "\n".join(service.log().splitlines()[-20:])


def behind(told: Quiet, ends: Mapping[TopicPartition, int]) -> list[str]:
    """The partitions that a service has not in its hand, or has not read up to `ends`."""
    places = {place: f"{place.topic}/{place.partition}" for place in partitions_of(told)}
    return [
        name
        for place, name in places.items()
        if name not in told.positions or told.positions[name] < ends.get(place, 0)
    ]


def partitions_of(told: Quiet) -> list[TopicPartition]:
    """All that the service reads."""
    return [
        TopicPartition(topic, number)
        for topic, many in told.topics.items()
        for number in range(many)
    ]


async def _read_up_to_now(bootstrap: str, services: Sequence[Service]) -> None:
    ends = Ends(Settings(kafka=bootstrap))
    await ends.start()
    try:
        async with httpx2.AsyncClient(timeout=5) as http:
            await asyncio.gather(*(_has_read(service, http, ends) for service in services))
    finally:
        await ends.stop()


async def _has_read(service: Service, http: httpx2.AsyncClient, ends: Ends) -> None:
    limit = time.monotonic() + LIMIT_S
    now: dict[TopicPartition, int] | None = None
    left = ["nothing is known of what it reads"]
    while left:
        told = await _asked(service, http)
        if told is not None:
            now = now or await ends.of(partitions_of(told))
            left = behind(told, now)
        if time.monotonic() > limit:
            raise NotRecovered(f"{service.name} has not read in {LIMIT_S:.0f} s: {left[:5]}")
        if left:
            await asyncio.sleep(_LOOK_EVERY_S)


async def _asked(service: Service, http: httpx2.AsyncClient) -> Quiet | None:
    """What it says of itself; None while it cannot."""
    try:
        answer = await http.get(f"{service.url}/health/quiet")
        answer.raise_for_status()
        return Quiet.model_validate_json(answer.content)
    except (httpx2.HTTPError, ValidationError):
        return None
