"""What an expectation can name: a misspelt template or agent must not pass as "never happened"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

from relance.rows import required_rows, rules_in
from relance.simulation.expected import EVENTS, Expect, ExpectNo, Refuse, View
from relance.simulation.step import Declare, Receive, Step
from services.pipeline.core.lead import Lead
from shared.domain.directory import Directory
from shared.domain.rulebook.effect import Ask
from shared.domain.rulebook.reference import known_names
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.word import Kind

HOUSE = "house-00"
"""What holds in every company: no rule says it."""

_PEOPLE = frozenset({"owner", "previous", "by", "agent", "issuer", "to"})
_DECLARED: Mapping[str, tuple[Kind, ...]] = {
    "template": ("template",),
    "pipeline": ("pipeline",),
    "stage": ("stage",),
    "left": ("stage",),
    "reason": ("reason",),
    "outcome": ("outcome",),
    "code": ("attempt", "outcome"),
    "question": ("question",),
    "target": ("target",),
    "task": ("task", "deadline"),
}
"""By the fields of events: the kinds of declarations that their values are ids of."""


_WATCHED = tuple(name for name in EVENTS if name.startswith(("Deadline", "Task", "LeadOverdue")))
"""Events whose name is that of a task or of a deadline."""


@dataclass(frozen=True)
class Vocabulary:
    """The ids of one company, by what an event's field holds."""

    book: Rulebook
    directory: Directory

    def problems(self, steps: tuple[Step, ...]) -> Iterator[tuple[int, str]]:
        """Every value that no event of this company can have, and whoever acts and is nobody: its
        step, and a sentence."""
        for number, step in enumerate(steps, 1):
            for who in _people_in(step):
                if why := self._unknown("agent", who, self._names["agent"]):
                    yield number, why
            if isinstance(step, Expect | ExpectNo | View):
                model = Lead if isinstance(step, View) else EVENTS[step.event]
                for name, value in step.given.items():
                    for each in value if isinstance(value, list | tuple) else (value,):
                        if isinstance(each, str) and (why := self._problem(model, name, each)):
                            yield number, why
                if isinstance(step.given.get("fields"), Mapping):
                    for name in step.given["fields"]:
                        if why := self._unknown("field", name, self._names["fields"]):
                            yield number, why

    def rule_problem(self, rule: str) -> str | None:
        """Why a scenario cannot prove this rule, in a sentence; None when it can."""
        rows = required_rows().get(self.book.name, ())
        return self._unknown("rule", rule, self._names["rule"] | {HOUSE, *rows})

    def _problem(self, model: type[BaseModel], field: str, value: str) -> str | None:
        of_event = f"{model.__name__}.{field}"
        known = _spelt_out(model, field) or self._names.get(of_event) or self._names.get(field)
        return None if known is None else self._unknown(field, value, known)

    def _unknown(self, field: str, value: str, known: frozenset[str]) -> str | None:
        if value in known:
            return None
        near = get_close_matches(value, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there is {', '.join(sorted(known))}"
        return f"no {field} is called {value!r}{hint}"

    @cached_property
    def _names(self) -> Mapping[str, frozenset[str]]:
        declared = known_names(self.book)
        people = frozenset(agent.id for agent in self.directory.agents)
        outside = frozenset({"contact", "agent", *declared["target"]})
        names = {
            field: frozenset(n for k in kinds for n in declared[k])
            for field, kinds in _DECLARED.items()
        }
        names |= dict.fromkeys(_PEOPLE, people)
        names["to"] = people | outside
        names["stage"] = names["left"] = frozenset(id_ for _, id_ in self.book.stages)
        watched = frozenset((*declared["task"], *declared["deadline"]))
        names |= dict.fromkeys((f"{event}.name" for event in _WATCHED), watched)
        names["DocumentAttached.kind"] = frozenset(self.book.documents)
        names["site"] = frozenset(site.id for site in self.directory.sites)
        names["answer"] = frozenset(_answers(self.book))
        names["fields"] = frozenset((*declared["filled"], *_mapped(self.book)))
        names["rule"] = frozenset(rules_in(self.book))
        return names


def _answers(book: Rulebook) -> Iterator[str]:
    """What can be answered: to our questions, and by a calendar to an invitation."""
    yield from ("accepted", "declined", "tentative")
    for rule in book.rules:
        for effect in rule.do:
            if isinstance(effect, Ask):
                yield from effect.answers


def _mapped(book: Rulebook) -> Iterator[str]:
    for source in book.sources.source:
        yield from source.mapping.values()


def _people_in(step: Step) -> Iterator[str]:
    """The agents who act in a step, or whom it names."""
    if isinstance(step, Refuse):
        yield from _people_in(step.refuse)
    if isinstance(step, Receive) and step.receive == "file":
        return  # a file says initials too, and whoever it says nobody knows is a case of its own
    if isinstance(step, Declare):
        told = step.values.get("agent")
        yield from (told,) if isinstance(told, str) else ()
    for name in ("by", "owner", "answered_by", "agent", "manager"):
        who = getattr(step, name, None)
        if isinstance(who, str) and not isinstance(step, Expect | ExpectNo | Declare):
            yield who


def _spelt_out(model: type[BaseModel], field: str) -> frozenset[str] | None:
    """The values of a field whose model lists them all."""
    info = model.model_fields.get(field)
    values = frozenset(_literals(info.annotation)) if info else frozenset()
    return values or None


def _literals(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from (value for value in get_args(annotation) if isinstance(value, str))
    else:
        for each in get_args(annotation):
            yield from _literals(each)
