"""What an agent's action was answered."""

from __future__ import annotations

from shared.contract.envelope import Event, Value


class Need(Value):
    """One thing that is missing, with the rule that asks for it and its own sentence.

    `condition` is the rulebook's word (`filled`, `attempts`, …), `missing` what is missing by
    name, `satisfied_by` what would satisfy it, for people.
    """

    rule: str
    says: str
    condition: str
    missing: tuple[str, ...] = ()
    satisfied_by: str


class ActionRefused(Event):
    """An agent's action was refused; every missing need at once."""

    type = "relance.action.refused.v1"
    action: str
    by: str
    needs: tuple[Need, ...]


class ActionWarned(Event):
    """An agent's action was done, but not as the rulebook would have it; every such need."""

    type = "relance.action.warned.v1"
    action: str
    by: str
    needs: tuple[Need, ...]
