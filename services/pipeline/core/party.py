"""Parties as agents: the owner, a role, a team, whose turn it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b

from services.pipeline.core.turn import Scene
from shared.domain.directory import Directory, Unknown

NEXT_OF = "next_of team:"
SITE = "site"
ISSUER = "issuer"


def agents(scene: Scene, party: str) -> tuple[str, ...]:
    """The agent ids that `party` stands for; none where nobody does (an unowned lead's owner).

    Raises `Unknown` for a team or role that nobody has: such a lead would be forgotten.
    """
    named = NAMED.get(party)
    if named is not None:
        return named(scene)
    if party.startswith(NEXT_OF):
        return (next_of(scene, party.removeprefix(NEXT_OF)),)
    kind, _, name = party.rpartition(":")
    if kind in ("team", "role"):
        return _ids(kind, scene, name)
    return (scene.directory.agent(name).id,)


def is_one_of(scene: Scene, agent: str | None, parties: tuple[str, ...]) -> bool:
    """Whether this agent is meant by any of `parties`; nobody is never meant."""
    if agent is None:
        return False
    for party in parties:
        try:
            if agent in agents(scene, party):
                return True
        except Unknown:
            continue
    return False


def next_of(scene: Scene, team: str) -> str:
    """Whose turn it is in `team`: never the owner, nor an earlier one while others are there,
    and nobody who is away while somebody else is not.

    Pure: the same lead and the same team give the same agent (rendezvous hash of the lead id),
    so there is no counter to share, and one agent's leaving moves only that agent's leads.
    """
    members = _ids("team", scene, team)
    lead = scene.lead
    there = [m for m in members if scene.directory.away(m, scene.now) is None]
    others = [m for m in there if m != lead.owner] or [m for m in members if m != lead.owner]
    fresh = [m for m in others if m not in lead.earlier_owners]
    return max(fresh or others or members, key=lambda agent: (_weight(lead.id, agent), agent))


def _weight(lead: str, agent: str) -> bytes:
    return blake2b(f"{lead}/{agent}".encode(), digest_size=8).digest()


def _owner(scene: Scene) -> tuple[str, ...]:
    """The owner; for one who has left, whoever managed them: no lead is left to nobody."""
    owner = scene.lead.owner
    if owner is None:
        return ()
    has_left = scene.directory.agent(owner).withdrawn
    return (_manager(scene) or (owner,)) if has_left else (owner,)


def _manager(scene: Scene) -> tuple[str, ...]:
    return tuple(agent.id for agent in scene.directory.managers_of(scene.lead.owner))


def _assignee(scene: Scene) -> tuple[str, ...]:
    """Who owes the task in hand; of a task that names nobody, the owner."""
    task = scene.task_in_hand
    return _owner(scene) if task is None or task.to is None else (task.to,)


def _issuer(scene: Scene) -> tuple[str, ...]:
    """Whoever the task in hand came from."""
    task = scene.task_in_hand
    return (task.issuer,) if task is not None and task.issuer is not None else ()


def _linked_owner(scene: Scene) -> tuple[str, ...]:
    """The owner of the other lead: the one kept instead, or the one that this one came of."""
    owner = scene.others[0].owner if scene.others else None
    return (owner,) if owner else ()


def _answer(scene: Scene) -> tuple[str, ...]:
    """The agent whom the last answer about this lead names."""
    named = (question.answer_to for question in reversed(scene.lead.questions.values()))
    return next(((agent,) for agent in named if agent), ())


def _last_caller(scene: Scene) -> tuple[str, ...]:
    """Who made the last attempt."""
    tried = (attempt.by for attempt in reversed(scene.lead.attempts))
    return next(((agent,) for agent in tried if agent), ())


def _ids(kind: str, scene: Scene, name: str) -> tuple[str, ...]:
    """`team:site` are those of the lead's site who are in a team."""
    directory = scene.directory
    if kind == "team" and name == SITE:
        return _of_site(directory, scene.lead.site)
    found = directory.agents_of(name) if kind == "team" else directory.with_role(name)
    if not found:
        raise Unknown(kind, name)
    return tuple(agent.id for agent in found)


def _of_site(directory: Directory, site: str) -> tuple[str, ...]:
    found = tuple(a.id for a in directory.agents if a.site == site and a.team is not None)
    if not found:
        raise Unknown("team of site", site)
    return found


NAMED: Mapping[str, Callable[[Scene], tuple[str, ...]]] = {
    "owner": _owner,
    "actor": lambda scene: (scene.actor,) if scene.actor else (),
    "assignee": _assignee,
    ISSUER: _issuer,
    "manager": _manager,
    "linked_owner": _linked_owner,
    "answer": _answer,
    "last_caller": _last_caller,
}
