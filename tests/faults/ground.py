"""The stack that is set on fire, and what is asked of it afterwards."""

import asyncio
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from relance import database
from relance.audit import Ledgers, Report, audit
from relance.example_company import open_example
from relance.ledgers import read_ledgers
from relance.stack.stack import RULEBOOK, Stack
from relance.stepper import Stepper
from services.notifications.core.request import handle
from services.pipeline import keys
from shared.contract.pipeline import NotificationRequested
from shared.contract.topics import PIPELINE
from shared.runtime import rulebook_folder
from shared.runtime.clock import ClockFile
from tests.faults.load import TENANT, Books, ended
from tests.faults.people import AGENTS
from tests.stack import temporary_home

QUIET_LIMIT_S = 120.0

# What a crash left unclear is looked after soon.
_NOTIFICATIONS = {
    "RELANCE_PROVIDER_TIMEOUT_S": "3",  # a busy machine is no provider in doubt
    "RELANCE_LEASE_S": "9",
    "RELANCE_RETRY_FIRST_S": "0.2",
    "RELANCE_RETRY_LONGEST_S": "2",
}
_INTAKE = {"RELANCE_SOURCE_BURST": "100000", "RELANCE_SOURCE_RATE_PER_S": "10000"}


@dataclass(frozen=True)
class Verdict:
    """The audit after a fire, and the ledgers it compared."""

    ledgers: Ledgers
    report: Report

    @property
    def twice_or_missing(self) -> int:
        return self.report.counts["messages_twice"] + self.report.counts["messages_missing"]

    @property
    def unknown(self) -> int:
        return self.report.counts["messages_unknown"]

    def first_findings(self, many: int = 20) -> str:
        """For an assertion's message."""
        return "\n".join(f"{each.fault}: {each.sentence}" for each in self.report.findings[:many])


def seed() -> int:
    """RELANCE_FAULTS_SEED plays a run again: the same inputs, the same order of kills."""
    return int(os.environ.get("RELANCE_FAULTS_SEED") or secrets.randbelow(1_000_000))


@contextmanager
def burning_stack() -> Iterator[Stack]:
    """The whole system in a home of its own, on real time, a company open day and night."""
    home = temporary_home()
    settings = {"notifications": _NOTIFICATIONS, "intake": _INTAKE}
    try:
        with Stack(home, settings=settings, say=print) as stack:
            intake = stack.services["intake"]
            open_example(RULEBOOK, intake.url, intake.setting("RELANCE_ADMIN_KEY"))
            yield stack
    except BaseException:
        sys.stdout.write(f"The logs of this run are kept in {home.logs}\n")
        raise
    home.remove()


async def api_keys(stack: Stack) -> dict[str, str]:
    """A key for each agent."""
    session = await asyncpg.create_pool(stack.postgres.dsn("pipeline"), min_size=1, max_size=1)
    async with session, session.acquire() as tx:
        return {
            agent: await keys.create(tx, tenant=TENANT, agent=agent, name="faults")
            for agent in AGENTS
        }


async def judged(stack: Stack, books: Books) -> Verdict:
    """Wait until nothing is in hand anywhere; then compare all ledgers."""
    assert all(service.child.alive for service in stack.services.values()), ended(stack)
    await _quiet(stack)
    ledgers = await read_ledgers(
        kafka=stack.kafka.bootstrap,
        postgres=stack.postgres.dsn(),
        mail_url=stack.mail.url,
        sms_url=stack.services["notifications"].url,
        accepted=frozenset(books.accepted),
        acted=frozenset(books.acted),
        at=datetime.now(UTC),
    )
    return Verdict(ledgers, await asyncio.to_thread(audit, ledgers))


async def expected_messages(stack: Stack, ledgers: Ledgers) -> set[str]:
    """The messages that notifications' own core makes of the requests on the topic."""
    book = rulebook_folder.read(RULEBOOK)
    async with database.transaction("notifications", stack.postgres.dsn()) as tx:
        directory = await database.directory(tx, book.tenant)
    expected: set[str] = set()
    for envelope in ledgers.records[PIPELINE.name]:
        if isinstance(envelope.data, NotificationRequested):
            expected |= handle({}, envelope, book, directory)[0].keys()
    return expected


async def _quiet(stack: Stack) -> None:
    """As the stepping clock finds it out; this clock file is nobody's."""
    file = stack.home.folder / "unused-clock"
    ClockFile.create(file, datetime.now(UTC))
    urls = [service.url for service in stack.services.values()]
    async with Stepper(urls, stack.kafka.bootstrap, file, limit_s=QUIET_LIMIT_S) as stepper:
        await stepper.settle()
