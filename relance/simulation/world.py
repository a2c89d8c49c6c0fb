"""The simulated world: the four cores joined by a queue in memory, on a clock that jumps."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime

from relance.simulation.input import Input
from relance.simulation.service import Service
from services.intake.core.arrival import Refusal
from services.intake.core.normal_form import Acceptance, event_id, normalise, quarantined
from services.pipeline.core.action import Action, ActionRequested
from shared.contract.directory import Document
from shared.contract.envelope import Envelope, derived_id
from shared.contract.intake import EmailOpened, LeadReceived
from shared.domain.directory import Directory

HASH_KEY = b"simulated"
ROUNDS_MOST = 10_000
"""More events than this at one instant are taken for a story that never ends."""


class Endless(RuntimeError):
    """The cores keep answering each other at one instant."""


class World:
    """One tenant's world. `log` is everything that was published, in order.

    Like the outbox it numbers what the services say densely per (source, subject), and like
    pipeline's inbox it lets an input with a known id have no second effect.
    """

    def __init__(
        self, tenant: str, start: datetime, directory: Directory, services: Sequence[Service]
    ) -> None:
        self.tenant, self.now, self.directory, self.services = tenant, start, directory, services
        self.log: list[Envelope] = []
        self._queue: deque[Envelope] = deque()
        self._sequences: Counter[tuple[str, str]] = Counter()
        self._inbox: set[str] = set()
        self._redirect()

    def fork(self) -> World:
        """The same world with an empty log, to go another way from here."""
        other = copy(self)
        other.services = [copy(service) for service in self.services]
        other.log, other._queue = [], deque()
        other._sequences, other._inbox = self._sequences.copy(), set(self._inbox)
        return other

    def receive(self, sent: Input) -> Envelope:
        """Something arrives at a door, and everything that follows from it at once.

        Returns what intake said of it. Raises intake's `Refusal` where a door would answer 422.
        """
        acceptance = self._acceptance(sent)
        if sent.source.doors[0] == "http":
            said = normalise(sent.source, sent.arrival(), acceptance)
        else:  # mail and topics cannot be told to send it again
            try:
                said = normalise(sent.source, sent.arrival(), acceptance)
            except Refusal as refusal:
                said = quarantined(sent.source.id, refusal.sentence, acceptance, sent.id)
        if said.id in self._inbox:
            self.log.append(said)
            return said
        self._inbox.add(said.id)
        self._publish([said])
        self._settle()
        return said

    def receive_file(self, sent: Input) -> list[Envelope]:
        """A file of leads is put at its door; what intake said of each row. Raises `Refusal`.

        A row that was there before, in this file or another, has no second effect.
        """
        acceptance = self._acceptance(sent)
        said = [row.normalised(sent.source, acceptance)[0] for row in sent.rows()]
        for row in said:
            if row.id in self._inbox:
                self.log.append(row)
            else:
                self._inbox.add(row.id)
                self._publish([row])
        self._settle()
        return said

    def lead_of(self, sent: Input) -> str | None:
        """The id that intake gives this input as a lead; None if it has no id of its own."""
        return event_id(self.tenant, sent.source.id, LeadReceived, sent.arrival().provider_id)

    def opened(self, notification: str) -> None:
        """The recipient of that e-mail opens it; intake says so."""
        data = EmailOpened(notification=notification)
        said = Envelope(
            id=derived_id(self.tenant, "opened", notification, self.now.isoformat()),
            source="/intake",
            type=data.type,
            subject=notification,
            time=self.now,
            tenant=self.tenant,
            data=data,
        )
        self._publish([said])
        self._settle()

    def act(self, lead: str, by: str, action: Action, key: str) -> None:
        """An agent acts; `key` is the Idempotency-Key. Refused actions say `ActionRefused`."""
        data = ActionRequested(by=by, action=action)
        asked = Envelope(
            id=derived_id(self.tenant, "action", by, key),
            source="/pipeline",
            type=data.type,
            subject=lead,
            time=self.now,
            tenant=self.tenant,
            data=data,
        )
        for service in self.services:
            self._publish(service.accept(asked, self.directory))
        self._settle()

    def declare(self, *documents: Document) -> None:
        """The directory changes."""
        self.directory = self.directory.with_(*documents)
        self._redirect()

    def until(self, instant: datetime) -> None:
        """Time passes up to and including `instant`, from planned instant to planned instant."""
        while (due := self.next_instant()) is not None and due <= instant:
            self.now = max(self.now, due)
            self._settle()
        self.now = max(self.now, instant)

    def _acceptance(self, sent: Input) -> Acceptance:
        return Acceptance(
            tenant=self.tenant,
            at=self.now,
            region=self.directory.site(sent.source.site).region,
            chance=derived_id(self.tenant, "chance", str(len(self.log))),
            hash_key=HASH_KEY,
        )

    def _redirect(self) -> None:
        for service in self.services:
            self._publish(service.redirect(self.now, self.directory))
        self._settle()

    def next_instant(self) -> datetime | None:
        """When something happens by itself."""
        instants = (service.next_instant() for service in self.services)
        return min((each for each in instants if each is not None), default=None)

    def _publish(self, said: Iterable[Envelope]) -> None:
        for each in said:
            envelope = each
            if envelope.source != "/intake":
                key = (envelope.source, envelope.subject)
                self._sequences[key] += 1
                envelope = envelope.model_copy(update={"sequence": self._sequences[key]})
            self.log.append(envelope)
            self._queue.append(envelope)

    def _settle(self) -> None:
        """Every event reaches every service, and what is due now is done, until all is quiet."""
        for _ in range(ROUNDS_MOST):
            if self._queue:
                envelope = self._queue.popleft()
                for service in self.services:
                    self._publish(service.accept(envelope, self.directory))
            elif (due := self.next_instant()) is not None and due <= self.now:
                for service in self.services:
                    self._publish(service.fire(self.now, self.directory))
            else:
                return
        raise Endless(f"more than {ROUNDS_MOST} events at {self.now.isoformat()}")
