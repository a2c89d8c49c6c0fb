"""The long form: one fault after the other on the same stack, each under load, each audited."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx2

from relance.audit import Report
from relance.promises.finding import FAULTS, Fault
from relance.stack.stack import SERVICES, Stack
from tests.faults.fire import Fire, Recovery
from tests.faults.ground import Verdict, judged
from tests.faults.load import Books, Load

HANDS = 2
"""Mails that notifications has in hand at once (RELANCE_SMTP_AT_ONCE): a kill can hit both."""
MISHAP_EVERY_S = 0.7
MISHAPS_AT_ONCE = 2


@dataclass(frozen=True)
class Scourge:
    """One kind of fault and how often: kills, crashes, or answers of providers that go wrong."""

    name: str
    kills: int = 0
    services: Sequence[str] = SERVICES
    crashes: int = 0
    sms: dict[str, Any] = field(default_factory=dict)
    mail: dict[str, Any] = field(default_factory=dict)
    mishaps: int = 0

    @property
    def runs(self) -> int:
        return self.kills + self.crashes + self.mishaps

    @property
    def unknown_at_most(self) -> int:
        """Messages of which nobody can tell: in hand when notifications was killed, when the
        database went away for longer than a lease, or when the mail server cut the answer off."""
        kills = self.kills // len(self.services) if "notifications" in self.services else 0
        cut_off = self.mishaps * MISHAPS_AT_ONCE if self.mail.get("drop_after_data") else 0
        return (kills + self.crashes) * HANDS + cut_off


@dataclass(frozen=True)
class Row:
    """What a fault did: new findings by kind, and how long the slowest recovery took."""

    fault: str
    runs: int
    inputs: int
    actions: int
    found: dict[str, int]
    unknown: int
    twice: int
    missing: int
    slowest_recovery_s: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def as_line(self) -> str:
        found = [self.found[fault] for fault in SHOWN]
        other = sum(self.found.values()) - sum(found)
        cells = [self.runs, self.inputs, self.actions, *found, other]
        cells += [self.unknown, self.twice, self.missing]
        numbers = "".join(f"{cell:>11}" for cell in cells)
        return f"{self.fault:<34}{numbers}{self.slowest_recovery_s:>10.1f} s"


SHOWN: tuple[Fault, ...] = ("lost", "repeated", "disordered", "stuck")
COLUMNS = (
    "runs",
    "inputs",
    "actions",
    *SHOWN,
    "other",
    "unknown",
    "twice",
    "missing",
)
HEAD = f"{'fault':<34}{''.join(f'{name:>11}' for name in COLUMNS)}{'slowest':>12}"


class Plague:
    """A stack on which scourge follows scourge; the books of all of them are kept together."""

    def __init__(self, stack: Stack, agents: dict[str, str], seed: int) -> None:
        self.books = Books()
        self.rows: list[Row] = []
        self.verdict: Verdict | None = None
        self._stack, self._agents, self._seed = stack, agents, seed

    async def visit(self, scourge: Scourge, *, at_least: int, per_s: float) -> Row:
        """Let it rage under load, wait for quiet, audit everything from the beginning."""
        seed = self._seed + len(self.rows)
        load = Load(self._stack, self._agents, seed, self.books)
        out = asyncio.Event()
        sending = asyncio.create_task(load.run(out, at_least=at_least, per_s=per_s))
        recoveries = await self._rage(scourge, Fire(self._stack, seed))
        out.set()
        await sending
        before = self.verdict.report if self.verdict else None
        self.verdict = await judged(self._stack, self.books)
        row = _row(scourge, load, recoveries, self.verdict.report, before)
        self.rows.append(row)
        return row

    async def _rage(self, scourge: Scourge, fire: Fire) -> list[Recovery]:
        kills = fire.rage(kills=scourge.kills, services=scourge.services, crashes=scourge.crashes)
        recoveries, *_ = await asyncio.gather(kills, self._misbehave(scourge))
        await self._until_done(self._behave)
        return recoveries

    async def _misbehave(self, scourge: Scourge) -> None:
        for _ in range(scourge.mishaps):
            with contextlib.suppress(OSError, httpx2.HTTPError):
                if scourge.mail:
                    await asyncio.to_thread(
                        self._stack.mail.behave, **scourge.mail, times=MISHAPS_AT_ONCE
                    )
                if scourge.sms:
                    await self._sandbox(dict.fromkeys(scourge.sms, MISHAPS_AT_ONCE))
            await asyncio.sleep(MISHAP_EVERY_S)

    async def _behave(self) -> None:
        await asyncio.to_thread(self._stack.mail.behave)
        await self._sandbox({})

    async def _sandbox(self, behaviour: dict[str, Any]) -> None:
        url = f"{self._stack.services['notifications'].url}/sandbox/behaviour"
        async with httpx2.AsyncClient(timeout=10) as http:
            (await http.put(url, json=behaviour)).raise_for_status()

    async def _until_done(self, work: Callable[[], Awaitable[None]]) -> None:
        async with asyncio.timeout(30):
            while True:
                with contextlib.suppress(OSError, httpx2.HTTPError):
                    await work()
                    return
                await asyncio.sleep(0.2)


def _row(
    scourge: Scourge,
    load: Load,
    recoveries: Sequence[Recovery],
    report: Report,
    before: Report | None,
) -> Row:
    known = set(before.findings) if before else set()
    new = [finding for finding in report.findings if finding not in known]

    def more(count: str) -> int:
        return report.counts[count] - (before.counts[count] if before else 0)

    return Row(
        fault=scourge.name,
        runs=scourge.runs,
        inputs=load.inputs,
        actions=load.actions,
        found={fault: sum(each.fault == fault for each in new) for fault in FAULTS},
        unknown=more("messages_unknown"),
        twice=more("messages_twice"),
        missing=more("messages_missing"),
        slowest_recovery_s=round(max((each.seconds for each in recoveries), default=0), 1),
    )
