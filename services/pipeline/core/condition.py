"""Conditions, judged: what is missing for each to hold. One function a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from services.pipeline.core.consent import nothing_left
from services.pipeline.core.lead import Appointment, Attempt, Exchange, Lead
from services.pipeline.core.mention import found
from services.pipeline.core.moment import instant, later, local_date, moment_of
from services.pipeline.core.party import agents, is_one_of
from services.pipeline.core.turn import Scene
from shared.domain.contact_point import is_mobile
from shared.domain.rulebook import condition as words
from shared.domain.rulebook.condition import ANY, AttemptCount, Condition, ExchangeCount, Range
from shared.domain.rulebook.effect import ALL

Missing = tuple[str, ...]
CHANNELS_OF_POINT: Mapping[str, tuple[str, ...]] = {"phone": ("call", "sms"), "email": ("email",)}


def missing(condition: Condition, scene: Scene) -> Missing:
    """What is missing, by name: fields and arguments by theirs, else the condition's word.

    Empty when the condition holds.
    """
    found: Missing = CHECKS[type(condition)](condition, scene)
    return found


def all_hold(conditions: Iterable[Condition], scene: Scene) -> bool:
    """Whether nothing is missing for any of them."""
    for condition in conditions:  # noqa: SIM110 - asked of every rule; a generator costs more
        if CHECKS[type(condition)](condition, scene):
            return False
    return True


def speaks_of_status(conditions: Iterable[Condition]) -> bool:
    """Whether any of them asks for the lead's status: such a rule runs on closed leads too."""
    for condition in conditions:
        if isinstance(condition, words.Is) and "status" in condition.is_:
            return True
        if isinstance(condition, words.Not) and speaks_of_status([condition.not_]):
            return True
        if isinstance(condition, words.AnyOf) and any(map(speaks_of_status, condition.any_of)):
            return True
    return False


def known(scene: Scene, name: str) -> str | None:
    """The value of a field, a contact point, or something else that can be `filled`."""
    if name in CHANNELS_OF_POINT:
        return scene.contact.point(name) or scene.lead.point(name)
    if name == "mobile":
        return next((p.value for p in scene.contact.points if is_mobile(p.plain)), None)
    if name in ("name", "company"):
        told: str | None = getattr(scene.lead, name) or getattr(scene.contact, name)
        return told
    if name == "owner":
        return scene.lead.owner
    if name == "contact":
        return scene.contact.id if scene.contact.leads else None
    return scene.lead.fields.get(name)


def _is(condition: words.Is, scene: Scene) -> Missing:
    for name, want in condition.is_.items():
        if not _matches(attribute(scene, name), want):
            return ("is",)
    return ()


def attribute(scene: Scene, name: str) -> tuple[str, ...]:
    """The values that `is` compares: several for tags, none for what is not known."""
    derived = ATTRIBUTES.get(name)
    if derived is not None:
        return derived(scene)
    lead = scene.lead
    value = lead.fields.get(name) if name in scene.book.fields else getattr(lead, name)
    return () if value is None else (str(value),)


def blocked_names(lead: Lead) -> tuple[str, ...]:
    """The channels that are blocked, and `all` where that is all of them."""
    return (*lead.forbidden, ALL) if nothing_left(lead) else tuple(lead.forbidden)


def _said(it_is: object) -> tuple[str, ...]:
    return ("true" if it_is else "false",)


def _standing(appointment: Appointment | None, now: datetime) -> tuple[str, ...]:
    """booked (to come) or past, and the contact's answer; cancelled; missed."""
    if appointment is None:
        return ()
    if appointment.status != "booked":
        return (appointment.status,)
    when = "booked" if appointment.starts_at > now else "past"
    return (when, appointment.answer) if appointment.answer else (when,)


ATTRIBUTES: Mapping[str, Callable[[Scene], tuple[str, ...]]] = {
    "tags": lambda scene: scene.lead.tags,
    "late": lambda scene: _said(scene.lead.late_at),
    "blocked": lambda scene: blocked_names(scene.lead),
    "appointment": lambda scene: _standing(scene.lead.appointment, scene.now),
    "duplicate": lambda scene: _said(scene.lead.kept),
    "owner_locked": lambda scene: _said(scene.lead.owner_locked),
    "payment": lambda scene: tuple(payment.kind for payment in scene.lead.payments),
}
"""What is worked out of the lead rather than written in it."""


def _matches(values: tuple[str, ...], want: Range | tuple[str, ...]) -> bool:
    if isinstance(want, tuple):
        return any(value in want for value in values)
    return any(_within(value, want) for value in values)


def _within(value: str, bounds: Range) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    low, high = bounds.at_least, bounds.at_most
    return (low is None or number >= low) and (high is None or number <= high)


def _filled(condition: words.Filled, scene: Scene) -> Missing:
    empty = tuple(
        name
        for name in condition.filled
        if not known(scene, name) or (condition.current and _has_run_out(scene, name))
    )
    if condition.at_least is None:
        return empty
    return empty if len(condition.filled) - len(empty) < condition.at_least else ()


def _has_run_out(scene: Scene, name: str) -> bool:
    """Whether the value is one of a list, and not one that can be chosen today (001-30)."""
    field = scene.book.fields.get(name)
    if field is None or not field.values:
        return False
    return scene.lead.fields.get(name) not in field.choices(scene.today)


def _given(condition: words.Given, scene: Scene) -> Missing:
    arguments = scene.arguments or {}
    if isinstance(condition.given, dict):
        wanted = condition.given.items()
        return tuple(name for name, allowed in wanted if arguments.get(name) not in allowed)
    return tuple(name for name in condition.given if _is_blank(arguments.get(name)))


def _is_blank(value: object) -> bool:
    return not (value.strip() if isinstance(value, str) else value)


def _attempts(condition: words.Attempts, scene: Scene) -> Missing:
    want = condition.attempts
    tried = [a for a in scene.lead.attempts if _is_meant(a, want)]
    tried = _since(tried, want, scene)
    if want.apart is not None:
        tried = _apart(tried, want.apart, scene)
    if want.channel == "each_known" and _untried(scene, tried):
        return ("attempts",)
    number = len({local_date(scene, a.at) for a in tried}) if want.days else len(tried)
    return () if want.admits(number) else ("attempts",)


def _is_meant(attempt: Attempt, want: AttemptCount) -> bool:
    return (
        attempt.counted >= want.counted
        and want.code in (None, attempt.code)
        and want.outcome in (None, attempt.outcome)
        and want.channel in (None, "each_known", attempt.channel)
    )


AFTER_ITSELF = ("last_contact", "last_attempt", "last_call")
"""Moments that are an exchange: what is since them came after that one, and is not itself."""


def _since(made: list[Any], want: ExchangeCount, scene: Scene) -> list[Any]:
    if want.since == "received" or (want.since == "last_contact" and not scene.lead.contacts):
        return made
    start = instant(scene, want.since)
    if want.since in AFTER_ITSELF:
        return [one for one in made if one.at > start]
    return [one for one in made if one.at >= start]


def _apart(tried: list[Attempt], duration: str, scene: Scene) -> list[Attempt]:
    kept: list[Attempt] = []
    for attempt in tried:
        if not kept or attempt.at >= later(scene, kept[-1].at, duration):
            kept.append(attempt)
    return kept


def _untried(scene: Scene, tried: list[Attempt]) -> Missing:
    """The kinds of contact points known on whose channels nothing was tried."""
    used = {attempt.channel for attempt in tried}
    kinds = dict.fromkeys(point.kind for point in scene.contact.points)
    return tuple(kind for kind in kinds if not used.intersection(CHANNELS_OF_POINT[kind]))


def _contacts(condition: words.Contacts, scene: Scene) -> Missing:
    want = condition.contacts
    made: list[Exchange] = [c for c in scene.lead.contacts if want.channel in (None, c.channel)]
    return () if want.admits(len(_since(made, want, scene))) else ("contacts",)


def _elapsed(condition: words.Elapsed, scene: Scene) -> Missing:
    span = condition.elapsed
    start, end = moment_of(scene, span.since), moment_of(scene, span.until)
    if start is None or end is None:
        return ("elapsed",)
    return () if _long_enough(scene, start, end, span) else ("elapsed",)


def _long_enough(scene: Scene, start: datetime, end: datetime, span: words.Span) -> bool:
    if span.at_least is not None and end < later(scene, start, span.at_least):
        return False
    return span.at_most is None or end <= later(scene, start, span.at_most)


def _task(condition: words.Task, scene: Scene) -> Missing:
    want = condition.task
    leads = (scene.lead,) if want.of == "lead" else scene.leads.values()
    number = sum(
        want.name in (ANY, task.name)
        and task.status == want.status
        and (want.of == "lead" or task.to == scene.actor)
        and (not want.note or (task.note or "").strip() in want.note)
        for lead in leads
        for task in lead.tasks.values()
    )
    low = 1 if want.at_least is None and want.at_most is None else want.at_least
    ok = (low is None or number >= low) and (want.at_most is None or number <= want.at_most)
    return () if ok else ("task",)


def _message(condition: words.Message, scene: Scene) -> Missing:
    """A message on two channels is one message."""
    want = condition.message
    number = len(
        {
            (message.template, message.sent_at)
            for message in scene.lead.messages
            if message.template in want.template
            and (want.status == "sent" or message.opened_at is not None)
        }
    )
    if want.exactly is not None:
        return () if number == want.exactly else ("message",)
    return () if number >= (1 if want.at_least is None else want.at_least) else ("message",)


def _document(condition: words.Document, scene: Scene) -> Missing:
    want = condition.document
    there = {
        document.kind for document in scene.lead.documents if want.status in (None, document.status)
    }
    found = [kind in there for kind in want.kind]
    return () if (all(found) if want.all else any(found)) else ("document",)


def _mentions(condition: words.Mentions, scene: Scene) -> Missing:
    """The opposite is what a rulebook asks for, so what is missing is the word for it."""
    return () if mentioned(condition, scene) else ("mentions",)


def mentioned(condition: words.Mentions, scene: Scene) -> tuple[str, ...]:
    """The words of the lists that the texts hold, as they are written there."""
    arguments = scene.arguments or {}
    fields = arguments.get("fields")
    typed = fields if isinstance(fields, Mapping) else {}
    texts = (
        arguments.get(name) or typed.get(name) or scene.lead.fields.get(name)
        for name in condition.mentions.field
    )
    wanted = [word for list_ in condition.mentions.words for word in scene.book.words[list_].words]
    return tuple(word for text in texts if isinstance(text, str) for word in found(text, wanted))


def _by(condition: words.By, scene: Scene) -> Missing:
    return () if is_one_of(scene, scene.actor, condition.by) else ("by",)


def _availability(condition: words.Availability, scene: Scene) -> Missing:
    want = condition.availability
    party = agents(scene, want.party)
    states = {scene.directory.availability(agent, scene.now) for agent in party}
    return () if states == {want.is_} else ("availability",)


def linked(scene: Scene, conditions: Iterable[Condition]) -> Lead | None:
    """The other lead of the contact for which these hold, the one spoken of before any."""
    conditions = tuple(conditions)
    spoken_of = scene.others[:1] if scene.speaks_of_other else scene.others
    for lead in spoken_of:
        if all_hold(conditions, scene._replace(lead=lead)):
            return lead
    return None


def _linked(condition: words.Linked, scene: Scene) -> Missing:
    return () if linked(scene, condition.linked) is not None else ("linked",)


def _not(condition: words.Not, scene: Scene) -> Missing:
    return () if missing(condition.not_, scene) else ("not",)


def _any_of(condition: words.AnyOf, scene: Scene) -> Missing:
    return () if any(all_hold(branch, scene) for branch in condition.any_of) else ("any_of",)


CHECKS: Mapping[type[Condition], Callable[[Any, Scene], Missing]] = {
    words.Is: _is,
    words.Filled: _filled,
    words.Given: _given,
    words.Attempts: _attempts,
    words.Contacts: _contacts,
    words.Elapsed: _elapsed,
    words.Task: _task,
    words.Message: _message,
    words.Document: _document,
    words.Mentions: _mentions,
    words.By: _by,
    words.Availability: _availability,
    words.Linked: _linked,
    words.Not: _not,
    words.AnyOf: _any_of,
}
