"""What a scenario's `view` steps look at: leads in a list, a queue, an export, a spend."""

from __future__ import annotations

from collections.abc import Iterable

from relance.simulation.cast import Cast, Failed
from relance.simulation.expected import View
from relance.simulation.export import export_failure, export_of
from services.pipeline.core.digest import owners_for
from services.pipeline.core.lead import Lead
from services.pipeline.core.order import by_urgency


def view_failure(step: View, cast: Cast) -> str | None:
    """Why something else is seen than was expected. Raises `Failed` where nothing can be."""
    if step.view == "queue":
        shown = cast.called(cast.standing(step.queue, step.by))
        if shown == list(step.leads):
            return None
        return f"expected the queue {_line(step.leads)}, but it is {_line(shown)}"
    if step.view == "export":
        world = cast.world
        document = export_of(
            cast.lead(step.lead), cast.pipelines[0].world, world.log, cast.book, world.directory
        )
        return export_failure(step, document, cast.known)
    if step.view == "spend":
        spent = cast.lead(step.lead).spend
        if spent == step.amount:
            return None
        return f"expected a spend of {step.amount}, but it is {spent}"
    return _leads_failure(step, cast)


def _leads_failure(step: View, cast: Cast) -> str | None:
    seen = [lead for lead in cast.leads if _is_shown(lead, step, cast)]
    if step.order == "urgency":
        seen = by_urgency(seen)
    shown, wanted = cast.called(seen), list(step.leads)
    if shown == wanted if step.order else set(shown) == set(wanted):
        return None
    return f"expected to see {_line(sorted(wanted))}, but there is {_line(sorted(shown))}"


def _is_shown(lead: Lead, step: View, cast: Cast) -> bool:
    if step.manager is not None and lead.owner not in owners_for(
        cast.world.directory, step.manager
    ):
        return False
    if step.contact_of is not None and lead.contact != cast.lead(step.contact_of).contact:
        return False
    given = {k: cast.known.spelt(v) if isinstance(v, str) else v for k, v in step.given.items()}
    return all(_shows(lead, name, value) for name, value in given.items())


def _shows(lead: Lead, name: str, wanted: object) -> bool:
    if name == "late":
        return wanted == (lead.late_at is not None)
    if name not in Lead.model_fields:
        raise Failed(f"a lead has no attribute {name}")
    seen: object = getattr(lead, name)
    return seen == wanted


def _line(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
