"""What is in hand for one provider: messages side by side, each with a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import structlog

from services.notifications import metrics
from services.notifications.core.delivery import NotTaken, Result, Unclear
from services.notifications.core.message import Message
from services.notifications.providers.provider import CannotBeAsked, Letter, Provider
from services.notifications.settings import NotificationsSettings
from shared.contract.notifications import MessageChannel
from shared.runtime import clock, failpoint

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Handed:
    """A message, and what came of handing it over.

    With `ask_in_s` nobody can say yet: it is to be looked after in so many seconds.
    """

    message: Message
    result: Result
    ask_in_s: float | None = None


class Hands:
    """One provider, and what it is being handed. A message is in hand from its claim until what
    became of it is recorded: a crash leaves at most so many unclear as fit in."""

    def __init__(
        self,
        provider: Provider,
        settings: NotificationsSettings,
        came: Callable[[Handed], None],
        fail: Callable[[str], None],
    ) -> None:
        """`came` is called with each result, `fail` when our own code is at fault."""
        self._provider = provider
        self._settings = settings
        self._came = came
        self._fail = fail
        self._held: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def channel(self) -> MessageChannel:
        """The provider's."""
        return self._provider.channel

    @property
    def free(self) -> int:
        """How many more it takes now."""
        return self._provider.at_once - len(self._held)

    def take(
        self, message: Message, attachments: Mapping[str, str] | None, claimed_at: float
    ) -> None:
        """Hand over a message that is `sending`; `claimed_at` on the monotonic clock."""
        self._start(message, self._hand_over(message, attachments, claimed_at))

    def take_lost(self, message: Message, age_s: float) -> None:
        """Find out about a message whose sender did not come back."""
        self._start(message, self._clear_up(message, age_s))

    def settled(self, message: Message) -> None:
        """What became of it is recorded."""
        self._held.discard(message.id)
        self._measure()

    async def finish(self, limit_s: float) -> None:
        """Wait for what is in hand; what takes longer is looked after by the next start."""
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=limit_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def close(self) -> None:
        """Let go of the provider."""
        await self._provider.close()

    async def _hand_over(
        self, message: Message, attachments: Mapping[str, str] | None, claimed_at: float
    ) -> None:
        failpoint.here("message.claimed")
        if message.content is None:
            raise ValueError(f"message {message.id} is sent without content")
        if monotonic() - claimed_at > self._settings.lease_s / 3:
            # Whoever was held up so long might answer after the lease: better not to begin.
            held_up = NotTaken("this process was held up before the hand-over")
            self._came(Handed(message, held_up))
            return
        letter = Letter(
            message.id,
            message.content,
            clock.now(),
            message.asked.attach,
            attachments,
            message.request.tenant,
        )
        result = await self._provider.send(letter)
        failpoint.here("message.handed_over")
        if isinstance(result, Unclear):
            log.warning("unclear whether a message went", message=message.id, why=result.why)
            self._came(Handed(message, result, ask_in_s=0))
        else:
            self._came(Handed(message, result))

    async def _clear_up(self, message: Message, age_s: float) -> None:
        """Ask the provider what became of it; where nobody can say, the policy decides."""
        answer: Result
        try:
            answer = await self._provider.ask(message.id)
        except CannotBeAsked:
            answer = Unclear("the provider cannot be asked")
        else:
            metrics.ASKED.labels(channel=self.channel, answer=type(answer).__name__).inc()
            if isinstance(answer, Unclear) and age_s < self._settings.ask_for_s:
                self._came(Handed(message, answer, ask_in_s=self._settings.pause_s(1)))
                return
        self._came(Handed(message, answer))

    def _start(self, message: Message, work: Coroutine[Any, Any, None]) -> None:
        self._held.add(message.id)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        self._measure()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("handing over has failed", channel=self.channel, exc_info=error)
            self._fail(f"sending {self.channel}: {type(error).__name__}: {error}")

    def _measure(self) -> None:
        metrics.IN_HAND.labels(channel=self.channel).set(len(self._held))
