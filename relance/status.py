"""`relance status`: the whole system on one screen, for somebody woken at three in the night.

Whatever does not answer is said in its line; the rest is shown all the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import chain, zip_longest
from textwrap import wrap
from typing import Any

import asyncpg
import httpx2
from aiokafka.errors import KafkaError
from pydantic_core import from_json

from relance import database, status_rulebooks
from relance.database import CannotDo, transaction
from relance.status_rulebooks import Rulebooks
from shared.domain.count import noun
from shared.runtime import kafka, topics
from shared.runtime.kafka_refusal import refusal
from shared.runtime.postgres import Unavailable
from shared.runtime.settings import Settings

WIDTH = 80
PATIENCE_S = 3.0

_RUNTIME = """
SELECT (SELECT count(*) FROM outbox WHERE stuck IS NULL) AS outbox,
       NULL::int AS outbox_oldest_s,
       (SELECT count(*) FROM outbox WHERE stuck IS NOT NULL) AS stuck,
       (SELECT count(*) FROM parked) AS parked,
       (SELECT extract(epoch FROM now() - min(parked_at))::int FROM parked) AS parked_oldest_s,
       (SELECT count(*) FROM quarantine) AS quarantined
"""
_FIRST_TO_PUBLISH = "SELECT value FROM outbox WHERE stuck IS NULL ORDER BY id LIMIT 1"
_OWN = {
    "pipeline": """
SELECT (SELECT count(*) FROM lead WHERE status = 'open') AS open_leads,
       (SELECT extract(epoch FROM now() - min(passed_at))::int FROM watermark
         WHERE topic = 'intake.events.v1') AS gate_behind_s
""",
    "reminders": """
SELECT (SELECT count(*) FROM deadline) AS armed,
       (SELECT extract(epoch FROM now() - min(due_at))::int FROM deadline
         WHERE due_at < now()) AS oldest_overdue_s
""",
    "notifications": """
SELECT (SELECT count(*) FROM message WHERE status IN ('requested', 'held')) AS waiting,
       (SELECT count(*) FROM message WHERE status = 'sending') AS sending,
       (SELECT count(*) FROM message WHERE status = 'failed') AS failed,
       (SELECT count(*) FROM message WHERE status = 'unknown') AS unknown
""",
}
MEANINGS = {
    "stuck": ("event", "events", " that Kafka refuses for good (relance outbox list)"),
    "quarantined": ("event", "events", " set aside (relance dead-letters list)"),
    "open_leads": ("open lead", "open leads", ""),
    "gate_behind_s": ("s", "s", " ago: all that came in until then is judged"),
    "armed": ("deadline", "deadlines", " armed"),
    "oldest_overdue_s": ("s", "s", " overdue is the oldest deadline that has not fired"),
    "waiting": ("message waits", "messages wait", " (held, or to be tried again)"),
    "sending": ("message", "messages", " in hand"),
    "failed": ("message", "messages", " refused for good"),
    "unknown": ("message", "messages", " that may have gone or not: nobody knows"),
}
"""Of one service each, told below the table: after 1, after any other number, and what follows."""
WRONG = ("stuck", "quarantined", "failed", "unknown")
"""What is not nought needs a look by day; none of it stops the others."""
COLUMNS = {
    "outbox": "to publish",
    "outbox_oldest_s": "oldest",
    "parked": "parked",
    "parked_oldest_s": "oldest",
    "quarantined": "aside",
}
"""Of every service with a database, in the table."""
HEADS = ("to read", *COLUMNS.values())
_NAME, _STATE, _CELL = 15, 12, 8


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One service: whether it answers, what its tables say, what it has still to read."""

    name: str
    live: str
    ready: str
    numbers: Mapping[str, int | None] = field(default_factory=dict)
    lag: int | None = None
    problem: str | None = None
    rulebooks: Rulebooks = field(default_factory=Rulebooks)

    @property
    def state(self) -> str:
        """In a word."""
        if self.live != "live":
            return "NOT LIVE" if self.live.startswith("NOT LIVE") else "NO ANSWER"
        return self.ready if self.ready == "ready" else "NOT READY"

    @property
    def why(self) -> str:
        """What it says itself of why it is not ready."""
        if self.live != "live":
            return self.live
        return "" if self.ready == "ready" else self.ready


@dataclass(frozen=True, slots=True)
class Status:
    """Everything, as of `at`."""

    at: datetime
    kafka: str
    services: Sequence[ServiceStatus]

    @property
    def ok(self) -> bool:
        """Whether everything answers."""
        up = all(s.live == "live" and s.ready == "ready" and not s.problem for s in self.services)
        return up and self.kafka == "answers"


async def status(urls: Mapping[str, str], bootstrap: str, postgres: str | None) -> Status:
    """Ask everybody at once; nobody holds up the others for longer than a few seconds."""
    lags, told = await _lags(bootstrap)
    services = await asyncio.gather(
        *(_service(name, url, postgres, lags.get(name)) for name, url in urls.items())
    )
    return Status(datetime.now(UTC), told, services)


def as_text(seen: Status) -> str:
    """For the terminal, 80 columns."""
    verdict = "Everything answers." if seen.ok else "NOT everything answers."
    heads = "".join(f"{head:>{_width(head)}}" for head in HEADS)
    lines = [
        f"{verdict}  As of {seen.at:%Y-%m-%d %H:%M:%S} UTC.",
        "",
        *wrap(f"{'Kafka':<{_NAME}}{seen.kafka}", WIDTH, subsequent_indent=" " * _NAME),
        *_database(seen),
        "",
        f"{'':<{_NAME}}{'':<{_STATE}}{heads}",
        *(_row(service) for service in seen.services),
        "",
    ]
    of_service = {service.name: service.rulebooks for service in seen.services}
    told = [[line] for service in seen.services for line in _own(service)]
    told += _paragraphs(status_rulebooks.lines(of_service, WIDTH, _NAME + 1))
    told.sort(key=lambda each: not each[0].startswith("!"))  # what is wrong comes first
    if seen.ok and told and told[0][0].startswith("!"):
        lines[1:1] = ["What wants a look has an exclamation mark."]
    return "\n".join([*lines, *chain.from_iterable(told)]).rstrip()


def _paragraphs(lines: Iterable[str]) -> list[list[str]]:
    """Lines with those that go on from them."""
    found: list[list[str]] = []
    for line in lines:
        if line.startswith(" " * _NAME):
            found[-1].append(line)
        else:
            found.append([line])
    return found


def _database(seen: Status) -> Iterator[str]:
    """What is wrong with PostgreSQL, once however many services say so."""
    problems = dict.fromkeys(each.problem for each in seen.services if each.problem)
    for head, problem in zip_longest(["PostgreSQL"], problems or ["answers"], fillvalue=""):
        yield from wrap(
            f"{head:<{_NAME}}{problem}", WIDTH, subsequent_indent=" " * _NAME,
            drop_whitespace=True,
        )  # fmt: skip


def _row(service: ServiceStatus) -> str:
    told = [service.lag, *(service.numbers.get(name) for name in COLUMNS)]
    ages = {2, 4}
    cells = "".join(
        f"{_cell(value, is_age=place in ages):>{_width(head)}}"
        for place, (value, head) in enumerate(zip(told, HEADS, strict=True))
    )
    return f"{service.name:<{_NAME}}{service.state:<{_STATE}}{cells}".rstrip()


def _width(head: str) -> int:
    return max(_CELL, len(head) + 2)


def _cell(value: int | None, *, is_age: bool) -> str:
    if value is None:
        return "-"
    return _age(value) if is_age else str(value)


def _age(seconds: int) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _own(service: ServiceStatus) -> Iterator[str]:
    """What only this service has to tell, and where it can be reached if it does not answer."""
    if service.why:
        yield f"! {service.name:<{_NAME - 1}}{service.why}"[:WIDTH]
    for name, (one, others, more) in MEANINGS.items():
        value = service.numbers.get(name)
        if value is None or (name in WRONG and not value):
            continue
        mark = "!" if name in WRONG else " "
        words = noun(value, one, others) + more
        yield f"{mark} {service.name:<{_NAME - 1}}{value:>7} {words}"


def as_data(seen: Status) -> dict[str, Any]:
    """The same as JSON can hold it."""
    return {**asdict(seen), "at": seen.at.isoformat(), "ok": seen.ok}


async def _service(name: str, url: str, postgres: str | None, lag: int | None) -> ServiceStatus:
    live, ready = await _answers(url, "live"), await _answers(url, "ready")
    numbers: dict[str, int | None] = {}
    problem: str | None = None
    tables: dict[str, Any] = {}
    if name in database.WITH_DATABASE:
        try:
            numbers, tables = await _numbers(name, postgres)
        except (CannotDo, asyncpg.PostgresError) as error:
            problem = str(error)
    rulebooks = Rulebooks(await _in_force(url), **tables)
    return ServiceStatus(name, live, ready, numbers, lag, problem, rulebooks)


async def _in_force(url: str) -> dict[str, str] | None:
    """Which rulebook each tenant goes by there; None when it does not say."""
    try:
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as http:
            answer = await http.get(f"{url}/health/rulebooks")
            told = answer.json() if answer.is_success else None
    except (httpx2.HTTPError, OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


async def _answers(url: str, what: str) -> str:
    try:
        async with httpx2.AsyncClient(timeout=PATIENCE_S) as http:
            answer = await http.get(f"{url}/health/{what}")
    except (httpx2.HTTPError, OSError):
        return f"no answer at {url}" if what == "live" else "not ready"
    if answer.is_success:
        return what
    if what == "live":
        return f"NOT LIVE: {answer.text.strip()}"
    missing = [name for name, is_so in answer.json().items() if not is_so]
    return f"NOT READY: no {', '.join(missing)}"


async def _numbers(name: str, postgres: str | None) -> tuple[dict[str, int | None], dict[str, Any]]:
    """What its tables say in numbers, and of rulebooks."""
    async with transaction(name, postgres) as tx:
        runtime = await tx.fetchrow(_RUNTIME)
        own = await tx.fetchrow(_OWN[name])
        first = await tx.fetchval(_FIRST_TO_PUBLISH)
        rulebooks = await status_rulebooks.stored(tx)
    told = {**dict(runtime or {}), **dict(own or {})}
    return {**told, "outbox_oldest_s": _age_s(first)}, rulebooks


def _age_s(value: bytes | None) -> int | None:
    """How long ago happened what an event tells; None where that cannot be told."""
    try:
        time = datetime.fromisoformat(from_json(value or b"")["time"])
    except (ValueError, KeyError, TypeError):
        return None
    return max(0, int((datetime.now(UTC) - time).total_seconds()))


async def _lags(bootstrap: str) -> tuple[dict[str, int], str]:
    """Records to read by service, and whether Kafka answers."""
    settings = Settings.read().model_copy(
        update={"kafka": bootstrap, "dependency_deadline_s": PATIENCE_S}
    )
    reader = kafka.reader(settings)
    lags: dict[str, int] = {}
    try:
        await reader.start()
        async with topics.administrator(settings) as admin:
            for group, *_ in await admin.list_consumer_groups():
                offsets = await admin.list_consumer_group_offsets(group)
                ends = await reader.end_offsets(list(offsets))
                behind = sum(max(0, ends[tp] - o.offset) for tp, o in offsets.items())
                service = group.partition(".")[0]
                lags[service] = lags.get(service, 0) + behind
    except (KafkaError, OSError, Unavailable) as error:
        why = await refusal(settings)
        return {}, why or f"no answer at {bootstrap} ({type(error).__name__})"
    finally:
        await reader.stop()
    return lags, "answers"
