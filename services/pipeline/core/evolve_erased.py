"""What is left of a lead whose contact was erased: what happened when, and nothing of whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.pipeline.core.evolve_task import Update
from services.pipeline.core.lead import Lead
from shared.contract.envelope import Envelope, Event
from shared.contract.pipeline import LeadErased


def _erased(lead: Lead, envelope: Envelope, _: LeadErased) -> Update:
    tasks = {
        id_: task.model_copy(update={"title": task.name, "note": None})
        for id_, task in lead.tasks.items()
    }
    return {
        "erased_at": envelope.time,
        "tie_break": 0,
        "points": (),
        "name": None,
        "company": None,
        "subject": None,
        "text": None,
        "language": None,
        "fields": {},
        "batch": None,
        "mail_ids": ours(lead.mail_ids),
        "heard": {},
        "tasks": tasks,
        "documents": tuple(_without(each, "name", "url") for each in lead.documents),
        "payments": tuple(_without(each, "amount") for each in lead.payments),
        "appointments": tuple(_without(each, "place") for each in lead.appointments),
    }


def ours(mail_ids: tuple[str, ...]) -> tuple[str, ...]:
    """Of the mails of a thread those that are known by an id of ours: what comes back from them
    still finds the lead. Others' Message-IDs may name people."""
    return tuple(mail for mail in mail_ids if _is_id(mail))


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _without(value: Any, *names: str) -> Any:
    return value.model_copy(update=dict.fromkeys(names))


ERASED_CHANGES: Mapping[type[Event], Callable[[Lead, Envelope, Any], Update]] = {
    LeadErased: _erased,
}
