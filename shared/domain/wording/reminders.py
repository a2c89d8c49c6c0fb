"""What is due, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.contract import reminders
from shared.contract.envelope import Event
from shared.domain.wording.say import Say


def _planned(e: reminders.DeadlinePlanned, say: Say) -> str:
    return f"{say.task(e.name)} is due {say.at(e.due_at)}"


def _overdue(e: reminders.LeadOverdue, say: Say) -> str:
    return f"{say.task(e.name)} was due {say.at(e.due_at)} and is not done"


def _reached(e: reminders.DeadlineReached, say: Say) -> str:
    return f"{say.task(e.name)} has come ({say.at(e.due_at)})"


def _digest(e: reminders.DigestDue, say: Say) -> str:
    return f"time for the digest of {say.names.agent(e.agent)}"


def _absent(e: reminders.AgentAbsent, say: Say) -> str:
    return f"{say.names.agent(e.agent)} has been away since {say.at(e.since)}"


WORDS: dict[type[Event], Callable[[Any, Say], str]] = {
    reminders.DeadlinePlanned: _planned,
    reminders.LeadOverdue: _overdue,
    reminders.DeadlineReached: _reached,
    reminders.DigestDue: _digest,
    reminders.AgentAbsent: _absent,
}
