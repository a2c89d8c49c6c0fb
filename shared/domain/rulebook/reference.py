"""Names in a rulebook that must exist: every field marked with `Ref` is looked up at load."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from shared.domain.duration import parse
from shared.domain.rulebook.due import MOMENTS, DueTime
from shared.domain.rulebook.effect import Ask, Send, SetDeadline
from shared.domain.rulebook.placeholder import unknown
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.word import KIND_NAMES, Kind, Ref

POINTS = ("phone", "email")
CONTACT_FIELDS = (*POINTS, "name", "company")
"""What every lead knows of its contact without a declaration."""

ATTRIBUTES = (
    "pipeline",
    "stage",
    "status",
    "reason",
    "channel",
    "source",
    "site",
    "tags",
    "late",
    "owner",
    "outcome",
    "payment",
    "appointment",
    "blocked",
    "owner_locked",
    "duplicate",
)
"""What `is` can ask of every lead, besides fields."""

PARTIES = (
    "owner",
    "actor",
    "assignee",
    "issuer",
    "manager",
    "linked_owner",
    "last_caller",
    "answer",
)
PARTY_PREFIXES = ("role:", "team:", "next_of team:", "agent:")

Path = tuple[str | int, ...]
_ARTICLES = {"contact": "a contact", "agent": "an agent"}


def dangling(book: Rulebook) -> Iterator[tuple[Path, str]]:
    """Every name that stands for nothing: where it is, and what was expected, in a sentence."""
    known = known_names(book)
    for path, ref, name in _references(book, ()):
        problem = None if name == ref.also else _problem(ref.kind, name, known)
        if problem is not None:
            yield path, problem
    yield from _sent_to_the_wrong(book)
    yield from _unknown_sections(book)
    yield from _uncountable(book)
    yield from _unfillable(book)


def parties(book: Rulebook) -> Iterator[str]:
    """Every party that the rulebook names, in file order."""
    for _, ref, name in _references(book, ()):
        if ref.kind == "party" and name != ref.also:
            yield name


def _unknown_sections(book: Rulebook) -> Iterator[tuple[Path, str]]:
    """A section of a digest that lists tasks of a kind that nobody declared."""
    known = known_names(book)
    for number, digest in enumerate(book.digests):
        for kind in digest.task_kinds:
            if (problem := _problem("task", kind, known)) is not None:
                yield ("digest", number, "sections"), problem


def _unfillable(book: Rulebook) -> Iterator[tuple[Path, str]]:
    """A placeholder in a text that stands for nothing."""
    texts: list[tuple[Path, str | None]] = [
        (("task", place, "script"), task.script) for place, task in enumerate(book.tasks.values())
    ]
    for number, rule in enumerate(book.rules):
        for place, effect in enumerate(rule.do):
            texts += [
                (("rule", number, "do", place, key), getattr(effect, key, None))
                for key in ("note", "subject")
            ]
    for path, text in texts:
        problem = unknown(text, book.fields) if isinstance(text, str) else None
        if problem is not None:
            yield path, problem


def _uncountable(book: Rulebook) -> Iterator[tuple[Path, str]]:
    """A setting is counted by open hours or working days where a rule says so: in their units."""
    for number, rule in enumerate(book.rules):
        for place, effect in enumerate(rule.do):
            due = getattr(effect, "due", None)
            if not isinstance(due, DueTime):
                continue
            for key, name in (("in", due.in_), ("before", due.before)):
                setting = book.settings.get(name or "")
                if setting and (problem := due.uncountable(setting.default)):
                    yield ("rule", number, "do", place, "due", key), f"setting {name}: {problem}"


def _sent_to_the_wrong(book: Rulebook) -> Iterator[tuple[Path, str]]:
    """A template is for the contact or for agents; a rule sends it to those."""
    templates = book.messages.templates
    for number, rule in enumerate(book.rules):
        for place, effect in enumerate(rule.do):
            if not isinstance(effect, Send | Ask):
                continue
            name = effect.send if isinstance(effect, Send) else effect.ask
            if name in templates and (templates[name].to == "contact") != (effect.to == "contact"):
                meant = _ARTICLES[templates[name].to]
                yield (
                    ("rule", number, "do", place, "to"),
                    f"template {name!r} is for {meant}, not for {effect.to!r}",
                )


def known_names(book: Rulebook) -> Mapping[Kind, tuple[str, ...]]:
    """What a reference of each kind can name in this rulebook."""
    stages = [stage.id for p in book.pipelines.values() for stage in p.stage]
    stages += [f"{p.id}.{stage.id}" for p in book.pipelines.values() for stage in p.stage]
    dates = tuple(f.id for f in book.fields.values() if f.type == "date")
    deadlines = [e.set_deadline for r in book.rules for e in r.do if isinstance(e, SetDeadline)]
    questions = [e.ask for r in book.rules for e in r.do if isinstance(e, Ask)]
    return {
        "question": tuple(questions),
        "pipeline": tuple(book.pipelines),
        "stage": tuple(stages),
        "field": tuple(book.fields),
        "filled": (*book.fields, *CONTACT_FIELDS, "mobile", "owner", "contact"),
        "task": tuple(book.tasks),
        "outcome": tuple(book.outcomes),
        "attempt": tuple(book.attempts),
        "attempt or outcome": (*book.attempts, *book.outcomes),
        "reason": tuple(book.reasons),
        "template": tuple(book.messages.templates),
        "words": tuple(book.words),
        "target": tuple(book.messages.targets),
        "document": tuple(book.documents),
        "date field": dates,
        "deadline": tuple(deadlines),
        "duration": tuple(book.settings),
        "queue": tuple(book.queues),
        "moment": (*MOMENTS, *dates),
        "attribute": (*ATTRIBUTES, *book.fields),
    }


def _problem(kind: Kind, name: str, known: Mapping[Kind, tuple[str, ...]]) -> str | None:
    if kind == "party":
        return _party_problem(name)
    if name in known[kind]:
        return None
    if kind == "duration":
        try:
            parse(name)
        except ValueError as error:
            return f"{error}, or the name of a setting"
        return None
    close = get_close_matches(name, known[kind], n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known[kind]) or 'none'}"
    return f"{name!r} is no {KIND_NAMES.get(kind, kind)} of this rulebook; {hint}"


def _party_problem(name: str) -> str | None:
    """Agents and teams live in the directory, so only the form of a party is checked here."""
    prefix = next((p for p in PARTY_PREFIXES if name.startswith(p)), None)
    if name in PARTIES or (prefix is not None and len(name) > len(prefix)):
        return None
    return (
        f"{name!r} is no agent here; expected {', '.join(PARTIES)}, role:x, team:x, next_of team:x "
        "or agent:x"
    )


def _references(value: Any, path: Path) -> Iterator[tuple[Path, Ref, str]]:
    """Every (path, reference, name) below a model, by walking its annotated fields."""
    if isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            annotation: Any = info.annotation
            for meta in info.metadata:
                annotation = Annotated[annotation, meta]
            yield from _marked(getattr(value, name), annotation, (*path, info.alias or name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _references(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _references(item, (*path, str(key)))


def _marked(value: Any, annotation: Any, path: Path) -> Iterator[tuple[Path, Ref, str]]:
    """References in a value by its annotation: `Ref` marks a text, the items or the keys."""
    ref = _ref_of(annotation)
    if ref is None or isinstance(value, BaseModel):
        yield from _references(value, path)
    elif isinstance(value, str):
        yield path, ref, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key), ref, key
            yield from _references(item, (*path, key))
    elif value is not None:
        for item in value:
            yield path, ref, item


def _ref_of(annotation: Any) -> Ref | None:
    """The mark anywhere in the annotation; an annotation carries at most one."""
    if get_origin(annotation) is Annotated:
        annotation, *metadata = get_args(annotation)
        found = next((mark for mark in metadata if isinstance(mark, Ref)), None)
        if found is not None:
            return found
    return next((ref for arg in get_args(annotation) if (ref := _ref_of(arg))), None)
