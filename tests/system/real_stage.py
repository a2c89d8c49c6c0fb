"""The real stack as a stage: cues go in at its doors and its API, time steps, events come out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import asyncpg
import httpx2

from relance import directory
from relance.outside import Outside
from relance.simulation.cue import Acted, Cue, Declared, Received
from relance.simulation.input import Input
from relance.simulation.notifications import LINKS
from relance.simulation.world import HASH_KEY
from relance.stack.home import Home
from relance.stack.stack import Stack
from relance.stack.surroundings import LOCAL_SECRET
from relance.stepper import Stepper
from relance.topic_reader import read_to_end
from services.pipeline import keys
from services.pipeline.core.action import CreateLead
from shared.contract.directory import Document, kind_of
from shared.contract.envelope import Envelope
from shared.contract.topics import INTAKE, NOTIFICATIONS, PIPELINE, REMINDERS
from shared.domain.rulebook.source import Source
from shared.runtime.clock import ClockFile
from tests.system.ensemble import Moment, Play

EVENTS = (INTAKE, PIPELINE, REMINDERS, NOTIFICATIONS)
TIMEOUT_S = 20


def events_of(play: Play, rulebook: Path, home: Home) -> list[Envelope]:
    """Everything that a fresh stack under that rulebook says when the play is played on it."""
    home.prepare()
    clock_file = home.folder / "clock"
    ClockFile.create(clock_file, play.start)
    settings = {
        "intake": {"RELANCE_HASH_KEY": HASH_KEY.decode()},
        "notifications": {"RELANCE_ANSWER_URL": LINKS.url, "RELANCE_LINK_KEY": LINKS.key.decode()},
        "pipeline": {"RELANCE_LINK_KEY": LINKS.key.decode()},
    }
    with Stack(home, clock_file=clock_file, rulebook=rulebook, settings=settings) as stack:
        return asyncio.run(_played(play, rulebook, stack, clock_file))


async def _played(play: Play, rulebook: Path, stack: Stack, clock_file: Path) -> list[Envelope]:
    urls = {name: service.url for name, service in stack.services.items()}
    kafka, smtp = stack.kafka.bootstrap, ("127.0.0.1", stack.intake_smtp_port)
    directory.apply(rulebook / "directory.toml", urls["intake"], LOCAL_SECRET)
    agents = {cue.by for moment in play.moments for cue in _acts(moment)}
    async with (
        Outside(intake_url=urls["intake"], smtp=smtp, kafka=kafka, secret=LOCAL_SECRET) as outside,
        Stepper(list(urls.values()), kafka, clock_file) as stepper,
        # Servers close what lay idle for 5 s: on a busy machine just while it is used again.
        httpx2.AsyncClient(timeout=TIMEOUT_S, limits=httpx2.Limits(keepalive_expiry=2)) as http,
    ):
        stage = _Stage(outside, http, urls, await _keys(stack, play.world.tenant, agents))
        await stepper.settle()
        for moment in play.moments:
            await stepper.run_until(moment.at)
            for together in moment.rounds:
                await asyncio.gather(*(stage.perform(cue) for cue in together))
                await stepper.settle()
    by_topic = await read_to_end(kafka, EVENTS)
    return [event for events in by_topic.values() for event in events]


def _acts(moment: Moment) -> Iterable[Acted]:
    return (cue for one in moment.rounds for cue in one if isinstance(cue, Acted))


async def _keys(stack: Stack, tenant: str, agents: Iterable[str]) -> dict[str, str]:
    pipeline = stack.postgres.dsn("pipeline")
    async with asyncpg.create_pool(pipeline, min_size=1, max_size=1) as pool, pool.acquire() as tx:
        return {
            agent: await keys.create(tx, tenant=tenant, agent=agent, name="play")
            for agent in sorted(agents)
        }


def _origin(source: Source) -> str:
    """The page of the company's own that the form stands on."""
    return source.origins[0] if source.origins else "https://www.example.com"


class _Stage:
    def __init__(
        self,
        outside: Outside,
        http: httpx2.AsyncClient,
        urls: dict[str, str],
        keys: dict[str, str],
    ) -> None:
        self._outside, self._http, self._urls, self._keys = outside, http, urls, keys

    async def perform(self, cue: Cue) -> None:
        """One thing from outside, as it really comes."""
        if isinstance(cue, Received):
            await self._receive(cue.sent, cue)
        elif isinstance(cue, Acted):
            await self._act(cue)
        elif isinstance(cue, Declared):
            for document in cue.documents:
                await self._put(document)

    async def _receive(self, sent: Input, cue: Cue) -> None:
        source = sent.source
        if sent.mail is not None:
            await self._outside.mail(sent.mail)
            return
        if sent.sms is not None:
            answer = await self._outside.sms(source.id, dict(sent.sms))
        elif sent.file is not None:
            answer = await self._outside.file(source.id, sent.file)
        elif sent.call is None:
            answer = await self._outside.form(source.id, _origin(source), dict(sent.form))
        elif source.doors[0] == "http":
            answer = await self._outside.call(source.id, dict(sent.call))
        else:
            upstream = source.cloudevents_source or source.id
            await self._outside.publish_call(upstream, sent.id, cue.at, dict(sent.call))
            return
        assert answer.status_code in (200, 202, 303), answer.text

    async def _act(self, cue: Acted) -> None:
        is_new = isinstance(cue.action, CreateLead)
        path = "/api/leads" if is_new else f"/api/leads/{cue.lead}/actions"
        answer = await self._http.post(
            f"{self._urls['pipeline']}{path}",
            json=cue.action.model_dump(mode="json", by_alias=True, exclude_none=True),
            headers={
                "Authorization": f"Bearer {self._keys[cue.by]}",
                "Idempotency-Key": cue.key,
            },
        )
        assert answer.status_code in (200, 404, 409), answer.text

    async def _put(self, document: Document) -> None:
        answer = await self._http.put(
            f"{self._urls['intake']}/directory/{kind_of(document)}/{document.id}",
            json=document.model_dump(mode="json", exclude={"because"}),
            headers={"Authorization": f"Bearer {LOCAL_SECRET}"},
        )
        assert answer.is_success, answer.text
