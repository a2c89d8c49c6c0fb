"""A person is forgotten, on all their leads; what they had forbidden stays forbidden."""

from __future__ import annotations

from services.pipeline.core.consent import channels_of
from services.pipeline.core.stage import close
from services.pipeline.core.turn import Turn
from shared.contract.pipeline import ContactErased, LeadErased


def erase_contact(turn: Turn, lead: str, by: str) -> None:
    """Close what is open, and keep of each lead what happened when. Done once: again it is nothing.

    It starts no rule: whatever a rule did now would speak of somebody whom nobody knows.
    """
    contact = turn.contact(turn.lead(lead).contact)
    if contact.erased_at is not None:
        return
    leads = tuple(id_ for id_ in contact.leads if turn.has_lead(id_))
    for id_ in leads:
        turn.open(id_)
        close(turn, id_, "invalid", by=by)
        turn.emit(id_, LeadErased(contact=contact.id, by=by))
    not_by = channels_of(contact.revoked)
    turn.forget(contact.id)
    turn.tell(contact.id, ContactErased(contact=contact.id, leads=leads, not_by=not_by, by=by))
    turn.pending.clear()
