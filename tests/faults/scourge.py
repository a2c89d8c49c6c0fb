"""The long form: one fault after the other on the same stack, each under load, each audited."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import httpx2

from relance.audit import Report
from relance.stack.stack import SERVICES, Stack
from tests.faults.fire import Fire
from tests.faults.ground import Verdict, judged
from tests.faults.load import Books, Load
from tests.faults.recovery import Recovery
from tests.faults.row import Row
from tests.faults.whole_faults import Hit

MISHAP_EVERY_S = 0.7
MISHAPS_AT_ONCE = 2


@contextlib.contextmanager
def _nothing(stack: Stack) -> Iterator[None]:
    """Nothing need be prepared."""
    yield


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
    hit: Hit | None = None
    hits: int = 0
    around: Callable[[Stack], AbstractContextManager[None]] = _nothing

    @property
    def runs(self) -> int:
        return self.kills + self.crashes + self.mishaps + self.hits

    @property
    def cut_off(self) -> int:
        """Mails whose answer the mail server cuts off, at most."""
        return self.mishaps * MISHAPS_AT_ONCE if self.mail.get("drop_after_data") else 0


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
        began = monotonic()
        load = Load(self._stack, self._agents, seed, self.books)
        with scourge.around(self._stack):
            out = asyncio.Event()
            sending = asyncio.create_task(load.run(out, at_least=at_least, per_s=per_s))
            fire = Fire(self._stack, seed)
            recoveries = await self._rage(scourge, fire)
            out.set()
            await sending
        before = self.verdict.report if self.verdict else None
        self.verdict = await judged(self._stack, self.books)
        in_hand = len(fire.in_hand) + scourge.cut_off
        row = _row(scourge, recoveries, self.verdict.report, before, in_hand)
        row = replace(row, took_s=round(monotonic() - began, 1))
        self.rows.append(row)
        return row

    async def _rage(self, scourge: Scourge, fire: Fire) -> list[Recovery]:
        kills = fire.rage(kills=scourge.kills, services=scourge.services, crashes=scourge.crashes)
        hits = fire.hit(scourge.hit, scourge.hits)
        recoveries, *_ = await asyncio.gather(kills, self._misbehave(scourge), hits)
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
    recoveries: Sequence[Recovery],
    report: Report,
    before: Report | None,
    in_hand: int,
) -> Row:
    known = set(before.findings) if before else set()
    new = Counter(finding.fault for finding in report.findings if finding not in known)

    def more(count: str) -> int:
        return report.counts[count] - (before.counts[count] if before else 0)

    return Row(
        fault=scourge.name,
        on="whole",
        runs=scourge.runs,
        events=more("events"),
        lost=new["lost"] + new["untold"],
        repeated=new["repeated"] + new["told_twice"],
        disordered=new["disordered"] + new["without_cause"],
        stuck=new["stuck"] + new["set_aside"],
        unknown=more("messages_unknown"),
        recovery_s=round(max(each.seconds for each in recoveries), 1) if recoveries else None,
        in_hand=in_hand,
        note=_in_words(
            in_hand, more("messages_unknown"), more("messages_twice"), more("messages_missing")
        ),
    )


def _in_words(in_hand: int, unknown: int, twice: int, missing: int) -> str:
    if not unknown:
        return ""
    return (
        f"{in_hand} were in hand when it was hit; of the {unknown} unknown {twice} went twice and "
        f"{missing} not at all"
    )
