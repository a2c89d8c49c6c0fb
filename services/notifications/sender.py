"""The sender of one channel: takes what is due, hands it over, and records what became of it.

`sending` is committed, with a lease, before the provider is called. Whatever is still `sending`
when its lease has run out is looked after: the provider is asked, or the template's policy
decides and the message is counted by name (`design.md` 10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from time import monotonic
from typing import Any

import structlog

from services.notifications import consent, metrics, store
from services.notifications.core.content import Links
from services.notifications.core.delivery import (
    NotTaken,
    Result,
    Step,
    Unclear,
    release,
    settle,
)
from services.notifications.core.message import Message
from services.notifications.core.request import UnknownTemplate, policy_of
from services.notifications.providers.provider import CannotBeAsked, Letter, Provider
from services.notifications.settings import NotificationsSettings
from shared.contract.envelope import Envelope
from shared.contract.notifications import NotificationUnknown
from shared.domain.directory import Unknown
from shared.domain.rulebook.message import Policy
from shared.runtime import clock, failpoint
from shared.runtime.companies import Companies, UnknownTenant
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service

log = structlog.get_logger(__name__)

_POLL_S = 0.25
"""What nobody wakes us for: held messages, pauses and leases that end, other members' requests."""
_STEPPING_POLL_S = 0.02
_UNJUDGED_PAUSE_S = 60.0
_STOP_GRACE_S = 8.0

Handed = tuple[Message, Result]
"""A message, and what came of handing it over."""


class Sender:
    """One provider's messages, several side by side."""

    def __init__(
        self, service: Service, provider: Provider, settings: NotificationsSettings
    ) -> None:
        """Nothing runs before `run`."""
        self._service = service
        self._companies = Companies({})
        self._provider = provider
        self._settings = settings
        key = settings.link_key
        self._links = Links(settings.answer_url, key.get_secret_value().encode()) if key else None
        self._channel = provider.channel
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Handed] = []
        self._recording = asyncio.Lock()
        self.wake = asyncio.Event()
        """Set it when there may be something to send."""

    async def run(self) -> None:
        """Send until cancelled; then what is in hand is finished, for a limited time."""
        try:
            while True:
                due, lost = await self._look()
                if due:
                    await self._take()
                if lost:
                    await self._take_lost()
                await self._pause()
        except asyncio.CancelledError:
            await self._finish()
            raise

    async def close(self) -> None:
        """Let go of the provider."""
        await self._provider.close()

    # -- looking and taking ----------------------------------------------------------------------

    async def _look(self) -> tuple[bool, bool]:
        """Cheap, and no activity: most looks find nothing."""
        if len(self._tasks) >= self._provider.at_once:
            return False, False
        async with self._service.postgres.pool.acquire(timeout=10) as session:
            return await store.look(session, self._channel, clock.now())

    async def _pause(self) -> None:
        """Until something was requested or finished, or for the length of a poll."""
        try:
            poll_s = _STEPPING_POLL_S if clock.is_stepping() else _POLL_S
            await asyncio.wait_for(self.wake.wait(), poll_s)
        except TimeoutError:
            return
        self.wake.clear()

    async def _take(self) -> None:
        """Claim what is due and start handing it over."""
        free, claimed_at = self._provider.at_once - len(self._tasks), monotonic()

        async def claim(tx: Transaction) -> tuple[list[Message], list[Envelope]]:
            return await self._claim(tx, free)

        for message in await self._service.unit(claim, patience_s=None):
            if message.status == "sending":
                self._start(self._hand_over(message, claimed_at))
            else:
                self._count(message.status)

    async def _claim(self, tx: Transaction, limit: int) -> tuple[list[Message], list[Envelope]]:
        """Judge and render due messages; those that may go are `sending` after the commit."""
        now = clock.now()
        companies = self._companies = await self._service.companies(tx)
        judged: list[Message] = []
        told: list[Envelope] = []
        claimed = await store.claim(tx, self._channel, now, limit)
        revoked = {
            tenant: await consent.revoked(tx, self._settings.hashing, theirs)
            for tenant, theirs in _by_tenant(claimed).items()
        }
        for message in claimed:
            try:
                company = companies.of(message.request.tenant)
                released, news = release(
                    message,
                    now,
                    company.book,
                    company.directory,
                    self._links,
                    revoked=revoked[company.tenant],
                )
            except (Unknown, UnknownTemplate, UnknownTenant) as missing:
                log.warning("a message cannot be judged", message=message.id, why=str(missing))
                await store.put_off(tx, message, _UNJUDGED_PAUSE_S, str(missing))
                continue
            judged.append(released)
            told += news
        await store.change(tx, judged, self._settings.lease_s)
        return judged, told

    async def _take_lost(self) -> None:
        """Look after messages whose sender did not come back."""
        free, lease_s = self._provider.at_once - len(self._tasks), self._settings.lease_s

        async def claim(tx: Transaction) -> tuple[list[tuple[Message, float]], list[Envelope]]:
            return await store.claim_lost(tx, self._channel, free, lease_s), []

        for message, age_s in await self._service.unit(claim, patience_s=None):
            self._start(self._clear_up(message, age_s))

    # -- one message -----------------------------------------------------------------------------

    async def _hand_over(self, message: Message, claimed_at: float) -> None:
        result: Result
        failpoint.here("message.claimed")
        if message.content is None:
            raise ValueError(f"message {message.id} is sent without content")
        if monotonic() - claimed_at > self._settings.lease_s / 3:
            # Whoever was held up so long might answer after the lease: better not to begin.
            result = NotTaken("this process was held up before the hand-over")
        else:
            result = await self._provider.send(
                Letter(
                    message.id,
                    message.content,
                    clock.now(),
                    message.asked.attach,
                    self._attachments(message),
                    message.request.tenant,
                )
            )
            failpoint.here("message.handed_over")
        if isinstance(result, Unclear):
            log.warning("unclear whether a message went", message=message.id, why=result.why)
            await self._look_after(message, 0, result.why)
        else:
            await self._settle(message, result)

    async def _clear_up(self, message: Message, age_s: float) -> None:
        """Ask the provider what became of it; where nobody can say, the policy decides."""
        answer: Result
        try:
            answer = await self._provider.ask(message.id)
        except CannotBeAsked:
            answer = Unclear("the provider cannot be asked")
        else:
            metrics.ASKED.labels(channel=self._channel, answer=type(answer).__name__).inc()
            if isinstance(answer, Unclear) and age_s < self._settings.ask_for_s:
                await self._look_after(message, self._pause_s(1), answer.why)
                return
        await self._settle(message, answer)

    async def _look_after(self, message: Message, in_s: float, why: str) -> None:
        async def end_lease(tx: Transaction) -> tuple[None, list[Envelope]]:
            await store.end_lease(tx, message, in_s, why)
            return None, []

        await self._service.unit(end_lease, patience_s=None)

    async def _settle(self, message: Message, result: Result) -> None:
        """Record the result, and in the same transaction those that came while one was written.

        One commit a message would be all that notifications does at a hundred leads a second.
        """
        self._results.append((message, result))
        async with self._recording:
            results, self._results = self._results, []
            if results:  # else somebody before us has recorded ours with theirs
                await self._record(results)

    async def _record(self, results: Sequence[Handed]) -> None:
        """Store the results and tell of them, each if its attempt still counts."""

        async def record(tx: Transaction) -> tuple[list[Step], list[Envelope]]:
            current = await store.in_hand(tx, [message for message, _ in results])
            steps: list[Step] = []
            notes: list[store.Note] = []
            for message, result in results:
                now = current.get(message.id)
                if now is not None and now.attempts == message.attempts:
                    steps.append(self._judged(now, result))
                    notes.append(self._note(steps[-1][0], result))
            await store.change(tx, [after for after, _ in steps])
            await store.note(tx, notes)
            return steps, [envelope for _, told in steps for envelope in told]

        steps = {step[0].id: step for step in await self._service.unit(record, patience_s=None)}
        for message, result in results:
            after, told = steps.get(message.id, (None, []))
            self._count(after.status if after else "overtaken")
            self._count_unknown(told)
            if after and after.status in ("requested", "failed"):
                why = getattr(result, "why", "")
                log.warning("a message did not go", message=after.id, status=after.status, why=why)

    def _judged(self, current: Message, result: Result) -> Step:
        most = self._settings.attempts_at_most
        return settle(current, result, clock.now(), self._policy(current), most)

    def _note(self, after: Message, result: Result) -> store.Note:
        return store.Note(
            after.id,
            getattr(result, "provider_id", None),
            getattr(result, "why", None),
            self._pause_s(after.attempts),
        )

    def _policy(self, message: Message) -> Policy:
        try:
            book = self._companies.of(message.request.tenant).book
            return policy_of(message.asked, book)
        except (UnknownTemplate, UnknownTenant):
            return "at_most_once"

    def _attachments(self, message: Message) -> Mapping[str, str] | None:
        """The files of a published rulebook, base64 by name; None where a folder holds them."""
        company = self._companies.get(message.request.tenant)
        return company.attachments if company else None

    def _pause_s(self, attempts: int) -> float:
        """How long to wait after so many attempts: doubled each time, up to the longest."""
        doubled = self._settings.retry_first_s * 2 ** min(attempts - 1, 30)
        return float(min(self._settings.retry_longest_s, doubled))

    # -- tasks and counting ----------------------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        metrics.IN_HAND.labels(channel=self._channel).set(len(self._tasks))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        metrics.IN_HAND.labels(channel=self._channel).set(len(self._tasks))
        self.wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("handing over has failed", channel=self._channel, exc_info=error)
            self._service.fail(f"sending {self._channel}: {type(error).__name__}: {error}")

    async def _finish(self) -> None:
        """Wait for what is in hand; what takes longer is looked after by the next start."""
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=_STOP_GRACE_S)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def _count(self, outcome: str) -> None:
        outcome = {"requested": "waiting again"}.get(outcome, outcome)
        metrics.MESSAGES.labels(channel=self._channel, outcome=outcome).inc()

    def _count_unknown(self, told: list[Envelope]) -> None:
        for envelope in told:
            if isinstance(envelope.data, NotificationUnknown):
                resolution = envelope.data.resolution
                metrics.UNKNOWN.labels(channel=self._channel, resolution=resolution).inc()


def _by_tenant(messages: Iterable[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.request.tenant, []).append(message)
    return found
