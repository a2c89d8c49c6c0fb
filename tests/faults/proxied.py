"""Kafka whose answers come late or get lost on the way, for an office."""

from __future__ import annotations

import asyncio
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

from relance.stack.postgres import Postgres
from tests.faults.office import Ground, Office
from tests.faults.office_faults import Fault
from tests.faults.office_visit import visit
from tests.faults.proxy import ProxiedKafka, Proxy
from tests.faults.row import Row
from tests.stack import temporary_home

SECONDS = 8.0


@dataclass(frozen=True)
class Answers:
    """How Kafka's answers fare for some seconds, and how often."""

    name: str
    delay_s: float = 0.0
    lose: float = 0.0
    times: int = 3


PROXIED = (
    Answers("Kafka's answers 0.5 s late", delay_s=0.5),
    Answers("every 20th answer of Kafka lost", lose=0.05),
)


async def visit_by_proxy(answers: Answers, name: str, seed: int) -> Row:
    """Everybody, the members and those who tell them, reaches Kafka by the proxy."""
    home = temporary_home()
    kafka, postgres = ProxiedKafka(home, seed), Postgres(home)
    try:
        await asyncio.gather(asyncio.to_thread(kafka.start), asyncio.to_thread(postgres.start))
        proxy = await kafka.proxy()
        folder = Path(tempfile.mkdtemp(prefix="relance-office-"))
        fault = Fault(answers.name, _once(proxy, answers), answers.times, per_s=150)
        row = await visit(Ground(kafka, postgres, "relance", folder), name, fault, seed)
        await proxy.stop()
        assert not answers.lose or proxy.lost > answers.times, "no answer was lost"
    finally:
        await asyncio.gather(asyncio.to_thread(kafka.kill), asyncio.to_thread(postgres.stop))
        home.remove()
    return row


def _once(proxy: Proxy, answers: Answers):  # type: ignore[no-untyped-def]  # as `Once`
    async def once(office: Office, chance: random.Random) -> None:
        proxy.delay_s, proxy.lose = answers.delay_s, answers.lose
        await asyncio.sleep(SECONDS)
        proxy.delay_s, proxy.lose = 0.0, 0.0

    return once
