"""What a scenario does from outside, as values: so that the real stack can be played the same."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from relance.simulation.input import Input
from services.pipeline.core.action import Action
from shared.contract.directory import Document


@dataclass(frozen=True, slots=True)
class Cue:
    """Something that comes from outside at an instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Received(Cue):
    """Something arrives at a door."""

    sent: Input


@dataclass(frozen=True, slots=True)
class Opened(Cue):
    """The contact opens an e-mail of ours; `notification` is its id."""

    notification: str


@dataclass(frozen=True, slots=True)
class Acted(Cue):
    """An agent acts on a lead; `key` is the Idempotency-Key."""

    lead: str
    by: str
    action: Action
    key: str


@dataclass(frozen=True, slots=True)
class Declared(Cue):
    """Directory documents change."""

    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Passed(Cue):
    """Nothing comes from outside until `until`."""

    until: datetime
