"""An action done the way people do it: what a refusal asks for is brought about first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from relance.people.stand import Arguments, Stand, action_of
from relance.people.values import COMPANY, EMAIL, NAME, TEXT, value_of
from relance.people.wish import Wish, joined, wish
from services.pipeline.core.condition import missing
from services.pipeline.core.lead import Lead
from services.pipeline.core.turn import Scene
from shared.contract.envelope import Envelope
from shared.contract.pipeline import ActionRefused, Need
from shared.domain.rulebook.condition import Condition, Filled, Is
from shared.domain.rulebook.rulebook import Rulebook

PATIENCE = 3
"""So often somebody does what a refusal asks for and tries again, at every depth."""


def accomplish(
    stand: Stand,
    lead: str,
    arguments: Arguments,
    by: str,
    *,
    may_wait: bool,
    may_invent: bool = True,
    depth: int = 2,
) -> bool:
    """Do it, and first what stands against it as far as people can; False where they cannot.

    What was done on the way stays done. `may_wait` lets time pass where that is asked for;
    `may_invent` lets attempts and conversations be noted because they are asked for.
    """
    manner = _Manner(may_wait=may_wait, may_invent=may_invent, depth=depth)
    return _accomplish(stand, lead, arguments, by, manner)


@dataclass(frozen=True)
class _Manner:
    may_wait: bool
    may_invent: bool
    depth: int


def _accomplish(stand: Stand, lead: str, arguments: Arguments, by: str, manner: _Manner) -> bool:
    arguments = dict(arguments)
    for _ in range(PATIENCE):
        action = action_of(arguments)
        if action is None:
            return False
        refusal = refusal_in(stand.act(lead, by, action))
        if refusal is None:
            return True
        if not stand.knows(lead):  # one by hand: what it is made of is said better
            arguments |= _said_better(stand.book, arguments, refusal, stand.now.date())
            lead = stand.new_lead(arguments, by)
            continue
        wanted = _wanted(stand.scene(lead, by), refusal.needs)
        if wanted is None or not _bring_about(stand, lead, wanted, by, manner):
            return False
        arguments |= wanted.given or {}
        by = wanted.by or by
    return False


def _said_better(
    book: Rulebook, arguments: Arguments, refusal: ActionRefused, today: date
) -> Arguments:
    """The arguments that the refusal of a lead by hand asks for."""
    known = arguments.get("fields")
    fields: dict[str, object] = dict(known) if isinstance(known, dict) else {}
    better: Arguments = {}
    for need in refusal.needs:
        for name in need.missing:
            if name in book.fields:
                fields[name] = value_of(book.fields[name], today)
            elif name in BY_HAND:
                better[name] = BY_HAND[name]
        asked = [c for r in book.requires if r.id == need.rule for c in r.need]
        for condition in asked if need.condition == Is.word else ():
            if isinstance(condition, Is):
                wanted = condition.is_.items()
                fields |= {n: v[0] for n, v in wanted if n in book.fields and isinstance(v, tuple)}
    return {**better, "fields": fields}


BY_HAND = {"email": EMAIL, "company": COMPANY, "name": NAME, "text": TEXT, "subject": TEXT}
"""What an agent knows of somebody whose lead they make by hand."""


def refusal_in(said: Iterable[Envelope]) -> ActionRefused | None:
    """The refusal among what was said."""
    return next((each.data for each in said if isinstance(each.data, ActionRefused)), None)


def actor_of(stand: Stand, lead: Lead) -> str:
    """Whoever works on the lead: its owner, else the first agent of the directory."""
    owner = lead.owner
    if owner is not None and not stand.world.directory.agent(owner).withdrawn:
        return owner
    return stand.world.directory.agents[0].id


def _wanted(scene: Scene, needs: Iterable[Need]) -> Wish | None:
    """What all the needs ask for together; None where one of them cannot be met."""
    wishes: list[Wish] = []
    for need in needs:
        asked = [*_conditions(scene, need)]
        if not asked and need.condition == Filled.word:  # the house's own: a file to choose
            asked = [Filled(filled=need.missing)]
        found = [wish(each, scene) for each in asked]
        made = next((each for each in found if each is not None), None)
        if made is None:
            return None
        wishes.append(made)
    return joined(wishes)


def _conditions(scene: Scene, need: Need) -> Iterator[Condition]:
    """The conditions of the rulebook behind a need; given arguments are not known here."""
    for requirement in scene.book.requires:
        for condition in requirement.need if requirement.id == need.rule else ():
            if condition.word == need.condition and missing(condition, scene):
                yield condition


def _bring_about(stand: Stand, lead: str, wanted: Wish, by: str, manner: _Manner) -> bool:
    for template in wanted.opens:
        sent = [m for m in stand.lead(lead).messages if m.template == template]
        mails = [m for m in sent if (m.channel, m.to, m.opened_at) == ("email", "contact", None)]
        if mails:
            stand.opens(mails[-1].id)
            break
    for step in wanted.first:
        if isinstance(step, datetime):
            if not manner.may_wait and step > stand.now:
                return False
            stand.until(max(step, stand.now))
            continue
        if not manner.may_invent and step["act"] in ("log_attempt", "log_contact"):
            return False
        deeper = replace(manner, depth=manner.depth - 1)
        if not manner.depth or not _accomplish(stand, lead, step, by, deeper):
            return False
    return True
