"""Whether events are what a scenario expects: given fields must match, times, words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from relance.simulation.expected import EVENTS, Expect, ExpectNo, Refuse
from shared.contract.envelope import Envelope
from shared.contract.pipeline import ActionRefused, LeadCreated, TaskCreated

NUMBER_OF = re.compile(r"\{(\w+)\.number\}")
TOLERANCE = timedelta(seconds=1)


@dataclass
class Known:
    """What a scenario calls things: leads by alias; and the kinds of tasks by task id."""

    zone: ZoneInfo
    leads: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, str]:
        """The numbers of the leads that have an alias."""
        return {name: self._numbers.get(lead, "") for name, lead in self.leads.items()}

    def spelt(self, text: str) -> str:
        """`{A.number}` is the number of lead A, as people say it."""
        return NUMBER_OF.sub(lambda found: self.numbers.get(found[1], found[0]), text)

    def learn(self, envelopes: Iterable[Envelope]) -> None:
        """Remember the tasks that were created, and leads that others led on to.

        Such a lead is called by its pipeline, the second one `production-2`.
        """
        for each in envelopes:
            if isinstance(each.data, TaskCreated):
                self.tasks[each.data.task] = each.data.name
            if isinstance(each.data, LeadCreated):
                self._numbers[each.subject] = each.data.number
            if isinstance(each.data, LeadCreated) and each.subject not in self.leads.values():
                named = [name for name in self.leads if name.startswith(each.data.pipeline)]
                more = f"-{len(named) + 1}" if named else ""
                self.leads[f"{each.data.pipeline}{more}"] = each.subject


def fits(envelope: Envelope, wanted: Expect | ExpectNo, known: Known) -> bool:
    """Whether one event is what is wanted."""
    if type(envelope.data) is not EVENTS[wanted.event]:
        return False
    if not all(_says(envelope, name, value, known) for name, value in wanted.given.items()):
        return False
    said = _words(envelope)
    return all(known.spelt(text) in said for text in wanted.texts)


def failure(wanted: Expect | ExpectNo, seen: Sequence[Envelope], known: Known) -> str | None:
    """Why the expectation does not hold for what was seen, in a sentence; None when it does."""
    found = [each for each in seen if fits(each, wanted, known)]
    asked = f"{wanted.event}{_details(wanted)}"
    if isinstance(wanted, ExpectNo):
        return f"expected no {asked}, but it happened {_often(len(found))}" if found else None
    if wanted.times is not None and len(found) != wanted.times:
        return f"expected {asked} {_often(wanted.times)}, but it happened {_often(len(found))}"
    return None if found else f"expected {asked}, but it did not happen"


def refusal_failure(step: Refuse, said: Sequence[Envelope]) -> str | None:
    """Why this is not the refusal that was expected, in a sentence; None when it is."""
    refused = [each.data for each in said if isinstance(each.data, ActionRefused)]
    if not refused:
        return "expected a refusal, but the action was allowed"
    if len(said) > 1:
        others = ", ".join(type(e.data).__name__ for e in said if e.data is not refused[0])
        return f"a refused action must change nothing, but there was {others}"
    needs = refused[0].needs
    missing = {name for need in needs for name in (need.missing or (need.condition,))}
    rules = {need.rule for need in needs}
    return different_refusal(step, missing, rules)


def different_refusal(step: Refuse, missing: set[str], rules: set[str]) -> str | None:
    """Whether something else is missing, or another rule refuses, than expected."""
    if missing != set(step.missing):
        return f"expected {_list(step.missing)} to be missing, but it is {_list(missing)}"
    if rules != set(step.rule):
        return f"expected a refusal by {_list(step.rule)}, but it is by {_list(rules)}"
    return None


def _says(envelope: Envelope, name: str, wanted: Any, known: Known) -> bool:
    event = envelope.data
    if name == "lead":
        lead = getattr(event, "lead", None) or envelope.subject
        return known.leads.get(str(wanted)) == lead
    if name == "rule":
        return event.because is not None and event.because.rule == wanted
    if name == "time":
        return equal(envelope.time, wanted, known)
    if name == "task":
        return any(equal(getattr(event, key, None), wanted, known) for key in ("task", "name"))
    return equal(getattr(event, name), wanted, known)


def equal(seen: Any, wanted: Any, known: Known) -> bool:
    """Whether a value is what was written: local times, kinds for task ids, parts of tables."""
    if isinstance(seen, datetime):
        local = datetime.fromisoformat(wanted) if isinstance(wanted, str) else wanted
        return abs(seen - local.replace(tzinfo=known.zone)) <= TOLERANCE
    if hasattr(seen, "model_dump"):
        if isinstance(wanted, str):  # a recipient: the agent, or `contact`
            return wanted in (seen.id, seen.kind) if hasattr(seen, "kind") else False
        seen = seen.model_dump(mode="json", by_alias=True, exclude_none=True)
    if isinstance(seen, Mapping) and isinstance(wanted, Mapping):
        return all(key in seen and equal(seen[key], value, known) for key, value in wanted.items())
    if isinstance(seen, list | tuple) and isinstance(wanted, list | tuple):
        return len(seen) == len(wanted) and all(
            equal(one, other, known) for one, other in zip(seen, wanted, strict=True)
        )
    if isinstance(seen, str) and seen in known.tasks and wanted == known.tasks[seen]:
        return True
    return bool(seen == wanted)


def _words(envelope: Envelope) -> str:
    event = envelope.data
    said = [getattr(event, name, None) for name in ("subject", "text", "note", "why")]
    return "\n".join(text for text in said if isinstance(text, str))


def _details(wanted: Expect | ExpectNo) -> str:
    said = [f"{name} = {value}" for name, value in wanted.given.items()]
    said += [f"with the words «{text}»" for text in wanted.texts]
    return f" ({', '.join(said)})" if said else ""


def _often(times: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(times, f"{times} times")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def lead_made_by(cause: Envelope, log: Iterable[Envelope]) -> str | None:
    """The lead that an input became or was kept on: the subject of what pipeline said of it."""
    said = [e for e in log if e.causationid == cause.id and e.source == "/pipeline"]
    said = [e for e in said if e.subject != getattr(e.data, "contact", None)]  # nobody's lead
    created = next((e for e in said if isinstance(e.data, LeadCreated)), None)
    return (created or said[0]).subject if said else None
