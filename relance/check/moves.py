"""What can happen next to a contact's leads: every way that the rulebook's own words name.

A move is said in words, so that a path of them can be read, and is done on a stand of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from relance.check.around import around
from relance.check.move import Move
from relance.people.commitment import commitments
from relance.people.deed import accomplish, actor_of
from relance.people.stand import MINUTE, Arguments, Stand
from relance.people.values import EMAIL, known_value, phone_in, sent_by, ways_in
from relance.simulation.input import NoSuchSource, replied, source_of
from relance.simulation.step import Reply
from services.pipeline.core.lead import Lead
from shared.domain.names import Names
from shared.domain.rulebook.condition import ANY
from shared.domain.rulebook.declaration import Final
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.rulebook.source import Source

LEADS_AT_MOST = 3
"""A contact with this many leads gets in touch no more."""


def beginnings(stand: Stand) -> Iterator[Move]:
    """Every way in which a first lead can come."""
    book = stand.book
    for source in book.sources.source:
        yield from _arrivals(stand, source)
    by = stand.world.directory.agents[0].id
    region = stand.world.directory.sites[0].region
    for pipeline in book.pipelines:
        for known in ({"phone": phone_in(region)}, {"email": EMAIL}, {"company": "Example"}):
            yield Move(
                f"{by} makes a lead by hand in {pipeline}, knowing the {next(iter(known))}",
                _by_hand({"act": "create_lead", "pipeline": pipeline, **known}, by),
            )


def moves(stand: Stand, names: Names) -> Iterator[Move]:
    """Everything that can happen next."""
    yield from _time(stand, names)
    for lead in stand.leads:
        for words, arguments in deeds(stand, lead):
            yield Move(_told(stand, lead, words), _deed(lead.id, arguments))
        for message in lead.messages:
            if (message.channel, message.to, message.opened_at) == ("email", "contact", None):
                yield Move(f"the contact opens «{message.template}»", _opens(message.id))
    if len(stand.leads) < LEADS_AT_MOST:
        for source in stand.book.sources.source:
            yield from _arrivals(stand, source)
    yield from _replies(stand)
    yield from around(stand)


def deeds(stand: Stand, lead: Lead) -> Iterator[tuple[str, Arguments]]:
    """What an agent can do to a lead, in words and as an action's arguments."""
    book = stand.book
    if lead.is_open:
        yield from _stages(book, lead)
        yield from _endings(book, lead)
        yield from _tasks(book, lead)
        yield from _sending(book)
        yield from commitments(stand, lead)
        for agent in _kinds_of_agents(stand):
            if agent != lead.owner:
                yield f"assigns it to {agent}", {"act": "assign", "to": agent}
    else:
        yield "opens it again", {"act": "reopen"}
    yield from _tried(book)
    yield from _known(stand, lead)
    for document in book.documents:
        yield f"attaches {document}", {"act": "attach", "kind": document}
    for kind in ("deposit", "partial", "final"):
        yield f"confirms a {kind} payment", {"act": "confirm_payment", "kind": kind}


def _kinds_of_agents(stand: Stand) -> tuple[str, ...]:
    """Two of a team and one of none: whoever has no manager is forgotten first."""
    agents = stand.world.directory.agents
    team = [agent.id for agent in agents if agent.team is not None]
    return (*team[:2], *[agent.id for agent in agents if agent.team is None][:1])


def _stages(book: Rulebook, lead: Lead) -> Iterator[tuple[str, Arguments]]:
    here = book.stages[(lead.pipeline, lead.stage)]
    for to in here.next:
        if book.stages[(lead.pipeline, to)].closes is None:
            label = book.stages[(lead.pipeline, to)].label
            yield f"moves it to «{label}»", {"act": "move", "to": to}


def _endings(book: Rulebook, lead: Lead) -> Iterator[tuple[str, Arguments]]:
    finals: tuple[Final, ...] = ("won", "lost", "invalid")
    for status in finals:
        stage = book.pipelines[lead.pipeline].closing(status)
        if stage is not None or status == "invalid":
            yield f"closes it as {status}", {"act": "close", "status": status}
    for reason in book.reasons:
        yield (
            f"closes it as lost ({reason})",
            {"act": "close", "status": "lost", "reason": reason},
        )
    for outcome in book.outcomes:
        yield f"classifies it as {outcome}", {"act": "classify", "outcome": outcome}


def _tasks(book: Rulebook, lead: Lead) -> Iterator[tuple[str, Arguments]]:
    for name in dict.fromkeys(task.name for task in lead.open_tasks()):
        label = book.tasks[name].label if name in book.tasks else name
        yield f"completes «{label}»", {"act": "complete_task", "task": name}
        yield f"cancels «{label}»", {"act": "cancel_task", "task": name}
    spoken = {
        v for rule in book.rules if rule.when.word in SPEAK_OF_TASKS for v in rule.when.values
    }
    for name in book.tasks:
        if (name in spoken or ANY in spoken) and not lead.open_tasks(name):
            yield (
                f"sets the task «{book.tasks[name].label}»",
                {"act": "create_task", "task": name, "due": {"in": "1d"}},
            )


SPEAK_OF_TASKS = ("task_completed", "overdue")


def _sending(book: Rulebook) -> Iterator[tuple[str, Arguments]]:
    for template in book.messages.template:
        if template.to == "contact":
            yield (
                f"sends «{template.id}»",
                {"act": "send", "template": template.id, "subject": "…", "text": "…"},
            )


def _tried(book: Rulebook) -> Iterator[tuple[str, Arguments]]:
    listened = {v for rule in book.rules if rule.when.word == "attempt" for v in rule.when.values}
    for code, declared in book.attempts.items():
        yield f"logs the attempt {code}", {"act": "log_attempt", "code": code}
        for outcome in book.outcomes:
            if outcome in listened:
                yield (
                    f"logs the attempt {code} as {outcome}",
                    {"act": "log_attempt", "code": code, "outcome": outcome},
                )
        if declared.channel == "call":
            yield "speaks with the contact by call", {"act": "log_contact", "channel": "call"}


def _known(stand: Stand, lead: Lead) -> Iterator[tuple[str, Arguments]]:
    """Fields that a rule waits for, and contact points that are not known yet."""
    waited = {v for r in stand.book.rules if r.when.word == "field_set" for v in r.when.values}
    scene = stand.scene(lead.id)
    for name in (*stand.book.fields, "phone", "email"):
        value = known_value(scene, name)
        wanted = name in waited or name in ("phone", "email") or ANY in waited
        if wanted and value and not (lead.point(name) or lead.fields.get(name)):
            yield f"fills in {name}", {"act": "set_fields", "fields": {name: value}}
        elif name in waited and lead.fields.get(name):
            yield f"empties {name}", {"act": "set_fields", "fields": {name: ""}}


def _time(stand: Stand, names: Names) -> Iterator[Move]:
    """The next thing that happens by itself; to say which, the armed deadlines are looked at."""
    due = stand.next_instant()
    if due is None:
        return
    what = [
        names.stages.get(deadline.name, _title(lead, deadline.name))
        for lead in stand.leads
        for deadline in lead.deadlines.values()
        if deadline.due_at is not None and deadline.due_at <= due
    ]
    about = ", ".join(f"«{each}»" for each in dict.fromkeys(what)) or "a message that was held"
    yield Move(f"time passes until {about} is due", lambda other: bool(other.until(due)) or True)


def _title(lead: Lead, name: str) -> str:
    task = lead.tasks.get(name)
    return task.title if task else name


def _arrivals(stand: Stand, source: Source) -> Iterator[Move]:
    directory = stand.world.directory
    region = directory.site(source.site).region
    steps = [s for agent in _kinds_of_agents(stand) for s in ways_in(source, region, agent)]
    for step in {repr(each): each for each in steps}.values():
        given = [name for name in ("phone", "email") if getattr(step, name)]
        taker = f" by {step.answered_by}" if step.answered_by else ""
        how = f", {step.outcome}{taker}" if step.receive == "call" else ""
        words = f"a {step.receive} comes in by {source.id} with {' and '.join(given)}{how}"

        def do(other: Stand, step=step) -> bool:  # type: ignore[no-untyped-def]
            sent = sent_by(step, source, f"{other.name}-{other.key()}", other.now)
            return sent is not None and bool(other.receive(sent))

        yield Move(words, do)


def _replies(stand: Stand) -> Iterator[Move]:
    """The contact answers the newest mail of each lead's thread."""
    try:
        source = source_of(stand.book.sources, Reply(reply="email"))
    except (NoSuchSource, KeyError):
        return
    for lead in stand.leads:
        sender = lead.point("email")
        if sender is None:
            continue

        def do(other: Stand, lead=lead, sender=sender) -> bool:  # type: ignore[no-untyped-def]
            mails = other.lead(lead.id).mail_ids
            sent = replied(
                Reply(reply="email"),
                source,
                f"{other.name}-{other.key()}",
                other.now,
                sender=sender,
                thread=mails[-1] if mails else None,
            )
            return bool(other.receive(sent))

        yield Move(_told(stand, lead, "is answered by the contact, by e-mail"), do)


def _told(stand: Stand, lead: Lead, words: str) -> str:
    several = len({each.pipeline for each in stand.leads}) > 1
    return f"{lead.owner or 'somebody'} {words}" + (f" ({lead.pipeline})" if several else "")


def _deed(lead: str, arguments: Arguments) -> Callable[[Stand], bool]:
    def do(stand: Stand) -> bool:
        stand.until(stand.now + MINUTE)
        by = actor_of(stand, stand.lead(lead))
        return accomplish(stand, lead, arguments, by, may_wait=True)

    return do


def _opens(notification: str) -> Callable[[Stand], bool]:
    return lambda stand: bool(stand.opens(notification))


def _by_hand(arguments: Arguments, by: str) -> Callable[[Stand], bool]:
    return lambda stand: accomplish(
        stand, stand.new_lead(arguments, by), arguments, by, may_wait=False
    )
