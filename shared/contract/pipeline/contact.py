"""What passed between us and a person: attempts, exchanges, merged records, what they forbade."""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from shared.contract.envelope import Event
from shared.contract.intake import Channel, ContactPoint

NumberKind = Literal["mobile", "landline"]


class AttemptLogged(Event):
    """One try to reach the contact; `counted` is decided now and for ever (001-05), and so is
    its `cost` in the company's currency (000-09). `number`: the kind of number that was dialled."""

    type = "relance.lead.attempt_logged.v1"
    code: str
    channel: Channel
    outcome: str
    counted: bool = True
    cost: int = 0
    number: NumberKind | None = None
    by: str | None = None


class ContactMade(Event):
    """A two-way exchange."""

    type = "relance.lead.contact_made.v1"
    channel: Channel
    direction: Literal["inbound", "outbound"]
    by: str | None = None


class ContactMerged(Event):
    """The lead's contact, `previous`, turned out to be the same person as `contact`.

    Said once for each lead of `previous`; `points` is what `previous` was known by.
    """

    type = "relance.contact.merged.v1"
    contact: str
    previous: str
    points: tuple[ContactPoint, ...] = ()


class LeadUnlinked(Event):
    """A merge undone: the lead is `contact`'s again, who has `points` back, and no longer
    `previous`'s. Said once for each lead that goes; what was revoked stays revoked for both."""

    type = "relance.lead.unlinked.v1"
    contact: str
    previous: str
    points: tuple[ContactPoint, ...] = ()
    by: str | None = None


class ConsentRevoked(Event):
    """The person does not want to be contacted by these channels, on any lead (000-44).

    `points` are all that is known of `contact` (an id); when more becomes known it is said again.
    Of two that speak of one point and channel, also on different leads, the one with the higher
    `revision` counts. `why` is what the person wrote. Subject: a lead of theirs; the contact id
    where they have none.
    """

    type = "relance.consent.revoked.v1"
    contact: str
    channels: tuple[Channel, ...]
    points: tuple[ContactPoint, ...]
    revision: int = 0
    why: str | None = None
    by: str | None = None


class ConsentGiven(Event):
    """The person may be contacted by these channels again: they said so themselves (`why` is what
    they wrote or ticked), or `by` undid a block that was a mistake, and says `why`.

    `points`, `revision` and the subject as in `ConsentRevoked`.
    """

    type = "relance.consent.given.v1"
    contact: str
    channels: tuple[Channel, ...]
    points: tuple[ContactPoint, ...]
    revision: int
    why: str
    by: str | None = None


class LeadBlocked(Event):
    """Nobody may use these channels on this lead any more (000-42); `whole_person`: because of
    what the person said, on whichever lead."""

    type = "relance.lead.blocked.v1"
    channels: tuple[Channel, ...]
    whole_person: bool = False
    by: str | None = None


class LeadUnblocked(Event):
    """What `LeadBlocked` said of this lead, or of the `whole_person`, holds no longer."""

    type = "relance.lead.unblocked.v1"
    channels: tuple[Channel, ...]
    why: str
    whole_person: bool = False
    by: str | None = None


class ContactExported(Event):
    """Everything that is kept of a person was handed out, as the law gives them a right to.

    Subject: the contact id. `leads` are those it spoke of. The document itself went to whoever
    asked and is on no topic (`data` is what an older release put here).
    """

    type = "relance.contact.exported.v1"
    contact: str
    lead: str
    leads: tuple[str, ...] = ()
    data: dict[str, JsonValue] = {}
    by: str


class ContactErased(Event):
    """Nothing is kept any more of who this contact was: the proof that it was done, and by whom.

    Subject: the contact id. `leads` are theirs; each says `LeadErased` in its own order. `not_by`
    are the channels that they had forbidden: a keyed hash of their points remembers those.
    """

    type = "relance.contact.erased.v1"
    contact: str
    leads: tuple[str, ...]
    not_by: tuple[Channel, ...] = ()
    by: str


class LeadErased(Event):
    """The lead is nobody's any more: whoever keeps anything of its contact forgets it now."""

    type = "relance.lead.erased.v1"
    contact: str
    by: str
