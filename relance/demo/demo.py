"""`relance demo`: the main job from end to end on the real stack, told, and checked.

Everything is real but the people: Kafka, PostgreSQL, an SMTP server that catches mail, the SMS
sandbox and the four services. Only time steps, so two days take seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic

from relance import directory
from relance.audit import audit
from relance.causal_order import in_order
from relance.demo.agents import at_work
from relance.demo.checks import Check, Played, check
from relance.demo.inbox import received
from relance.demo.screen import Screen
from relance.demo.script import END, SCENES, START, ZONE, Cast, Scene
from relance.ledgers import read_ledgers
from relance.outside import Outside
from relance.simulation.company import read_company
from relance.stack.home import Home
from relance.stack.stack import RULEBOOK, Stack
from relance.stack.surroundings import LOCAL_SECRET
from relance.stepper import Stepper
from relance.story import Sheet, Teller
from relance.topic_reader import TopicReader
from shared.contract.envelope import Envelope
from shared.contract.pipeline import LeadAssigned, LeadCreated
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS
from shared.domain.count import counted
from shared.runtime.clock import ClockFile

TOPICS = (INTAKE, PIPELINE, REMINDERS, NOTIFICATIONS)
AGENTS = ("anna", "boris", "boss")


@dataclass
class Timing:
    """Seconds of real time by part: setup (Kafka and PostgreSQL), start (services), run."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Count what happens inside towards `part`."""
        start = monotonic()
        yield
        self.seconds[part] = self.seconds.get(part, 0) + monotonic() - start


def demo(json_file: Path | None = None) -> int:
    """Play the demo; return 0 only if all its checks hold. `json_file` gets it as data."""
    screen, timing = Screen(), Timing()
    home = Home(Home.of_checkout().folder / "demo")
    home.remove()
    home.prepare()
    clock_file = home.folder / "clock"
    ClockFile.create(clock_file, START)
    stack = Stack(home, clock_file=clock_file, say=screen.step)
    screen.title("Relance: two days at Axelerator in Minsk")
    stack.start()
    timing.seconds |= stack.took_s
    try:
        played = asyncio.run(_play(stack, clock_file, screen, timing))
    finally:
        screen.step("Stopping everything …")
        stack.stop()
    return _conclude(played, screen, timing, json_file)


async def _play(stack: Stack, clock_file: Path, screen: Screen, timing: Timing) -> Played:
    kafka, postgres = stack.kafka.bootstrap, stack.postgres.dsn("pipeline")
    urls = {name: service.url for name, service in stack.services.items()}
    company = read_company(RULEBOOK)
    with timing.of("start"):
        directory.apply(RULEBOOK / "directory.toml", urls["intake"], LOCAL_SECRET)
        agents = await at_work(
            AGENTS, tenant=company.book.tenant, postgres=postgres, pipeline_url=urls["pipeline"]
        )
    smtp = ("127.0.0.1", stack.intake_smtp_port)
    async with (
        Outside(intake_url=urls["intake"], smtp=smtp, kafka=kafka, secret=LOCAL_SECRET) as outside,
        TopicReader(kafka, TOPICS) as reader,
        Stepper(list(urls.values()), kafka, clock_file) as stepper,
    ):
        onlooker = _Onlooker(reader, Sheet(Teller(ZONE, company.names())), screen)
        screen.columns()
        with timing.of("run"):
            await _perform(Cast(outside, agents, onlooker.lead_of), stepper, onlooker)
    ledgers = await read_ledgers(
        kafka=stack.kafka.bootstrap,
        postgres=stack.postgres.dsn(),
        mail_url=stack.mail.url,
        sms_url=stack.services["notifications"].url,
    )
    messages = await received(stack.mail.url, stack.services["notifications"].url, onlooker.events)
    return Played(onlooker.events, messages, audit(ledgers), ZONE)


async def _perform(cast: Cast, stepper: Stepper, onlooker: _Onlooker) -> None:
    """Scene by scene; between two of them the clock stops at every planned instant."""
    for scene in SCENES:
        while await stepper.step_to_next(scene.at):
            await onlooker.tell()
        onlooker.announce(scene)
        await scene.play(cast)
        await stepper.settle()
        await onlooker.tell()
    while await stepper.step_to_next(END):
        await onlooker.tell()


class _Onlooker:
    """Reads the topics as the demo goes on and tells what is new."""

    def __init__(self, reader: TopicReader, sheet: Sheet, screen: Screen) -> None:
        self.events: list[Envelope] = []
        self._reader, self._sheet, self._screen = reader, sheet, screen

    async def tell(self) -> None:
        """Print what has happened since the last call, in the order of cause and effect."""
        new = in_order([envelope for _, envelope in await self._reader.new()])
        self.events += new
        self._screen.lines(self._sheet.add(new))

    def announce(self, scene: Scene) -> None:
        """Say what is done by hand now."""
        self._screen.lines(self._sheet.begin(scene.at.date()))
        self._screen.scene(scene.at, scene.says)

    def lead_of(self, point: str) -> tuple[str, str]:
        """The lead and its owner whose contact has this phone or e-mail."""
        lead = next(
            e.subject
            for e in reversed(self.events)
            if isinstance(e.data, LeadCreated) and point in {p.value for p in e.data.points}
        )
        owners = [
            e.data.owner
            for e in self.events
            if e.subject == lead and isinstance(e.data, LeadAssigned)
        ]
        return lead, owners[-1]


def _conclude(played: Played, screen: Screen, timing: Timing, json_file: Path | None) -> int:
    checks = check(played)
    screen.title("What people received")
    screen.messages(played.messages)
    counts = played.audit.counts
    figures = (
        counted(counts["leads"], "lead"),
        counted(counts["events"], "event"),
        counted(len(played.messages), "message"),
    )
    screen.summary(
        checks,
        " · ".join(figures),
        " · ".join(f"{part} {seconds:.1f} s" for part, seconds in timing.seconds.items()),
    )
    ok = all(each.ok for each in checks)
    if json_file is not None:
        json_file.write_text(_as_json(played, checks, ok, timing), encoding="utf-8")
    return 0 if ok else 1


def _as_json(played: Played, checks: list[Check], ok: bool, timing: Timing) -> str:
    counts = played.audit.counts
    document = {
        "ok": ok,
        "checks": [asdict(each) for each in checks],
        "leads": counts["leads"],
        "events": counts["events"],
        "messages": [
            {"channel": m.channel, "to": m.to, "template": m.template, "text": m.text}
            for m in played.messages
        ],
        "seconds": {part: round(took, 2) for part, took in timing.seconds.items()},
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"
