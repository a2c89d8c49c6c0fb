"""Between clients and one broker: answers that come late, or never.

A lost answer is the hard case: the broker has done what it was asked, and nobody hears of it.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from pathlib import Path

from relance.stack.broker import Broker
from relance.stack.home import Home
from relance.stack.kafka import Kafka
from relance.stack.kafka_settings import Seat, as_properties, broker_settings
from relance.stack.port import LOOPBACK, free_port

_CHUNK = 64 * 1024


class Proxy:
    """Passes bytes on; `delay_s` holds answers back, `lose` of them (a share) cut the line."""

    def __init__(self, port: int, target: int, seed: int) -> None:
        self.delay_s, self.lose = 0.0, 0.0
        self.lost = 0
        self._port, self._target = port, target
        self._chance = random.Random(seed)
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._line, LOOPBACK, self._port)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for line in tuple(self._lines):
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        await self._server.wait_closed()

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)
        there: asyncio.StreamWriter | None = None
        try:
            answers, there = await asyncio.open_connection(LOOPBACK, self._target)
            asking = asyncio.create_task(_pass_on(reader, there))
            with suppress(OSError):
                await self._answer(answers, writer)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, there):
                if each is not None:
                    each.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if self.delay_s:
                await asyncio.sleep(self.delay_s * self._chance.uniform(0.5, 1.5))
            if self._chance.random() < self.lose:
                self.lost += 1
                return
            writer.write(data)
            await writer.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()


class ProxiedBroker(Broker):
    """Tells clients to come in by the proxy's port."""

    def __init__(self, home: Home, door: int) -> None:
        super().__init__(home, 1)
        self.door = door

    def _configure(self, data: Path, seat: Seat) -> Path:
        door = f"CLIENT://{LOOPBACK}:{self.door}"
        settings = broker_settings(data, seat) | {"advertised.listeners": door}
        self._properties.write_text(as_properties(settings))
        return self._properties


class ProxiedKafka(Kafka):
    """One broker behind a proxy; `bootstrap` is the proxy's address."""

    def __init__(self, home: Home, seed: int) -> None:
        super().__init__(home, say=print)
        self._door, self._seed = free_port(), seed
        self.brokers = [ProxiedBroker(home, self._door)]

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._door}"

    async def proxy(self) -> Proxy:
        """Started; the broker must run."""
        proxy = Proxy(self._door, self.port, self._seed)
        await proxy.start()
        return proxy
