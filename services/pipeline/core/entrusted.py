"""What not everybody may do with a person: see everything, lift a block, forget them."""

from __future__ import annotations

from collections.abc import Iterator

from services.pipeline.core import action as acts
from services.pipeline.core.action import ActionBase
from services.pipeline.core.consent import channels_of
from services.pipeline.core.contact import HOUSE
from services.pipeline.core.phrase import Phrases, shown
from services.pipeline.core.turn import Scene
from shared.contract.pipeline import Need
from shared.domain.rulebook.condition import By

ENTRUSTED: tuple[type[ActionBase], ...] = (
    acts.Unblock,
    acts.ExportContact,
    acts.EraseContact,
)
"""Done only by whom a requirement of the rulebook names; nobody where it names nobody."""


def entrusted(scene: Scene, action: ActionBase, phrases: Phrases) -> Iterator[Need]:
    """Whether the rulebook says who may."""
    if not isinstance(action, ENTRUSTED):
        return
    word = str(getattr(action, "act", ""))
    bound = scene.book.requires_on(word, action.main_arguments)
    if not any(isinstance(need, By) for each in bound for need in each.need):
        says = phrases.say("entrusted_says", name=word)
        by = phrases.say("entrusted", name=word)
        yield Need(rule=HOUSE, says=says, condition="by", missing=("by",), satisfied_by=by)


def erased(scene: Scene, action: ActionBase, phrases: Phrases) -> Iterator[Need]:
    """Of a lead that nobody knows whose it was only that can be asked again."""
    at = scene.lead.erased_at
    if at is not None and not isinstance(action, (acts.EraseContact, acts.ExportContact)):
        zone = scene.directory.opening(scene.lead.site).zone
        says = phrases.say("erased_says", shown(at.astimezone(zone)))
        by = phrases.say("erased")
        yield Need(rule=HOUSE, says=says, condition="erased", missing=("erased",), satisfied_by=by)


def unblocked(scene: Scene, action: acts.Unblock, phrases: Phrases) -> Iterator[Need]:
    """There must be something to lift, said of whom it is lifted for."""
    whole_person = action.for_ == "contact"
    standing = scene.contact.revoked if whole_person else scene.lead.blocked
    if not standing.keys() & set(channels_of(action.channels)):
        key = "unblock_contact" if whole_person else "unblock_lead"
        says = phrases.say(f"{key}_says", action.channels)
        by = phrases.say("unblock", [*standing] or ())
        yield Need(rule=HOUSE, says=says, condition="block", missing=("block",), satisfied_by=by)
