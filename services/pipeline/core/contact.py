"""A contact: the person outside, known by contact points, with their leads. `evolve_contact.py`
says how events change it."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from services.pipeline.core.lead import State
from shared.contract.intake import ContactPoint, PointKind

HOUSE = "house-00"
"""The rule of a revocation that no numbered sentence asked for: an agent's own."""


class Point(State):
    """One phone (E.164) or e-mail, and since when it is known."""

    kind: PointKind
    value: str
    since: AwareDatetime

    @property
    def plain(self) -> ContactPoint:
        """The point as it travels in events."""
        return ContactPoint(kind=self.kind, value=self.value)


class Merge(State):
    """Another contact that turned out to be this person: how it was, and since when it is one."""

    contact: Contact
    at: AwareDatetime


class Contact(State):
    """A person outside. `leads` are the ids of all their leads, oldest first.

    `merged` are the contacts that this one has taken in, so that each can be parted again. A
    contact that was taken in has neither points nor leads: nothing leads to it any more.
    `revoked`: the channel by which they do not want to be contacted → the rule that says so;
    `revoked_at` are the points for which that has been told, `revision` which word of theirs on
    it was the last. Somebody who only ever wrote STOP has no lead. `erased_at`: since when nobody
    knows who they were.
    """

    id: str
    tenant: str
    points: tuple[Point, ...] = ()
    name: str | None = None
    company: str | None = None
    language: str | None = None
    leads: tuple[str, ...] = ()
    merged: tuple[Merge, ...] = ()
    revoked: dict[str, str] = Field(default_factory=dict)
    revoked_at: tuple[ContactPoint, ...] = ()
    revision: int = 0
    erased_at: AwareDatetime | None = None

    @property
    def since(self) -> datetime | None:
        """When anything was known of them first."""
        return min((point.since for point in self.points), default=None)

    @property
    def everybody(self) -> tuple[str, ...]:
        """The ids of all contacts that turned out to be this person, their own first."""
        return (self.id, *(id_ for merge in self.merged for id_ in merge.contact.everybody))

    def erased(self, at: datetime) -> Contact:
        """Nobody any more, with leads of which nobody knows whose they were."""
        return Contact(
            id=self.id,
            tenant=self.tenant,
            leads=self.leads,
            revoked=self.revoked,
            revision=self.revision,
            erased_at=at,
        )

    def point(self, kind: str) -> str | None:
        """The first phone or e-mail known."""
        return next((point.value for point in self.points if point.kind == kind), None)
