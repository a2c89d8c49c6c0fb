"""Leads as they are looked up and listed; nothing is locked."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.pipeline.core.lead import Lead
from services.pipeline.core.order import place
from services.pipeline.store import PLACE
from shared.runtime.postgres import Transaction

# One statement for all filters: an absent one is NULL. Keyset paging: what arrives meanwhile
# moves no page.
_MATCHING = """
SELECT state::text
FROM lead
WHERE tenant = $1
  AND ($2::text IS NULL OR owner = $2)
  AND ($3::text IS NULL OR status = $3)
  AND ($4::text IS NULL OR stage = $4)
  AND ($5::text IS NULL OR words LIKE '%' || $5 || '%')
  AND ($6::text[] IS NULL OR owner = ANY($6))
"""
_NEWEST = f"""{_MATCHING}
  AND ($8::timestamptz IS NULL OR ({PLACE}) < ($8, $9::bigint, $10::uuid))
ORDER BY {PLACE.replace(",", " DESC,")} DESC
LIMIT $7
"""
# What `by_urgency` does in memory: nothing due is not urgent.
_URGENT = f"""{_MATCHING}
  AND ($8::timestamptz IS NULL
       OR (next_due_at, {PLACE}) > ($11::timestamptz, $8, $9::bigint, $10::uuid))
  AND next_due_at IS NOT NULL
ORDER BY next_due_at, {PLACE}
LIMIT $7
"""
Order = Literal["newest", "urgency"]


class BadCursor(ValueError):
    """No cursor of ours."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one begins behind the lead that stands here (`core.order`), and
    is due then."""

    received_at: datetime
    tie_break: int
    id: str
    due_at: datetime | None = None

    @classmethod
    def after(cls, lead: Lead, order: Order) -> Place:
        """The place behind `lead`."""
        return cls(*place(lead), lead.next_due_at if order == "urgency" else None)

    @classmethod
    def read(cls, cursor: str) -> Place:
        """The place a cursor stands for; raises `BadCursor`."""
        try:
            text = base64.urlsafe_b64decode(cursor.encode()).decode()
            received_at, tie_break, id_, due_at = text.split("|")
            due = _instant(due_at) if due_at else None
            if not 0 <= int(tie_break) < 2**63:
                raise BadCursor("no number of ours")
            return cls(_instant(received_at), int(tie_break), str(UUID(id_)), due)
        except (ValueError, binascii.Error) as error:
            raise BadCursor("take it from `next` of the page before") from error

    @property
    def cursor(self) -> str:
        """The place as an opaque text for URLs."""
        due = self.due_at.isoformat() if self.due_at else ""
        said = f"{self.received_at.isoformat()}|{self.tie_break}|{self.id}|{due}"
        return base64.urlsafe_b64encode(said.encode()).decode()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which leads to list; absent filters match everything. `owners`: one of these has them."""

    owner: str | None = None
    status: str | None = None
    stage: str | None = None
    words: str | None = None
    after: Place | None = None
    limit: int = 50
    order: Order = "newest"
    owners: tuple[str, ...] | None = None


async def page(tx: Transaction, tenant: str, wanted: Wanted) -> tuple[list[Lead], Place | None]:
    """The newest leads first, or the most urgent, and where the next page begins (None: there is
    none)."""
    after = wanted.after
    asked = (
        tenant,
        wanted.owner,
        wanted.status,
        wanted.stage,
        None if wanted.words is None else _pattern(wanted.words),
        None if wanted.owners is None else list(wanted.owners),
        wanted.limit + 1,
        *((after.received_at, after.tie_break, after.id) if after else (None, None, None)),
    )
    if wanted.order == "urgency":
        rows = await tx.fetch(_URGENT, *asked, after.due_at if after else None)
    else:
        rows = await tx.fetch(_NEWEST, *asked)
    leads = [Lead.model_validate_json(row["state"]) for row in rows]
    if len(leads) <= wanted.limit:
        return leads, None
    return leads[:-1], Place.after(leads[-2], wanted.order)


@dataclass(frozen=True, slots=True)
class Found:
    """A lead that a reference means: enough to lock it."""

    id: str
    site: str


async def find(tx: Transaction, tenant: str, reference: str) -> list[Found]:
    """The leads that people mean by `reference`, an id or a number: as a rule one, or none."""
    if (id_ := _as_id(reference)) is not None:
        rows = await tx.fetch(
            "SELECT id::text, site FROM lead WHERE tenant = $1 AND id = $2", tenant, id_
        )
    else:
        number = reference.strip().lstrip("#№").strip().upper()
        rows = await tx.fetch(
            "SELECT id::text, site FROM lead WHERE tenant = $1 AND number = $2 ORDER BY id",
            tenant,
            number,
        )
    return [Found(row["id"], row["site"]) for row in rows]


async def one(tx: Transaction, id_: str) -> Lead:
    """The lead with this id, which is known to exist."""
    state = await tx.fetchval("SELECT state::text FROM lead WHERE id = $1", id_)
    return Lead.model_validate_json(state)


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise BadCursor("no zone")
    return instant


def _as_id(reference: str) -> str | None:
    try:
        return str(UUID(reference))
    except ValueError:
        return None


def _pattern(words: str) -> str:
    """The words as they are searched for; `%` and `_` stand for themselves."""
    plain = words.strip().lower()
    return plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
