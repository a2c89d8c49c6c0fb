"""A lead handed to another system: what it is told, and when."""

from __future__ import annotations

from services.pipeline.core.notify import Values, appointment_of, appointment_values, lead_values
from services.pipeline.core.turn import Scene, Turn
from shared.contract.envelope import Envelope
from shared.contract.pipeline import HandoffRequested


def hand_off(turn: Turn, lead: str, target: str, trigger: Envelope, by: str | None = None) -> None:
    """Ask that the target be told of the lead as it is now; each cause is an occasion."""
    scene = turn.scene(lead, by)
    turn.emit(
        lead,
        HandoffRequested(
            target=target,
            occasion=f"cause:{trigger.id}",
            site=scene.lead.site,
            values=handoff_values(scene),
            appointment=appointment_of(scene.lead, trigger),
            by=by,
        ),
    )


def handoff_values(scene: Scene) -> Values:
    """All that another system needs to go on with it: ids and instants, not words."""
    lead = scene.lead
    return {
        "lead": {
            "id": lead.id,
            **lead_values(scene.book, scene.directory, lead),
            "pipeline": lead.pipeline,
            "stage": lead.stage,
            "owner": lead.owner,
            "status": lead.status,
            "reason": lead.reason,
            "fields": {**lead.fields},
        },
        "contact": {
            "id": scene.contact.id,
            "name": scene.contact.name,
            "company": scene.contact.company,
            "points": [point.plain.model_dump() for point in scene.contact.points],
        },
        "appointment": appointment_values(lead.appointment),
        "documents": [
            {"kind": paper.kind, "status": paper.status, "name": paper.name, "url": paper.url}
            for paper in lead.documents
        ],
    }
