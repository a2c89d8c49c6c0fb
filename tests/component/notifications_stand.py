"""notifications as two processes on real Kafka and PostgreSQL, between a mail catcher and an SMS
provider that can be told to misbehave. The test plays pipeline."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any, Literal, TypeVar

import asyncpg
import httpx2
from aiokafka import TopicPartition
from pydantic import SecretStr

from relance.stack.mail import Mail
from relance.stepper import Stepper
from services.notifications.settings import NotificationsSettings
from shared.contract import topics
from shared.contract.directory import Document, key_of
from shared.contract.envelope import Envelope, Event
from shared.contract.notifications import MessageEvent
from shared.contract.topics import decode
from shared.runtime import kafka
from shared.runtime.clock import ClockFile
from tests.toy.process import Process

LIMIT_S = 20
FACTORY_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TENANT = "small"
M = TypeVar("M", bound=MessageEvent)

Answer = Literal["take", "503", "400", "500 untaken", "500 taken", "cut taken", "slow taken"]


class SmsProvider:
    """An SMS provider: what it took, how often, and what it does with the next messages."""

    def __init__(self, slow_s: float = 2.5) -> None:
        self.taken: Counter[str] = Counter()
        self.texts: dict[str, str] = {}
        self.token: str | None = None
        self.asked = 0
        self.next: list[Answer] = []
        self.on_taken: Callable[[], None] = lambda: None
        self.slow_s = slow_s
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                provider.token = self.headers["authorization"]
                provider.take(self, body)

            def do_GET(self) -> None:
                provider.asked += 1
                id_ = self.path.rpartition("/")[2]
                provider.say(self, 200 if id_ in provider.taken else 404, {"id": f"p-{id_[:8]}"})

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/sms"

    def take(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        answer = self.next.pop(0) if self.next else "take"
        if answer in ("503", "400", "500 untaken"):
            self.say(handler, int(answer[:3]), {"why": "as the test asked"})
            return
        self.taken[body["id"]] += 1
        self.texts[body["id"]] = body["text"]
        self.on_taken()
        if answer == "cut taken":
            handler.close_connection = True
            handler.connection.close()
            return
        if answer == "slow taken":
            threading.Event().wait(self.slow_s)
        status = 500 if answer == "500 taken" else 201
        self.say(handler, status, {"id": f"p-{body['id'][:8]}"})

    def say(self, handler: BaseHTTPRequestHandler, status: int, body: object) -> None:
        said = json.dumps(body).encode()
        try:
            handler.send_response(status)
            handler.send_header("content-length", str(len(said)))
            handler.end_headers()
            handler.wfile.write(said)
        except OSError:
            handler.close_connection = True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Receiver:
    """Another system: what it was told, and its answers to the next hand-offs."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.next: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                named = {name.lower(): value for name, value in self.headers.items()}
                receiver.told.append((named, body))
                self.send_response(receiver.next.pop(0) if receiver.next else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/in"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Stand:
    """Two replicas, their clock, their providers and their neighbour."""

    def __init__(
        self, *, kafka_at: str, dsn: str, rulebook: Path, folder: Path, mail: Mail, start: datetime
    ) -> None:
        self.mail, self.sms, self.factory = mail, SmsProvider(), Receiver()
        self.clock_file = folder / "clock"
        self.clock = ClockFile.create(self.clock_file, start)
        self.kafka_at = kafka_at
        self.settings = NotificationsSettings(kafka=kafka_at, postgres=SecretStr(dsn))
        environment = {
            "RELANCE_KAFKA": kafka_at,
            "RELANCE_POSTGRES": dsn,
            "RELANCE_RULEBOOK": str(rulebook),
            "RELANCE_CLOCK_FILE": str(self.clock_file),
            "RELANCE_MIGRATE": "true",
            "RELANCE_SMTP_HOST": "127.0.0.1",
            "RELANCE_SMTP_PORT": str(mail.smtp_port),
            "RELANCE_SMTP_FROM": "crm@small.example",
            "RELANCE_SMS_URL": self.sms.url,
            "RELANCE_SMS_TOKEN": "a-token",
            "FACTORY_URL": self.factory.url,
            "FACTORY_SECRET": FACTORY_SECRET,
            "RELANCE_PROVIDER_TIMEOUT_S": "1",
            "RELANCE_LEASE_S": "3",
            "RELANCE_RETRY_FIRST_S": "0.05",
            "RELANCE_ATTEMPTS_AT_MOST": "5",
        }
        self.replicas = [
            Process("services.notifications", environment, folder / f"log-{number}")
            for number in (1, 2)
        ]
        self.producer = kafka.producer(
            self.settings, client_id="neighbours", request_timeout_ms=5_000
        )
        self.reader = kafka.reader(self.settings)
        self.heard: list[Envelope] = []
        self._sequences: Counter[str] = Counter()

    async def open(self, documents: list[Document]) -> None:
        await self.producer.start()
        await self.know(*documents)
        await self.reader.start()
        partitions = range(topics.NOTIFICATIONS.partitions)
        self.reader.assign([TopicPartition(topics.NOTIFICATIONS.name, n) for n in partitions])
        await self.start()

    async def know(self, *documents: Document) -> None:
        """The directory says so."""
        for document in documents:
            envelope = self.envelope(document, document.id, source="/intake")
            key = key_of(TENANT, document).encode()
            await self.producer.send_and_wait(topics.DIRECTORY.name, envelope.to_bytes(), key=key)

    async def start(self) -> None:
        for replica in self.replicas:
            replica.start()
        for replica in self.replicas:
            await asyncio.to_thread(replica.wait_ready, 60)

    async def close(self) -> None:
        for replica in self.replicas:
            replica.kill()
        self.sms.close()
        self.factory.close()
        await self.reader.stop()
        await self.producer.stop()

    async def settle(self) -> datetime | None:
        """Until all that was asked for has taken effect; what comes next."""
        async with self._stepper() as stepper:
            return await stepper.settle()

    async def until(self, instant: datetime) -> None:
        """Time passes."""
        async with self._stepper() as stepper:
            await stepper.run_until(instant)

    async def kept_of(self, message: str, *words: str) -> int:
        """How many rows of messages still hold one of these words."""
        session = await asyncpg.connect(self.settings.postgres.get_secret_value())
        try:
            found: int = await session.fetchval(
                "select count(*) from message m where id = $1 and m::text like any ($2)",
                message,
                [f"%{word}%" for word in words],
            )
        finally:
            await session.close()
        return found

    def _stepper(self) -> Stepper:
        return Stepper(
            [replica.url for replica in self.replicas],
            self.kafka_at,
            self.clock_file,
            limit_s=LIMIT_S,
        )

    # -- what pipeline says, and what is told ----------------------------------------------------

    async def say(self, lead: str, data: Event) -> None:
        """pipeline says it of a lead."""
        self._sequences[lead] += 1
        said = self.envelope(data, lead, source="/pipeline", sequence=self._sequences[lead])
        await self.producer.send_and_wait(topics.PIPELINE.name, said.to_bytes(), key=lead.encode())

    def envelope(
        self, data: Event, subject: str, *, source: str, sequence: int | None = None
    ) -> Envelope:
        return Envelope(
            id=str(uuid.uuid4()),
            source=source,
            type=data.type,
            subject=subject,
            time=self.clock.now(),
            tenant=TENANT,
            sequence=sequence,
            data=data,
        )

    async def told(self, lead: str, type_: type[M], times: int = 1) -> list[M]:
        """Everything of that type told of a lead: at least `times` events, waited for."""
        limit = monotonic() + LIMIT_S
        while True:
            await self._listen()
            found = [e.data for e in self.heard if e.subject == lead and isinstance(e.data, type_)]
            if len(found) >= times:
                return found
            assert monotonic() < limit, f"told only {found}; {self.logs()}"

    async def _listen(self) -> None:
        ends = await self.reader.end_offsets(list(self.reader.assignment()))
        while any([await self.reader.position(tp) < end for tp, end in ends.items()]):
            for records in (await self.reader.getmany(timeout_ms=100)).values():
                self.heard += [decode(record.value) for record in records]

    def mails(self, notification: str) -> list[dict[str, Any]]:
        """What the mail server kept of one message, by its Message-ID."""
        wanted = f"<{notification}@small.example>"
        return [m for m in self.mail.messages() if m["headers"].get("Message-ID") == wanted]

    def holder(self, channel: str) -> Process | None:
        """The replica that is handing over a message of this channel, if one is."""
        busy = f'relance_messages_in_hand{{channel="{channel}"}}'
        return next((r for r in self.replicas if metric(r, busy)), None)

    def logs(self) -> str:
        return "\n".join(replica.log.read_text()[-2000:] for replica in self.replicas)


def metric(replica: Process, start: str) -> float:
    """The sum of a process's metrics whose line starts so."""
    page = httpx2.get(f"{replica.url}/metrics", trust_env=False).text
    lines = [line for line in page.splitlines() if line.startswith(start)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
