"""Attempts to reach the contact, whoever makes them: an agent, a rule or a message."""

from __future__ import annotations

from services.pipeline.core.condition import all_hold
from services.pipeline.core.turn import Turn
from shared.contract.intake import Channel
from shared.contract.pipeline import AttemptLogged

MADE = "made"
"""The outcome of an attempt nobody says more of."""


def log_attempt(
    turn: Turn,
    lead: str,
    code: str,
    *,
    outcome: str = MADE,
    channel: Channel | None = None,
    by: str | None = None,
) -> None:
    """One more attempt; whether it counts is judged before it is part of what is counted
    (001-05)."""
    declared = turn.book.attempts[code]
    counted = declared.counted and all_hold(declared.counts_if, turn.scene(lead, by))
    turn.emit(
        lead,
        AttemptLogged(
            because=None if counted or declared.rule is None else turn.because(declared.rule),
            code=code,
            channel=channel or declared.channel,
            outcome=outcome,
            counted=counted,
            cost=declared.cost if counted else 0,
            number=declared.number,
            by=by,
        ),
    )
