"""What notifications does with pipeline's events: it takes down requests and withdrawals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from services.notifications import consent, store
from services.notifications.core.consent import Words, heard
from services.notifications.core.message import State, message_id, request_of
from services.notifications.core.request import UnknownTemplate, handle
from shared.contract.envelope import Envelope, Event
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import (
    PIPELINE_EVENTS,
    ConsentGiven,
    ConsentRevoked,
    HandoffRequested,
    LeadErased,
    NotificationRequested,
    NotificationWithdrawn,
)
from shared.domain.directory import Directory, Unknown
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime.postgres import Transaction
from shared.runtime.subscription import Park

CONSUMED: frozenset[type[Event]] = frozenset(
    {
        NotificationRequested,
        NotificationWithdrawn,
        HandoffRequested,
        ConsentRevoked,
        ConsentGiven,
        LeadErased,
    }
)
IGNORED: frozenset[type[Event]] = frozenset(PIPELINE_EVENTS) - CONSUMED

_CHANNELS: tuple[MessageChannel, ...] = get_args(MessageChannel)


class OnPipeline:
    """The handler of `pipeline.events.v1`, for one company."""

    def __init__(self, book: Rulebook, directory: Directory, hash_key: bytes) -> None:
        """Book and directory of the company whose batch it is."""
        self._book = book
        self._directory = directory
        self._hash_key = hash_key

    async def __call__(self, tx: Transaction, batch: Sequence[Envelope]) -> Sequence[Envelope]:
        """Store what is asked for; the sender finds it after the commit."""
        directory = self._directory
        await store.lock_collecting(tx, _collecting(batch))
        before = await store.load(tx, _ids(batch), _leads(batch))
        state: State = before
        told: list[Envelope] = []
        for envelope in batch:
            try:
                state, news = handle(state, envelope, self._book, directory)
            except (Unknown, UnknownTemplate) as missing:
                raise Park(envelope.id, str(missing)) from None
            told += news
        await store.save(tx, before, state)
        await store.forget_sandbox(tx, _erased(batch))
        await consent.hear(tx, self._hash_key, self._book.tenant, _words(batch))
        return told


def _collecting(batch: Sequence[Envelope]) -> set[str]:
    """The messages that collect a request of this batch: other members may do so too just now."""
    return {
        message_id(envelope.tenant, envelope.data, channel)
        for envelope in batch
        if isinstance(envelope.data, NotificationRequested) and envelope.data.collect
        for channel in _CHANNELS
    }


def _ids(batch: Sequence[Envelope]) -> list[str]:
    """The messages that the requests of a batch can mean."""
    return [
        message_id(envelope.tenant, request_of(envelope), channel)
        for envelope in batch
        if isinstance(envelope.data, NotificationRequested | HandoffRequested)
        for channel in _CHANNELS
    ]


def _words(batch: Sequence[Envelope]) -> Words:
    """What the people of a batch want, or do not want, from now on."""
    words: Words = {}
    for envelope in batch:
        if isinstance(envelope.data, ConsentRevoked | ConsentGiven):
            words = heard(words, envelope.data)
    return words


def _leads(batch: Sequence[Envelope]) -> list[str]:
    """The leads whose messages are withdrawn."""
    withdrawn = [e.data.lead for e in batch if isinstance(e.data, NotificationWithdrawn)]
    return withdrawn + _erased(batch)


def _erased(batch: Sequence[Envelope]) -> list[str]:
    """The leads of which nobody is to know whose they were."""
    return [e.subject for e in batch if isinstance(e.data, LeadErased)]
