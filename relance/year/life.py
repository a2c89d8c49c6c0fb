"""One contact's life within the year: how they get in touch, what they do, who works on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from relance.people.deed import accomplish
from relance.people.next_step import forgotten, waits_for_return
from relance.people.stand import MINUTE, Arguments, House, Stand
from relance.people.values import EMAIL, phone_in, sent_by, ways_in
from relance.simulation.input import NoSuchSource, replied, source_of
from relance.simulation.step import Reply
from relance.year.agent import Agent, due_of
from relance.year.mind import Mind
from relance.year.tally import Diary, Tally
from services.pipeline.core.lead import Lead
from services.reminders.core.digest import DigestTime
from shared.contract.pipeline import NotificationRequested

COMES_AGAIN, OPENS_MAIL, ANSWERS_MAIL = 0.08, 0.5, 0.08
BY_HAND = 0.2
"""Of the work of a company where some comes by no door and from no rule."""
STEPS_AT_MOST = 3_000
"""So often something happens around one contact; more would be a story without an end."""


class Life:
    """Everything that happens around one contact from `start` until the year's `end`."""

    def __init__(self, house: House, name: str, start: datetime, end: datetime) -> None:
        self.rng = Random(name)  # noqa: S311  plausible, not secret
        self.stand = Stand(house, name, start)
        self.agent = Agent(self.stand, Mind.of(self.rng), self.rng)
        self.end = end
        self.tally = Tally()
        self.digested: set[tuple[str, str, str]] = set()
        self._diary = Diary(self.tally)
        self._read = 0
        self._work: dict[str, datetime] = {}
        self._known: dict[str, tuple[datetime | None, str | None]] = {}
        self._mornings = DigestTime.of(house.company.book)
        self._seen_mail: set[str] = set()
        self._waited: set[str] = set()
        self._later: list[tuple[datetime, str, str]] = []

    def live(self) -> Tally:
        """The whole life; `digested` holds (agent, date, template) of digests that name it."""
        if not self._arrives():
            return self.tally
        if self.rng.random() < COMES_AGAIN:
            again = self.stand.now + timedelta(days=self.rng.uniform(0.1, 60))
            self._later.append((again, "again", ""))
        if self.stand.house.handmade and self.rng.random() < BY_HAND:
            later = self.stand.now + timedelta(days=self.rng.uniform(0.1, 60))
            self._later.append((later, "by hand", self.rng.choice(self.stand.house.handmade)))
        for _ in range(STEPS_AT_MOST):
            self._plan()
            at = self._next()
            if at is None or at > self.end:
                break
            self._pass_until(at)
            self._act_at(at)
            self._note()
        self._pass_until(self.end)
        self._note()
        return self.tally

    def _arrives(self) -> bool:
        """By a door of the company or, where some work comes by none, made by hand."""
        handmade = self.stand.house.handmade
        if handmade and self.rng.random() < BY_HAND:
            return self._is_made_by_hand(self.rng.choice(handmade)) or self._comes_in()
        return self._comes_in()

    def _is_made_by_hand(self, pipeline: str) -> bool:
        """By the first of the agents who may."""
        directory = self.stand.world.directory
        region = directory.sites[0].region
        arguments: Arguments = {"act": "create_lead", "pipeline": pipeline}
        arguments |= {"phone": phone_in(region), "email": EMAIL}
        agents = [agent.id for agent in directory.agents]
        for by in self.rng.sample(agents, len(agents)):
            lead = self.stand.new_lead(arguments, by)
            if accomplish(self.stand, lead, arguments, by, may_wait=False):
                self._note()
                return True
        return False

    def _comes_in(self) -> bool:
        """A way in at random; refused bytes are no lead."""
        directory, sources = self.stand.world.directory, self.stand.book.sources.source
        if not sources:
            return False
        source = self.rng.choice(sources)
        region = directory.site(source.site).region
        steps = list(ways_in(source, region, self.rng.choice(directory.agents).id))
        if not steps:
            return False
        name = f"{self.stand.name}-{self.stand.key()}"
        sent = sent_by(self.rng.choice(steps), source, name, self.stand.now)
        if sent is None:
            return False
        self.stand.receive(sent)
        self._note()
        return True

    def _plan(self) -> None:
        """Who works when on what is open; what the contact will do with the mail they got."""
        for lead in self.stand.leads:
            known = due_of(lead), lead.owner
            if not lead.is_open:
                self._work.pop(lead.id, None)
            elif lead.id not in self._work or known != self._known.get(lead.id):
                self._known[lead.id] = known
                self._work[lead.id] = self.agent.next_work(lead)
            for message in lead.messages:
                mine = (message.channel, message.to) == ("email", "contact")
                if mine and message.id not in self._seen_mail:
                    self._seen_mail.add(message.id)
                    self._reads_mail(lead, message.id)

    def _reads_mail(self, lead: Lead, message: str) -> None:
        at = self.stand.now + timedelta(hours=self.rng.expovariate(1 / 8))
        if self.rng.random() < OPENS_MAIL:
            self._later.append((at, "open", message))
        if self.rng.random() < ANSWERS_MAIL:
            self._later.append((at + timedelta(minutes=20), "reply", lead.id))

    def _next(self) -> datetime | None:
        by_itself = self.stand.next_instant()
        times = [*self._work.values(), *(at for at, _, _ in self._later)]
        return min(times if by_itself is None else [*times, by_itself], default=None)

    def _pass_until(self, at: datetime) -> None:
        """Time passes; each morning's digest is looked at on the way."""
        for morning in self._digest_times(at):
            self.stand.until(morning)
            self._digest(morning)
        self.stand.until(max(at, self.stand.now))

    def _digest_times(self, until: datetime) -> Iterator[datetime]:
        lead = next((each for each in self.stand.leads if each.is_open), None)
        if lead is None or self._mornings is None:
            return
        hours = self.stand.world.directory.opening(lead.site)
        _, morning = self._mornings.next_after(self.stand.now, hours)
        while morning <= until:
            yield morning
            _, morning = self._mornings.next_after(morning + MINUTE, hours)

    def _digest(self, at: datetime) -> None:
        if not any(lead.is_open for lead in self.stand.leads):
            return
        for agent, asked in self.stand.digests(at):
            assert isinstance(asked.data, NotificationRequested)
            self.digested.add((agent, asked.data.occasion, asked.data.template))

    def _act_at(self, at: datetime) -> None:
        for lead_id in [lead for lead, when in self._work.items() if when <= at]:
            del self._work[lead_id]
            lead = self.stand.lead(lead_id)
            if lead.is_open:
                self.agent.work(lead)
        for each in [each for each in self._later if each[0] <= at]:
            self._later.remove(each)
            _, what, about = each
            if what == "open":
                self.stand.opens(about)
            elif what == "reply":
                self._replies(about)
            elif what == "by hand":
                self._is_made_by_hand(about)
            else:
                self._arrives()

    def _replies(self, lead_id: str) -> None:
        lead = self.stand.lead(lead_id)
        sender = lead.point("email")
        try:
            source = source_of(self.stand.book.sources, Reply(reply="email"))
        except NoSuchSource:
            return
        if sender is not None:
            name = f"{self.stand.name}-{self.stand.key()}"
            thread = lead.mail_ids[-1] if lead.mail_ids else None
            step = Reply(reply="email")
            sent = replied(step, source, name, self.stand.now, sender=sender, thread=thread)
            self.stand.receive(sent)

    def _note(self) -> None:
        """What has happened since; and whether every open lead has a next step now."""
        log = self.stand.world.log
        self._diary.read(log[self._read :])
        self._read = len(log)
        for lead in forgotten(self.stand):
            self.tally.forgotten[lead.pipeline, lead.stage] += 1
        waiting = [each.id for each in self.stand.leads if waits_for_return(self.stand, each)]
        self.tally.happened["waited for a return"] += len(set(waiting) - self._waited)
        self._waited.update(waiting)
