"""The sender: takes what is due, has it handed over, and records what became of it, in rounds.

A round is one transaction for all channels: it records the results that have come since the last
one and claims what is due for the hands that are free. So the more there is to do, the more one
commit does; a commit a message would be all that notifications does at a hundred leads a second.

`sending` is committed, with a lease, before the provider is called. Whatever is still `sending`
when its lease has run out is looked after: the provider is asked, or the template's policy
decides and the message is counted by name (`design.md` 10).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from time import monotonic

import structlog

from services.notifications import claims, consent, metrics, store
from services.notifications.core.content import Links
from services.notifications.core.delivery import Step, release, settle
from services.notifications.core.message import Message
from services.notifications.core.request import UnknownTemplate, policy_of
from services.notifications.hands import Handed, Hands
from services.notifications.providers.provider import Provider
from services.notifications.settings import NotificationsSettings
from shared.contract.envelope import Envelope
from shared.contract.notifications import MessageChannel, NotificationUnknown
from shared.domain.directory import Unknown
from shared.domain.rulebook.message import Policy
from shared.runtime import clock
from shared.runtime.companies import UnknownTenant
from shared.runtime.moment import happens
from shared.runtime.postgres import Transaction
from shared.runtime.service import Service

log = structlog.get_logger(__name__)

_POLL_S = 0.25
"""What nobody wakes us for: held messages, pauses and leases that end, other members' requests."""
_STEPPING_POLL_S = 0.02
_GATHER_S = 0.025
_UNJUDGED_PAUSE_S = 60.0
_STOP_GRACE_S = 8.0

_NOBODY: claims.Look = claims.Look(frozenset(), frozenset())


class Sender:
    """The messages of all providers."""

    def __init__(
        self, service: Service, providers: Iterable[Provider], settings: NotificationsSettings
    ) -> None:
        """Nothing runs before `run`."""
        self._service = service
        self._settings = settings
        key = settings.link_key
        self._links = Links(settings.answer_url, key.get_secret_value().encode()) if key else None
        hands = (Hands(each, settings, self._came, service.fail) for each in providers)
        self._hands: dict[MessageChannel, Hands] = {each.channel: each for each in hands}
        self._handed: list[Handed] = []
        self._rounding: asyncio.Task[None] | None = None
        self._looked_at = 0.0
        self.wake = asyncio.Event()
        """Set it when there may be something to send."""

    async def run(self) -> None:
        """Send until cancelled; `close` finishes what is in hand then."""
        while True:
            self.wake.clear()
            # Never broken off: what it claims must be handed over, not left to its lease.
            self._rounding = asyncio.create_task(self._round())
            await asyncio.shield(self._rounding)
            await happens(self.wake, _STEPPING_POLL_S if clock.is_stepping() else _POLL_S)

    async def close(self) -> None:
        """Finish what is in hand and record it, for a limited time; let go of the providers."""
        if self._rounding is not None:
            await asyncio.wait({self._rounding}, timeout=_STOP_GRACE_S)
        await asyncio.gather(*(each.finish(_STOP_GRACE_S) for each in self._hands.values()))
        if self._handed:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_GRACE_S):
                    await self._commit({})
        for hands in self._hands.values():
            await hands.close()

    def _came(self, handed: Handed) -> None:
        """A result: nobody waits for it, so others may join it. What is requested wakes at once."""
        if not self._handed:
            gather_s = 0 if clock.is_stepping() else _GATHER_S
            asyncio.get_running_loop().call_later(gather_s, self.wake.set)
        self._handed.append(handed)

    # -- a round ---------------------------------------------------------------------------------

    async def _round(self) -> None:
        free = self._free()
        look = await self._look(free)
        if self._handed or look.due:
            await self._commit(free)
        for channel in look.lost:
            await self._take_lost(self._hands[channel])

    def _free(self) -> dict[MessageChannel, int]:
        """How many each channel takes once the results that have come are recorded.

        None once the service is to stop: what it claimed then it might not hand over any more,
        and others, or the next start, would wait for the lease.
        """
        if self._service.stopping.is_set():
            return {}
        free = {channel: hands.free for channel, hands in self._hands.items()}
        for handed in self._handed:
            free[handed.message.channel] += 1
        return {channel: many for channel, many in free.items() if many > 0}

    async def _look(self, free: Mapping[MessageChannel, int]) -> claims.Look:
        """Cheap, and no activity: most looks find nothing. A round that has something to record
        claims anyhow, and looks only for what is lost, now and then."""
        if not free or (self._handed and monotonic() - self._looked_at < _POLL_S):
            return _NOBODY
        self._looked_at = monotonic()
        async with self._service.postgres.pool.acquire(timeout=10) as session:
            return await claims.look(session, [*free], clock.now())

    async def _commit(self, free: Mapping[MessageChannel, int]) -> None:
        """Record what has come and claim for the free hands, in one transaction."""
        handed, self._handed = self._handed, []
        claimed_at = monotonic()

        async def both(
            tx: Transaction,
        ) -> tuple[tuple[list[Step], list[Message]], list[Envelope]]:
            steps = await self._record(tx, handed)
            claims_more = free and not self._service.stopping.is_set()  # a repeated try, later
            judged, told = await self._claim(tx, free) if claims_more else ([], [])
            return (steps, judged), [e for _, news in steps for e in news] + told

        try:
            steps, judged = await self._service.unit(both, patience_s=None)
        except BaseException:
            self._handed[:0] = handed  # recorded once more it changes nothing
            raise
        self._account_for(handed, steps)
        for message in judged:
            if message.status == "sending":
                company = self._service.last_companies.get(message.request.tenant)
                files = company.attachments if company else None
                self._hands[message.channel].take(message, files, claimed_at)
            else:
                self._count(message.channel, message.status)
                self.wake.set()  # a hand is still free

    # -- claiming --------------------------------------------------------------------------------

    async def _claim(
        self, tx: Transaction, free: Mapping[MessageChannel, int]
    ) -> tuple[list[Message], list[Envelope]]:
        """Judge and render due messages; those that may go are `sending` after the commit."""
        now = clock.now()
        judged: list[Message] = []
        told: list[Envelope] = []
        claimed = await claims.claim(tx, free, now)
        if not claimed:
            return judged, told
        companies = await self._service.companies(tx)
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
                await claims.put_off(tx, message, _UNJUDGED_PAUSE_S, str(missing))
                continue
            judged.append(released)
            told += news
        await store.change(tx, judged, self._settings.lease_s)
        return judged, told

    async def _take_lost(self, hands: Hands) -> None:
        """Look after messages whose sender did not come back."""
        lease_s = self._settings.lease_s

        async def claim(tx: Transaction) -> tuple[list[tuple[Message, float]], list[Envelope]]:
            return await claims.claim_lost(tx, hands.channel, max(0, hands.free), lease_s), []

        for message, age_s in await self._service.unit(claim, patience_s=None):
            hands.take_lost(message, age_s)

    # -- recording -------------------------------------------------------------------------------

    async def _record(self, tx: Transaction, handed: Sequence[Handed]) -> list[Step]:
        """Store the results, each if its attempt still counts."""
        if not handed:
            return []
        current = await claims.in_hand(tx, [each.message for each in handed])
        steps: list[Step] = []
        settled: list[claims.Settled] = []
        for each in handed:
            now = current.get(each.message.id)
            if each.ask_in_s is not None:
                why = getattr(each.result, "why", "")
                await claims.end_lease(tx, each.message, each.ask_in_s, why)
            elif now is not None:
                steps.append(self._judged(now, each))
                settled.append(self._settled(steps[-1][0], each))
        await claims.settle(tx, settled)
        return steps

    def _judged(self, current: Message, handed: Handed) -> Step:
        most = self._settings.attempts_at_most
        return settle(current, handed.result, clock.now(), self._policy(current), most)

    def _settled(self, after: Message, handed: Handed) -> claims.Settled:
        return claims.Settled(
            after,
            getattr(handed.result, "provider_id", None),
            getattr(handed.result, "why", None),
            self._settings.pause_s(after.attempts),
        )

    def _policy(self, message: Message) -> Policy:
        company = self._service.last_companies.get(message.request.tenant)
        with suppress(UnknownTemplate):
            if company is not None:
                return policy_of(message.asked, company.book)
        return "at_most_once"

    def _account_for(self, handed: Sequence[Handed], steps: Sequence[Step]) -> None:
        """Free the hands, and count."""
        done = {step[0].id: step for step in steps}
        for each in handed:
            message = each.message
            self._hands[message.channel].settled(message)
            if each.ask_in_s is not None:
                continue
            after, told = done.get(message.id, (None, []))
            self._count(message.channel, after.status if after else "overtaken")
            self._count_unknown(message.channel, told)
            if after and after.status in ("requested", "failed"):
                why = getattr(each.result, "why", "")
                log.warning("a message did not go", message=after.id, status=after.status, why=why)

    def _count(self, channel: MessageChannel, outcome: str) -> None:
        outcome = {"requested": "waiting again"}.get(outcome, outcome)
        metrics.MESSAGES.labels(channel=channel, outcome=outcome).inc()

    def _count_unknown(self, channel: MessageChannel, told: Sequence[Envelope]) -> None:
        for envelope in told:
            if isinstance(envelope.data, NotificationUnknown):
                resolution = envelope.data.resolution
                metrics.UNKNOWN.labels(channel=channel, resolution=resolution).inc()


def _by_tenant(messages: Iterable[Message]) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.request.tenant, []).append(message)
    return found
