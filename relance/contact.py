"""`relance contact export | erase`: what a person asks for by law, done as an agent by pipeline's
API, so that the rulebook says who may and the history who did."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from relance.database import CannotDo
from shared.domain.count import counted

_TIMEOUT_S = 60.0


class NotDone(CannotDo):
    """Why it was not done: a sentence, or a line for each reason."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where pipeline answers, and the key of the agent who asks."""

    url: str
    key: str

    def lead(self, lead: str) -> dict[str, Any]:
        """The lead as it is now; raises `NotDone`."""
        return self._ask("GET", f"/api/leads/{lead}")

    def act(self, lead: str, act: str) -> dict[str, Any]:
        """What came of it; raises `NotDone` with every reason of a refusal."""
        return self._ask("POST", f"/api/leads/{lead}/actions", {"act": act})

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self.key}"}
        try:
            with httpx2.Client(base_url=self.url, timeout=_TIMEOUT_S, headers=headers) as client:
                answer = client.request(method, path, json=body)
                said: dict[str, Any] = answer.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise NotDone(
                f"pipeline does not answer at {self.url} ({type(error).__name__}): "
                "is it running, and is this its address?"
            ) from None
        if answer.status_code == 409:
            reasons = [
                f"  {need['rule']}  {need['says']} → {need['satisfied_by']}"
                for need in said["needs"]
            ]
            raise NotDone("\n".join(["the rulebook refuses it:", *reasons]))
        if not answer.is_success:
            raise NotDone(str(said.get("detail", answer.status_code)))
        return said


def export(desk: Desk, lead: str, to: Path | None) -> str:
    """Everything that is kept of the lead's contact: as JSON, or where it was written."""
    document = desk.act(lead, "export_contact")["document"]
    text = json.dumps(document, ensure_ascii=False, indent=2)
    if to is None:
        return text
    try:
        to.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise NotDone(f"{to} cannot be written ({error.strerror}): name another file") from None
    moments = sum(len(each["history"]) for each in document["leads"])
    return (
        f"Written to {to}: {counted(len(document['points']), 'contact point')}, "
        f"{counted(len(document['leads']), 'lead')}, {counted(moments, 'moment')} of history. "
        "It holds personal data: hand it to the person, and keep no copy."
    )


def erase(desk: Desk, lead: str, *, for_real: bool) -> str:
    """What would be forgotten, or that it is."""
    shown = desk.lead(lead)
    if shown["erased_at"] is not None:
        return f"The contact of lead №{shown['number']} was erased on {shown['erased_at'][:10]}."
    if not for_real:
        who = ", ".join(filter(None, (shown["name"], shown["phone"], shown["email"])))
        return (
            f"Would forget {who or 'the contact'} of lead №{shown['number']}, on all their leads "
            "and for ever: names, contact points, notes, texts, messages. What happened when "
            "stays, and what they forbade stays forbidden. Kafka keeps what was said for its "
            "retention (docs/runbook.md, «Erase a person»). Nothing is done yet: --yes does it."
        )
    events = desk.act(lead, "erase_contact")["events"]
    told = next(each["data"] for each in events if each["type"] == "relance.contact.erased.v1")
    kept = ", ".join(told.get("not_by", ()))
    return f"Erased: contact {told['contact']}, {counted(len(told['leads']), 'lead')}." + (
        f" Still not to be contacted by: {kept}." if kept else ""
    )
