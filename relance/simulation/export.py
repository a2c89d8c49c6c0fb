"""What would be handed out of a person, in the simulated world."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from relance.simulation.expectation import Known, equal
from relance.simulation.expected import View
from services.pipeline.core.export import exported
from services.pipeline.core.lead import Lead
from services.pipeline.core.world import World
from shared.contract.envelope import Envelope
from shared.contract.notifications import MessageEvent
from shared.domain.directory import Directory
from shared.domain.rulebook.rulebook import Rulebook


def export_of(
    lead: Lead, world: World, log: Sequence[Envelope], book: Rulebook, directory: Directory
) -> dict[str, JsonValue]:
    """The document, with the history that the shell would have kept."""
    contact = world.contacts[lead.contact]
    leads = [world.leads[id_] for id_ in contact.leads]
    histories = {each.id: _history(each.id, log) for each in leads}
    return exported(contact, leads, histories, book, directory)


def _history(lead: str, log: Sequence[Envelope]) -> list[Envelope]:
    """What pipeline said of the lead, what came of it, and what came in first."""
    own = [e for e in log if e.source == "/pipeline" and e.subject == lead]
    causes = {e.causationid for e in own}

    def is_about(each: Envelope) -> bool:
        told = isinstance(each.data, MessageEvent) and each.data.lead == lead
        return told or each.id in causes or (each.source == "/pipeline" and each.subject == lead)

    return [each for each in log if is_about(each)]


def export_failure(step: View, document: Mapping[str, JsonValue], known: Known) -> str | None:
    """Why this is not what should be handed out, in a sentence; None when it is."""
    if step.data is not None and not equal(document, step.data, known):
        return f"expected {step.data} to be handed out, but it is {document}"
    words = json.dumps(document, ensure_ascii=False)
    for text in step.text_has:
        if known.spelt(text) not in words:
            return f"expected «{text}» in what is handed out, but it is not there"
    for text in step.text_has_no:
        if known.spelt(text) in words:
            return f"expected no «{text}» in what is handed out, but it is there"
    return None
