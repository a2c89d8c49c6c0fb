"""When two states of a contact's leads are the same to a rulebook: what exploring merges."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from relance.people.stand import Stand
from services.pipeline.core.condition import missing
from services.pipeline.core.lead import Lead
from shared.domain.rulebook.condition import AnyOf, By, Condition, Given, Not
from shared.domain.rulebook.rulebook import Rulebook


def atoms(book: Rulebook) -> tuple[Condition, ...]:
    """Every single condition that decides whether a rule runs; not what an action brings along."""
    found: dict[str, Condition] = {}
    for rule in book.rules:
        for atom in _atoms(rule.if_):
            found.setdefault(repr(atom), atom)
    return tuple(found.values())


def key(stand: Stand, conditions: Iterable[Condition]) -> Hashable:
    """The same for states that no rule can tell apart: outline and conditions."""
    told = (
        "".join("." if missing(each, stand.scene(lead.id)) else "1" for each in conditions)
        for lead in stand.leads
    )
    return (outline(stand), tuple(sorted(told)))


def outline(stand: Stand) -> Hashable:
    """What people see of the leads: stages, and what is still to come (tasks, deadlines)."""
    return tuple(sorted(_of(stand, lead) for lead in stand.leads))


def _of(stand: Stand, lead: Lead) -> tuple[str, ...]:
    return (
        lead.pipeline,
        lead.stage,
        lead.status,
        _owner(stand, lead),
        " ".join(sorted({task.name for task in lead.open_tasks()})),
        " ".join(sorted(d.name for d in lead.deadlines.values() if d.kind == "named")),
    )


def _owner(stand: Stand, lead: Lead) -> str:
    """Nobody, somebody of a team, or somebody whom no manager's digest speaks of; and whether they
    are there."""
    if lead.owner is None:
        return "nobody"
    directory = stand.world.directory
    owner = directory.agent(lead.owner)
    where = "gone" if owner.withdrawn else directory.availability(owner.id, stand.now)
    return f"{'team' if owner.team else 'alone'} {where}"


def _atoms(conditions: Iterable[Condition]) -> Iterator[Condition]:
    for condition in conditions:
        match condition:
            case Given() | By():
                continue
            case Not():
                yield from _atoms((condition.not_,))
            case AnyOf():
                for branch in condition.any_of:
                    yield from _atoms(branch)
            case _:
                yield condition
