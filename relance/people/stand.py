"""Where one contact's leads are played: the real cores, in a world that can be forked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from relance.simulation.company import Company
from relance.simulation.input import Input
from relance.simulation.notifications import Notifications
from relance.simulation.reminders import Reminders
from relance.simulation.service import Pipeline
from relance.simulation.world import World
from services.pipeline.core.action import Action, ActionBase
from services.pipeline.core.digest import owners_for
from services.pipeline.core.identity import lead_id
from services.pipeline.core.lead import Lead
from services.pipeline.core.turn import Scene, Turn
from shared.contract.envelope import Envelope, derived_id
from shared.contract.pipeline import ActionRefused
from shared.contract.reminders import DigestDue
from shared.domain.directory import Directory
from shared.domain.rulebook.effect import CreateLead
from shared.domain.rulebook.message import Template
from shared.domain.rulebook.rulebook import Rulebook

ACTION: TypeAdapter[Action] = TypeAdapter(Action)
Arguments = dict[str, object]


def action_of(arguments: Arguments) -> Action | None:
    """The action that these arguments are; None where they are none."""
    try:
        return ACTION.validate_python(arguments)
    except ValidationError:
        return None


def quiet(book: Rulebook, *, sms: bool = False) -> Rulebook:
    """The same book without digests and with blank messages (`sms`: the SMS keep their text).

    What a message says changes nothing of what happens, and it takes most of the time.
    """

    def blank(template: Template) -> Template:
        texts = {
            b: t if sms and b == "sms" else "-" for b, t in template.files.items() if b != "html"
        }
        return template.model_copy(update={"files": texts, "subject": template.subject and "-"})

    templates = tuple(blank(template) for template in book.messages.template)
    partials = {n: text for n, text in book.messages.partials.items() if sms and n.endswith("sms")}
    messages = book.messages.model_copy(update={"template": templates, "partials": partials})
    return book.model_copy(update={"messages": messages, "digests": ()})


@dataclass(frozen=True)
class House:
    """A company with the quiet twin of its book.

    `spoken`: the words by which rules start, and the actions that requirements bind; `readers`:
    by owner the agents whose digests speak of that owner's leads; `handmade`: the pipelines that
    no door and no rule begins, only people; `watches_presence`: whether anything that the book
    says depends on who is there.
    """

    company: Company
    quiet: Rulebook
    spoken: frozenset[str]
    readers: Mapping[str, tuple[str, ...]]
    handmade: tuple[str, ...]
    watches_presence: bool

    @classmethod
    def of(cls, company: Company, *, sms: bool = False) -> House:
        """The house of that company."""
        book, directory = company.book, company.directory
        words = {rule.when.word for rule in book.rules} | {each.to.action for each in book.requires}
        readers = _readers(directory)
        handmade = tuple(each for each in book.pipelines if each not in _begun(book))
        watches = "owner_absent" in words or "'availability'" in repr(
            book.model_dump(serialize_as_any=True)
        )
        spoken = frozenset(words)
        return cls(company, quiet(book, sms=sms), spoken, readers, handmade, watches)


def _readers(directory: Directory) -> dict[str, tuple[str, ...]]:
    readers: dict[str, tuple[str, ...]] = {}
    for agent in directory.agents:
        for owner in owners_for(directory, agent.id):
            readers[owner] = (*readers.get(owner, ()), agent.id)
    return readers


def _begun(book: Rulebook) -> set[str]:
    """The pipelines that doors and rules begin."""
    first = next(iter(book.pipelines))
    by_rule = {e.create_lead for rule in book.rules for e in rule.do if isinstance(e, CreateLead)}
    return {source.pipeline or first for source in book.sources.source} | by_rule


class Stand:
    """One contact and their leads, with nobody else in the world. `name` makes its ids."""

    def __init__(self, house: House, name: str, start: datetime) -> None:
        self.house, self.name = house, name
        self.pipeline = Pipeline(house.company.book)
        services = (self.pipeline, Reminders(house.quiet), Notifications(house.quiet))
        self.world = World(house.company.book.tenant, start, house.company.directory, services)
        self._used = 0

    @property
    def book(self) -> Rulebook:
        """The rules that are played."""
        return self.pipeline.book

    @property
    def now(self) -> datetime:
        """The world's time."""
        return self.world.now

    @property
    def leads(self) -> tuple[Lead, ...]:
        """Every lead of this contact, in the order in which they came to be."""
        return tuple(self.pipeline.world.leads.values())

    def lead(self, id_: str) -> Lead:
        """The lead as it is now."""
        return self.pipeline.world.leads[id_]

    def knows(self, id_: str) -> bool:
        """Whether there is such a lead."""
        return id_ in self.pipeline.world.leads

    def fork(self) -> Stand:
        """The same stand, to go another way from here; nothing is shared that changes."""
        other = object.__new__(Stand)
        other.house, other.name = self.house, self.name
        other.world = self.world.fork()
        other.pipeline = next(s for s in other.world.services if isinstance(s, Pipeline))
        other._used = self._used
        return other

    def scene(self, lead: str, by: str | None = None) -> Scene:
        """The lead as conditions see it now."""
        turn = Turn(self.pipeline.world, self._envelope(lead), self.book, self.world.directory)
        return turn.scene(lead, by)

    def receive(self, sent: Input) -> list[Envelope]:
        """Something arrives; returns all that is said because of it. Raises intake's `Refusal`."""
        before = len(self.world.log)
        if sent.file is not None:
            self.world.receive_file(sent)
        else:
            self.world.receive(sent)
        return self.world.log[before:]

    def act(self, lead: str, by: str, action: ActionBase) -> list[Envelope]:
        """An agent acts; returns all that is said because of it."""
        before = len(self.world.log)
        self.world.act(lead, by, action, f"{self.name}-{self.key()}")  # type: ignore[arg-type]
        return self.world.log[before:]

    def new_lead(self, arguments: Arguments, by: str) -> str:
        """The id that a lead has which is made by hand with the very next action."""
        asked = derived_id(self.book.tenant, "action", by, f"{self.name}-{self._used + 1}")
        pipeline = str(arguments.get("pipeline") or next(iter(self.book.pipelines)))
        return lead_id(self.book.tenant, asked, pipeline)

    def opens(self, notification: str) -> list[Envelope]:
        """The contact looks at that mail."""
        before = len(self.world.log)
        self.world.opened(notification)
        return self.world.log[before:]

    def until(self, instant: datetime) -> list[Envelope]:
        """Nothing comes from outside until then."""
        before = len(self.world.log)
        self.world.until(instant)
        return self.world.log[before:]

    def next_instant(self) -> datetime | None:
        """When something happens by itself."""
        return self.world.next_instant()

    def digests(self, at: datetime) -> Iterator[tuple[str, Envelope]]:
        """What agents would be told in a digest at that time: (agent, request)."""
        owners = {lead.owner for lead in self.leads if lead.is_open and lead.owner is not None}
        readers = self.house.readers
        if self.world.directory is not self.house.company.directory:
            readers = _readers(self.world.directory)
        told = {agent for owner in owners for agent in readers.get(owner, ())}
        for agent in sorted(told):
            if self.world.directory.agent(agent).withdrawn:
                continue  # no digest is due for whoever has left
            data = DigestDue(agent=agent, date=at.date(), due_at=at)
            due = self._envelope(agent).model_copy(
                update={"data": data, "type": data.type, "time": at}
            )
            for asked in self.pipeline.accept(due, self.world.directory):
                yield agent, asked

    def key(self) -> int:
        """A number that was not used before in this stand's history."""
        self._used += 1
        return self._used

    def _envelope(self, subject: str) -> Envelope:
        data = ActionRefused(action="-", by="-", needs=())
        return Envelope(
            id=derived_id(self.name, "look"),
            source="/people",
            type=data.type,
            subject=subject,
            time=self.world.now,
            tenant=self.book.tenant,
            data=data,
        )


MINUTE = timedelta(minutes=1)


def working_morning(directory: Directory) -> datetime:
    """An hour after the first site has opened on a Monday in March."""
    opening = directory.opening(directory.sites[0].id)
    return opening.next_opening(datetime(2026, 3, 2, tzinfo=opening.zone)) + timedelta(hours=1)
