"""People, vendors and agents who go on while things break, and keep books of what they were told.

Everything goes through the real doors. Whoever gets no answer, or a 5xx, tries again with the
same id, as vendors and mail servers do.
"""

import asyncio
import contextlib
import itertools
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import aiosmtplib
import httpx2
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from relance.outside import mail_from
from relance.stack.stack import Stack
from shared.contract.envelope import derived_id
from shared.contract.intake import LeadReceived
from shared.contract.topics import INBOUND_CALLS
from tests.faults.people import Action, Input, Person, action, persons

TENANT = "axelerator"
ORIGIN = "https://axelerator.example"
UPSTREAM = "//telephony.axelerator.example"
MAILBOX = "sales@axelerator.example"
ANSWER_LIMIT_S = 240.0  # a door that is killed again and again is open for moments only
AGAIN_FIRST_S, AGAIN_LONGEST_S = 0.4, 2.0
REPEATED = 0.05
"""How many inputs their sender repeats although they were answered."""


class NotAnswered(AssertionError):
    """A door did not answer for so long that its sender would have given up."""


@dataclass
class Books:
    """What those outside were told. `tries` counts by what came back."""

    accepted: set[str] = field(default_factory=set)
    acted: set[str] = field(default_factory=set)
    tries: Counter[str] = field(default_factory=Counter)


class Load:
    """Inputs at all four doors and actions at the API; goes on until it is told to stop."""

    def __init__(
        self, stack: Stack, agents: dict[str, str], seed: int, books: Books | None = None
    ) -> None:
        """`agents`: id -> API key. The same `seed` sends the same inputs."""
        self.books = books or Books()
        self.inputs = 0
        self.actions = 0
        self._stack = stack
        self._agents = agents
        self._chance = random.Random(seed)
        self._name = f"load-{seed}"
        self._people = persons(self._chance)
        self._known: list[Person] = []
        self._leads: list[str] = []
        self._intake = stack.services["intake"]
        self._pipeline = stack.services["pipeline"]
        self._secret = self._intake.setting("RELANCE_SECRET_PHONE")
        self._http = httpx2.AsyncClient(timeout=15)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=stack.kafka.bootstrap, acks="all", enable_idempotence=True
        )

    async def run(self, done: asyncio.Event, *, at_least: int, per_s: float) -> None:
        """Send `at_least` inputs, and go on until `done`; then wait for every answer."""
        await self._producer.start()
        looking = asyncio.create_task(self._look())
        try:
            async with asyncio.TaskGroup() as waiting:
                while not done.is_set() or self.inputs < at_least:
                    waiting.create_task(self._send(self._next_input()))
                    if self._leads:
                        waiting.create_task(self._act(self._next_action()))
                    await asyncio.sleep(1 / per_s)
        finally:
            looking.cancel()
            await self._producer.stop()
            await self._http.aclose()

    # -- inputs ----------------------------------------------------------------------------------

    def _next_input(self) -> Input:
        """By a new person, or by somebody who was here before."""
        chance = self._chance
        if self._known and chance.random() < 0.4:
            person = chance.choice(self._known)
        else:
            person = next(self._people)
            self._known.append(person)
        door = chance.choices(("call", "form", "mail", "topic"), (35, 25, 20, 20))[0]
        self.inputs += 1
        return Input(f"{self._name}-{self.inputs}", door, person, chance.random())

    async def _send(self, sent: Input) -> None:
        doors: dict[str, Callable[[Input], Awaitable[str | None]]] = {
            "call": self._call,
            "form": self._form,
            "mail": self._mail,
            "topic": self._publish,
        }
        for _ in range(2 if sent.chance < REPEATED else 1):
            self.books.accepted.add(await self._until_told(lambda: doors[sent.door](sent)))

    async def _until_told(self, attempt: Callable[[], Awaitable[str | None]]) -> str:
        pause_s, limit = AGAIN_FIRST_S, monotonic() + ANSWER_LIMIT_S
        while (told := await attempt()) is None:
            self.books.tries["again"] += 1
            if monotonic() > limit:
                raise NotAnswered(f"not answered in {ANSWER_LIMIT_S:.0f} s; {ended(self._stack)}")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, AGAIN_LONGEST_S)
        self.books.tries["answered"] += 1
        return told

    async def _call(self, sent: Input) -> str | None:
        return await self._post(
            "phone", json=sent.as_call(), headers={"Authorization": f"Bearer {self._secret}"}
        )

    async def _form(self, sent: Input) -> str | None:
        return await self._post("site", data=sent.as_form(), headers={"Origin": ORIGIN})

    async def _post(self, source: str, **request: Any) -> str | None:
        try:
            answer = await self._http.post(f"{self._intake.url}/in/{source}", **request)
        except httpx2.TransportError:
            return None
        if answer.status_code >= 500 or answer.status_code == 429:
            return None
        assert answer.status_code in (202, 303), answer.text
        return answer.headers["Relance-Id"]

    async def _mail(self, sent: Input) -> str | None:
        mail = mail_from(
            sent.person.email, MAILBOX, "Вопрос", f"Пишет {sent.person.name}.", f"<{sent.id}@by>"
        )
        try:
            _, answer = await aiosmtplib.send(
                mail, hostname="127.0.0.1", port=self._stack.intake_smtp_port, timeout=15
            )
        except aiosmtplib.SMTPResponseException as error:
            if error.code >= 500:
                raise
            return None
        except (aiosmtplib.SMTPException, OSError):
            return None
        return answer.rpartition(" ")[2]

    async def _publish(self, sent: Input) -> str | None:
        """An upstream system has no answer of ours: what Kafka acknowledged is accepted."""
        event = {
            "specversion": "1.0",
            "id": sent.id,
            "source": UPSTREAM,
            "type": "call.ended",
            "time": datetime.now(UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": sent.as_call(),
        }
        headers = [("content-type", b"application/cloudevents+json")]
        try:
            await self._producer.send_and_wait(
                INBOUND_CALLS.name, json.dumps(event).encode(), headers=headers
            )
        except KafkaError:
            return None
        return derived_id(TENANT, "telephony", LeadReceived.type, sent.id)

    # -- actions ---------------------------------------------------------------------------------

    async def _look(self) -> None:
        """What agents see: the newest leads, while pipeline answers."""
        key = next(iter(self._agents.values()))
        for _ in itertools.count():
            with contextlib.suppress(httpx2.TransportError):
                answer = await self._http.get(
                    f"{self._pipeline.url}/api/leads", params={"limit": "200"}, headers=_bearer(key)
                )
                if answer.is_success:
                    self._leads = [lead["id"] for lead in answer.json()["leads"]]
            await asyncio.sleep(1)

    def _next_action(self) -> Action:
        self.actions += 1
        agent = self._chance.choice(sorted(self._agents))
        what = action(self._chance)
        return Action(f"{self._name}-{self.actions}", agent, self._chance.choice(self._leads), what)

    async def _act(self, wanted: Action) -> None:
        async def attempt() -> str | None:
            try:
                answer = await self._http.post(
                    f"{self._pipeline.url}/api/leads/{wanted.lead}/actions",
                    json=wanted.what,
                    headers={
                        **_bearer(self._agents[wanted.agent]),
                        "Idempotency-Key": wanted.key,
                    },
                )
            except httpx2.TransportError:
                return None
            if answer.status_code >= 500:
                return None
            assert answer.status_code in (200, 409), answer.text
            self.books.tries[f"action {answer.status_code}"] += 1
            return derived_id(TENANT, "action", wanted.agent, wanted.key)

        self.books.acted.add(await self._until_told(attempt))


def ended(stack: Stack) -> str:
    """Which services ended by themselves, with their last words."""
    gone = [service for service in stack.services.values() if not service.child.alive]
    told = [f"{each.name} (exit {each.child.exit_code}): {each.child.tail(1)}" for each in gone]
    return f"ended by themselves: {'; '.join(told) or 'none'}"


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
