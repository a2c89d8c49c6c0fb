"""Work for the members of an office, by Kafka and by hand, that goes on while things break."""

from __future__ import annotations

import asyncio
import itertools
import random
import uuid
from time import monotonic

import httpx2

from tests.faults.office import Office

LEADS = 40
TICK_S = 0.05
SWAPPED = 0.03
"""How many notes come before the one they follow: a gap that waits, and is closed."""
REPEATED = 0.03
HANDS = 4
"""Actions at once."""


class OfficeLoad:
    """Notes by Kafka, `per_s` of them, and actions as fast as `HANDS` people get answers."""

    def __init__(self, office: Office, seed: int, *, copies: int = 1) -> None:
        self._office, self._chance, self._copies = office, random.Random(seed), copies
        self._places = itertools.count()
        self.sent = 0

    async def run(self, done: asyncio.Event, *, at_least: int, per_s: float) -> None:
        """Until `done`, and at least so many notes; then everybody has their answer."""
        hands = [asyncio.create_task(self._hand(done)) for _ in range(HANDS)]
        try:
            await self._by_kafka(done, at_least, per_s)
        finally:
            done.set()
            await asyncio.gather(*hands)

    async def _by_kafka(self, done: asyncio.Event, at_least: int, per_s: float) -> None:
        sent: set[asyncio.Future[object]] = set()
        began = monotonic()
        while not done.is_set() or self.sent < at_least:
            due = int((monotonic() - began) * per_s) - self.sent
            for _ in range(min(due, 500)):
                for future in await self._one():
                    sent.add(future)
                    future.add_done_callback(sent.discard)
            await asyncio.sleep(TICK_S)
        await asyncio.gather(*sent)

    async def _one(self) -> list[asyncio.Future[object]]:
        """The next note of one lead, now and then two the wrong way round, or one twice."""
        office = self._office
        lead = f"lead-{next(self._places) % LEADS}"
        notes = [office.next_note(lead)]
        if self._chance.random() < SWAPPED:
            notes.insert(0, office.next_note(lead))
        self.sent += len(notes)
        notes *= self._copies
        if self._chance.random() < REPEATED:
            notes.append(notes[0])
        return [await office.put(lead, value) for value in notes]

    async def _hand(self, done: asyncio.Event) -> None:
        async with httpx2.AsyncClient(timeout=3) as http:
            for number in itertools.count():
                if done.is_set():
                    return
                lead, key = f"lead-{number % LEADS}", uuid.uuid4()
                while not await self._act(http, lead, key):  # noqa: ASYNC110 - others decide
                    await asyncio.sleep(0.2)
                self._office.acted[lead] += 1
                await asyncio.sleep(0.05)

    async def _act(self, http: httpx2.AsyncClient, lead: str, key: uuid.UUID) -> bool:
        """With the same key until a member says that it is done."""
        clerk = self._chance.choice(self._office.clerks)
        try:
            answer = await http.post(f"{clerk.url}/leads/{lead}/{key}")
        except httpx2.TransportError:
            return False
        return answer.status_code == 200
