"""A turn: one input being decided. Every event it emits changes its world at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from zoneinfo import ZoneInfo

from services.pipeline.core.contact import Contact
from services.pipeline.core.evolve import create, evolve
from services.pipeline.core.evolve_contact import contact_evolve, joined, parted
from services.pipeline.core.lead import Lead, Task
from services.pipeline.core.world import PointKey, UnknownLead, World, with_mails_of
from shared.contract.envelope import Because, Envelope, Event, caused
from shared.contract.intake import ContactPoint
from shared.contract.pipeline import ActionRefused, ContactMerged, LeadCreated, LeadUnlinked
from shared.domain.directory import Directory, Unknown
from shared.domain.rulebook.rulebook import Rulebook

SOURCE = "/pipeline"
REGROUPED = (ContactMerged, LeadUnlinked)


class Scene(NamedTuple):
    """What a condition is judged by: the lead as it is now, and who does what with it.

    `arguments` are those of the agent's action in hand, `actor` the agent, if any; `other` is
    the other lead that the event in hand speaks of, `duplicate_of` the one that the action names;
    `leads` are all that are in hand; `task` is the task, by id or kind. A named tuple: each rule
    looked at takes one, and a frozen dataclass is made three times as slowly.
    """

    lead: Lead
    contact: Contact
    book: Rulebook
    directory: Directory
    now: datetime
    actor: str | None = None
    arguments: Mapping[str, object] | None = None
    duplicate_of: str | None = None
    other: str | None = None
    leads: Mapping[str, Lead] = MappingProxyType({})
    task: str | None = None

    @property
    def task_in_hand(self) -> Task | None:
        """The task that the event or the action is about, by id or kind."""
        known = self.lead.tasks.get(self.task or "")
        return known or next((t for t in self.lead.open_tasks() if t.name == self.task), None)

    @property
    def speaks_of_other(self) -> bool:
        """Whether the event in hand names another lead of the contact."""
        return self.other is not None and self.other != self.lead.id

    @property
    def others(self) -> tuple[Lead, ...]:
        """The contact's other leads: the one that the event speaks of, the one kept instead, the
        one this came of; then the newest first."""
        lead = self.lead
        spoken_of = (self.other, lead.kept, *lead.linked, *reversed(self.contact.leads))
        named = dict.fromkeys(id_ for id_ in spoken_of if id_ in self.leads and id_ != lead.id)
        return tuple(self.leads[id_] for id_ in named if id_ is not None)

    @property
    def today(self) -> date:
        """The local date at the lead's site."""
        return self.now.astimezone(ZoneInfo(self.directory.site(self.lead.site).zone)).date()


class Turn:
    """The only mutable thing in this core; it lives inside one call of `handle`.

    `rule` is the number of the rule at work: it is named by every event emitted meanwhile.
    `now` is the input's time, and never before what the lead has already seen. While rules run,
    `actor` is whoever made the event that started them, `other` the other lead it speaks of,
    `task` the task. `same`: the id of a `FieldsSet` → those of its fields that had that value
    before: a card that is saved again as it was starts nothing.
    """

    def __init__(self, world: World, cause: Envelope, book: Rulebook, directory: Directory) -> None:
        self.cause, self.book, self.directory = cause, book, directory
        self.now = cause.time
        self.rule: str | None = None
        self.actor: str | None = None
        self.other: str | None = None
        self.task: str | None = None
        self.same: dict[str, frozenset[str]] = {}
        self.events: list[Envelope] = []
        self.pending: deque[Envelope] = deque()
        self._leads = dict(world.leads)
        self._contacts = dict(world.contacts)
        self._points = world.points
        self._threads = world.threads
        self._objections = world.objections

    def world(self) -> World:
        """The world as the turn leaves it."""
        return World(self._contacts, self._points, self._leads, self._threads, self._objections)

    def today(self, site: str) -> date:
        """The local date at a site."""
        return self.now.astimezone(ZoneInfo(self.directory.site(site).zone)).date()

    @property
    def agent(self) -> str | None:
        """The agent whose action is decided, if it is one."""
        by: str | None = vars(self.cause.data).get("by")
        return self.one_of_us(by)

    def one_of_us(self, agent: str | None) -> str | None:
        """The agent, unless nobody knows them or they have left."""
        try:
            known = None if agent is None else self.directory.agent(agent)
        except Unknown:
            return None
        return None if known is None or known.withdrawn else known.id

    def lead(self, lead: str) -> Lead:
        """The lead as it is now; raises `UnknownLead`."""
        known = self._leads.get(lead)
        if known is None:
            raise UnknownLead(lead)
        return known

    def has_lead(self, lead: str) -> bool:
        """Whether it is known."""
        return lead in self._leads

    def lead_called(self, reference: str) -> Lead | None:
        """The lead in hand with this id, or this number for people."""
        known = self._leads.get(reference)
        number = reference.strip().lstrip("#№").strip().upper()
        return known or next((x for x in self._leads.values() if x.number == number), None)

    def contact(self, contact: str) -> Contact:
        """The contact of a lead in hand."""
        return self._contacts[contact]

    def contact_at(self, point: ContactPoint) -> Contact | None:
        """Whose contact point that is."""
        owner = self._points.get((point.kind, point.value))
        return None if owner is None else self._contacts.get(owner)

    def lead_of_mail(self, mail_ids: tuple[str, ...]) -> Lead | None:
        """The lead in whose thread any of these mails is."""
        found = (self._threads.get(mail) for mail in mail_ids)
        return next((self._leads[lead] for lead in found if lead in self._leads), None)

    def scene(
        self, lead: str, actor: str | None = None, arguments: Mapping[str, object] | None = None
    ) -> Scene:
        """The lead as conditions see it."""
        state = self.lead(lead)
        contact = self._contacts[state.contact]
        named = (arguments or {}).get("duplicate_of")
        other = self.lead_called(str(named)) if named else None
        return Scene(
            state,
            contact,
            self.book,
            self.directory,
            self.now,
            actor or self.actor,
            arguments,
            other.id if other and other.id != lead else None,
            self.other,
            self._leads,
            str(named_task) if (named_task := (arguments or {}).get("task")) else self.task,
        )

    def open(self, lead: str) -> Lead:
        """Take a lead in hand: from here time does not run back for it."""
        state = self.lead(lead)
        self.now = max(self.now, state.time)
        return state

    def emit(self, lead: str, data: Event) -> Envelope:
        """One more event of this lead; its effect is there when this returns."""
        if self.rule is not None and data.because is None:
            data = data.model_copy(update={"because": self.because(self.rule)})
        envelope = caused(
            self.cause,
            source=SOURCE,
            index=len(self.events),
            subject=lead,
            data=data,
            time=self.now,
        )
        self.events.append(envelope)
        if not isinstance(data, ActionRefused):
            self.apply(envelope)
            self.pending.append(envelope)
        return envelope

    def tell(self, subject: str, data: Event) -> None:
        """One more event, of another subject than a lead; it changes nothing here."""
        index = len(self.events)
        told = caused(
            self.cause, source=SOURCE, index=index, subject=subject, data=data, time=self.now
        )
        self.events.append(told)

    def say_of(self, contact: str, data: Event) -> None:
        """One more event of somebody who has no lead; its effect is there when this returns."""
        self.tell(contact, data)
        self._apply_to_contact(contact, self.events[-1])

    def forget(self, contact: str) -> None:
        """Nobody knows any more who that is; their points remember what they had forbidden."""
        known = self._contacts[contact]
        theirs: set[PointKey] = {(point.kind, point.value) for point in known.points}
        others = {k: v for k, v in self._objections.items() if k not in theirs}
        forbidden = dict.fromkeys(theirs, known.revoked) if known.revoked else {}
        self._objections = {**others, **forbidden}
        self._points = {k: v for k, v in self._points.items() if k not in theirs}
        for id_ in known.everybody:
            nobody = Contact(id=id_, tenant=known.tenant).erased(self.now)
            self._contacts[id_] = known.erased(self.now) if id_ == contact else nobody
        self._threads = {
            mail: lead
            for mail, lead in self._threads.items()
            if lead not in known.leads or mail in self._leads[lead].mail_ids
        }

    def take_in(self, lead: str) -> None:
        """The input itself changes this lead, and may start rules on it."""
        about = self.cause.model_copy(update={"subject": lead})
        self.apply(about)
        self.pending.append(about)

    def speak_of(self, lead: str) -> None:
        """The input changes nothing by itself, but it may start rules on this lead."""
        self.pending.append(self.cause.model_copy(update={"subject": lead}))

    def under(self, rule: str | None) -> _Under:
        """Name this rule in every event emitted meanwhile."""
        return _Under(self, rule)

    def because(self, rule: str) -> Because:
        """How an event names the rule that made it."""
        return _because(self.book.name, self.book.version, rule)

    def apply(self, envelope: Envelope) -> None:
        """What an event, ours or a sibling's, changes of its lead and contact."""
        data = envelope.data
        if isinstance(data, LeadCreated):
            after = create(envelope, data)
            before_mail: tuple[str, ...] = ()
        else:
            before = self.lead(envelope.subject)
            after, before_mail = evolve(before, envelope), before.mail_ids
        self._leads[envelope.subject] = after
        if after.mail_ids is not before_mail:
            self._threads = with_mails_of(self._threads, self._leads, after)
        if isinstance(data, REGROUPED):
            self._regroup(envelope, data)
        else:
            self._apply_to_contact(after.contact, envelope)

    def _regroup(self, envelope: Envelope, data: ContactMerged | LeadUnlinked) -> None:
        """Two contacts are one, or two again: leads and points change hands."""
        lead, there = envelope.subject, self._contacts[data.previous]
        if isinstance(data, ContactMerged):
            here, there = joined(self._contacts[data.contact], there, lead, envelope.time)
        else:
            there, here = parted(there, self._contacts.get(data.contact), data.contact, lead)
        self._contacts |= {here.id: here, there.id: there}
        mine: dict[PointKey, str] = {(p.kind, p.value): here.id for p in here.points}
        self._points = {**self._points, **mine}

    def _apply_to_contact(self, id_: str, envelope: Envelope) -> None:
        before = self._contacts.get(id_)
        after = contact_evolve(before, envelope)
        if after is None or after is before:
            return
        self._contacts[id_] = after
        if before is None or after.points is not before.points:
            after = self._objecting(self._own_points(after), before)
            mine: dict[PointKey, str] = {(p.kind, p.value): id_ for p in after.points}
            self._points = {**self._points, **mine}
            self._contacts[id_] = after

    def _objecting(self, after: Contact, before: Contact | None) -> Contact:
        """With what was forbidden by whoever had its new points and was erased."""
        if not self._objections:
            return after
        old = {} if before is None else {(p.kind, p.value): p for p in before.points}
        revoked = dict(after.revoked)
        for point in after.points:
            key = (point.kind, point.value)
            if key not in old:
                revoked = {**self._objections.get(key, {}), **revoked}
        return after.model_copy(update={"revoked": revoked}) if revoked else after

    def _own_points(self, contact: Contact) -> Contact:
        """A point belongs to whoever had it first, until the two contacts are merged."""
        mine = tuple(
            point
            for point in contact.points
            if self._points.get((point.kind, point.value), contact.id) == contact.id
        )
        every = len(mine) == len(contact.points)
        return contact if every else contact.model_copy(update={"points": mine})


class _Under:
    """A rule at work. Not by `contextlib`: half of what starting a rule costs would be that."""

    __slots__ = ("_before", "_rule", "_turn")

    def __init__(self, turn: Turn, rule: str | None) -> None:
        self._turn, self._rule, self._before = turn, rule, turn.rule

    def __enter__(self) -> None:
        self._turn.rule = self._rule

    def __exit__(self, *_: object) -> None:
        self._turn.rule = self._before


@lru_cache(maxsize=4096)
def _because(rulebook: str, version: str, rule: str) -> Because:
    """A value like any other, named by each of its rule's events: so made once."""
    return Because(rulebook=rulebook, version=version, rule=rule)
