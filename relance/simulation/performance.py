"""A scenario performed in the simulated world, step by step, until it ends or a step fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from relance.scenario import Scenario
from relance.simulation.cast import Cast, Failed
from relance.simulation.cue import Acted, Cue, Declared, Opened, Passed, Received
from relance.simulation.declaration import NoSuchSetting, declared, settings_problem
from relance.simulation.expectation import (
    different_refusal,
    failure,
    lead_made_by,
    refusal_failure,
)
from relance.simulation.expected import Expect, ExpectNo, Refuse, View
from relance.simulation.input import (
    Input,
    NoSuchSource,
    answered,
    received,
    replied,
    source_of,
    told,
)
from relance.simulation.notifications import LINKS
from relance.simulation.step import (
    Act,
    Answer,
    Call,
    Declare,
    Open,
    Receive,
    Reply,
    Step,
    Until,
    Wait,
)
from relance.simulation.view import view_failure
from relance.simulation.world import Endless, World
from services.intake.core.arrival import Refusal
from services.notifications.core.request import UnknownTemplate
from services.pipeline.core.action import Action, AnswerQuestion, Assign, Classify, CreateLead, Take
from services.pipeline.core.engine import CascadeTooLong
from services.pipeline.core.identity import lead_id
from services.pipeline.core.lead import Lead
from shared.contract.envelope import Envelope, derived_id
from shared.contract.invitation import Invitation
from shared.contract.notifications import NotificationSent
from shared.contract.pipeline import ActionRefused, LeadCreated
from shared.domain.calendar import NeverOpen
from shared.domain.directory import Unknown
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.signed_link import BadLink, read_link

ANSWER_LINK = re.compile(r"/answer/([\w.-]+)")


CANNOT_GO_ON = (
    Failed,
    NoSuchSource,
    NoSuchSetting,
    Refusal,
    Unknown,
    UnknownTemplate,
    NeverOpen,
    CascadeTooLong,
    BadLink,
    Endless,
)
"""What ends a performance with a sentence; anything else is a fault of ours."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a performance went: `failed_step` counts from one; `log` is all that happened.

    `cues` is what came from outside, so that the same can be played elsewhere.
    """

    scenario: Scenario
    log: tuple[Envelope, ...]
    cues: tuple[Cue, ...]
    failed_step: int | None = None
    why: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every step held."""
        return self.failed_step is None


class Performance:
    """One scenario in a world of its own. `name` makes the ids of its inputs and actions."""

    def __init__(self, scenario: Scenario, name: str, book: Rulebook, world: World) -> None:
        self.scenario, self.name, self.book, self.world = scenario, name, book, world
        self.zone = ZoneInfo(world.directory.site(scenario.site).zone)
        self.cast = Cast(world, book, self.zone)
        self.known = self.cast.known
        self.cues: list[Cue] = []
        self._seen_from = 0
        self._number = 0
        self._do: dict[type[Step], Callable[[Any], None]] = {
            Receive: self._receive,
            Call: self._call,
            Reply: self._reply,
            Open: self._open,
            Answer: self._answer,
            Act: self._act,
            Declare: self._declare,
            Wait: lambda step: self._pass(self.world.now + step.wait),
            Until: lambda step: self._pass(self._instant(step.until)),
            Expect: self._expect,
            ExpectNo: self._expect,
            Refuse: self._refuse,
            View: self._view,
        }

    def run(self) -> Outcome:
        """All steps, until one fails."""
        for number, step in enumerate(self.scenario.steps, 1):
            self._number = number
            if not isinstance(step, Expect | ExpectNo | View):
                self._seen_from = len(self.world.log)
            try:
                self._do[type(step)](step)
            except CANNOT_GO_ON as problem:
                return self._outcome(number, str(problem))
            self.known.learn(self.world.log[self._seen_from :])
        return self._outcome()

    def _outcome(self, failed_step: int | None = None, why: str | None = None) -> Outcome:
        log = tuple(self.world.log)
        return Outcome(self.scenario, log, tuple(self.cues), failed_step, why)

    def _instant(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def _id(self, said: str | None = None) -> str:
        return f"{self.name}-{said or self._number}"

    def _receive(self, step: Receive) -> None:
        source = source_of(self.book.sources, step)
        step = step.model_copy(update={"id": self._id(step.id)})
        sent = received(step, source, self._id(), self.world.now.astimezone(self.zone))
        if step.receive == "file":
            self._arrive_rows(sent, step)
            return
        self._arrive(sent, step.as_)
        if step.owner:
            self._give(step.as_, step.owner)

    def _call(self, step: Call) -> None:
        source = source_of(self.book.sources, step)
        phone = step.phone or self.cast.lead(step.lead).point("phone")
        at = self.world.now.astimezone(self.zone)
        self._arrive(told(step, source, self._id(), at, phone), None)

    def _reply(self, step: Reply) -> None:
        lead = self.cast.lead(step.lead)
        sender = lead.point("email")
        if sender is None:
            raise Failed("the contact cannot reply by e-mail: no e-mail of theirs is known")
        source = source_of(self.book.sources, step)
        at = self.world.now.astimezone(self.zone)
        if step.reply != "email":
            invitation = self._invitation(lead)
            sent = answered(step, source, self._id(), at, invitation=invitation, sender=sender)
            self._arrive(sent, None)
            return
        thread = lead.mail_ids[-1] if lead.mail_ids else None
        self._arrive(replied(step, source, self._id(), at, sender=sender, thread=thread), None)

    def _invitation(self, lead: Lead) -> Invitation:
        """The last one that went to the contact of this lead."""
        sent = (e.data for e in reversed(self.world.log) if isinstance(e.data, NotificationSent))
        invitations = (s.invitation for s in sent if s.lead == lead.id and s.invitation)
        found = next(invitations, None)
        if found is None:
            raise Failed("no invitation went to the contact, so none can be answered")
        return found

    def _open(self, step: Open) -> None:
        mails = [
            message
            for message in self.cast.lead(step.lead).messages
            if (message.template, message.channel, message.to) == (step.open, "email", "contact")
        ]
        if not mails:
            raise Failed(f"no e-mail {step.open} went to the contact, so none can be opened")
        self.cues.append(Opened(self.world.now, mails[-1].id))
        self.world.opened(mails[-1].id)

    def _answer(self, step: Answer) -> None:
        """By the link in the message: what is not in it cannot be clicked."""
        lead = self.cast.lead(step.lead)
        asked = [
            each.data
            for each in self.world.log
            if isinstance(each.data, NotificationSent) and each.data.lead == lead.id
        ]
        links = [
            read_link(found[1], LINKS.key, self.world.now)
            for sent in reversed(asked)
            if step.by in (None, sent.to) and (found := ANSWER_LINK.search(sent.text))
        ]
        if not links:
            raise Failed(f"{step.by or 'nobody'} got a message with a link to answer by")
        link = links[0]
        action = AnswerQuestion(question=link.question, answer=step.answer, to=step.to)
        self._perform(link.lead, link.agent, action)

    def _arrive_rows(self, sent: Input, step: Receive) -> None:
        self.cues.append(Received(self.world.now, sent))
        said = self.world.receive_file(sent)
        for row, envelope in zip(step.file_rows, said, strict=True):
            lead = lead_made_by(envelope, self.world.log)
            if lead is not None and row.as_ is not None:
                self.known.leads[row.as_] = lead

    def _arrive(self, sent: Input, alias: str | None) -> None:
        self.cues.append(Received(self.world.now, sent))
        said = self.world.receive(sent)
        lead = lead_made_by(said, self.world.log)
        if lead is None:
            return
        if alias is not None:
            self.known.leads[alias] = lead
        elif lead not in self.known.leads.values():
            self.known.leads[f"#{len(self.known.leads) + 1}"] = lead

    def _give(self, alias: str | None, owner: str) -> None:
        """The team's manager gives the lead to the agent who is to have it."""
        lead = self.cast.lead(alias)
        if lead.owner == owner:
            return
        team = self.world.directory.agent(owner).team
        manager = self.world.directory.team(team).manager if team else None
        self._perform(lead.id, manager or owner, Assign(to=owner))

    def _act(self, step: Act) -> None:
        if not isinstance(step.action, CreateLead):
            self._perform(self._meant(step).id, step.by, self._named(step.action))
            return
        before = len(self.world.log)
        self._perform(self._new_lead(step.by, step.action), step.by, step.action)
        said = [e for e in self.world.log[before:] if e.source == "/pipeline"]
        made = next((e for e in said if isinstance(e.data, LeadCreated)), said[0])
        if step.as_ or made.subject not in self.known.leads.values():
            self.known.leads[step.as_ or f"#{len(self.known.leads) + 1}"] = made.subject

    def _meant(self, step: Act) -> Lead:
        """The lead that the step acts on: to take without one is to take the first."""
        action = step.action
        if step.lead is not None or not isinstance(action, Take):
            return self.cast.lead(step.lead)
        first = next(iter(self.cast.standing(action.queue, step.by)), None)
        if first is None:
            raise Failed(f"the queue {action.queue} is empty for {step.by}")
        return first

    def _named(self, action: Action) -> Action:
        """The action with the id of a lead where the scenario has its alias."""
        if not isinstance(action, Classify) or action.duplicate_of is None:
            return action
        named = self.known.leads.get(action.duplicate_of, action.duplicate_of)
        return action.model_copy(update={"duplicate_of": named})

    def _new_lead(self, by: str, action: CreateLead) -> str:
        """The id that a lead made by hand will have."""
        asked = derived_id(self.world.tenant, "action", by, self._key())
        pipeline = action.pipeline or next(iter(self.book.pipelines))
        return lead_id(self.world.tenant, asked, pipeline)

    def _key(self) -> str:
        """The Idempotency-Key of the next action."""
        return f"{self._id()}-{len(self.cues)}"

    def _perform(self, lead: str, by: str, action: Action) -> None:
        before = len(self.world.log)
        self._ask(lead, by, action)
        refused = [e.data for e in self.world.log[before:] if isinstance(e.data, ActionRefused)]
        if refused:
            why = "; ".join(f"{need.says} ({need.rule})" for need in refused[0].needs)
            raise Failed(f"{by} was refused to {action.act.replace('_', ' ')}: {why}")

    def _ask(self, lead: str, by: str, action: Action) -> None:
        key = self._key()
        self.cues.append(Acted(self.world.now, lead, by, action, key))
        self.world.act(lead, by, action, key)

    def _declare(self, step: Declare) -> None:
        documents = declared(step, self.scenario.site, self.world.directory)
        if problem := settings_problem(self.book, documents):
            raise Failed(f"refused: {problem[1]}")
        self.cues.append(Declared(self.world.now, documents))
        self.world.declare(*documents)

    def _pass(self, instant: datetime) -> None:
        if instant < self.world.now:
            then, now = (each.astimezone(self.zone) for each in (instant, self.world.now))
            raise Failed(f"cannot wait until {then:%Y-%m-%dT%H:%M}: it is {now:%Y-%m-%dT%H:%M}")
        self.cues.append(Passed(self.world.now, instant))
        self.world.until(instant)

    def _expect(self, step: Expect | ExpectNo) -> None:
        seen = self.world.log[0 if step.since == "start" else self._seen_from :]
        why = self.cast.unknown(step.given.get("lead")) or failure(step, seen, self.known)
        if why:
            raise Failed(why)

    def _refuse(self, step: Refuse) -> None:
        if isinstance(step.refuse, Declare):
            documents = declared(step.refuse, self.scenario.site, self.world.directory)
            problem = settings_problem(self.book, documents)
            if problem is None:
                raise Failed("expected a refusal, but the declaration was accepted")
            why = different_refusal(step, {problem[0].id}, {problem[0].rule or ""})
        else:
            before = len(self.world.log)
            act = step.refuse
            if isinstance(act.action, CreateLead):
                lead = self._new_lead(act.by, act.action)
            else:
                lead = self._meant(act).id
            self._ask(lead, act.by, self._named(act.action))
            why = refusal_failure(step, self.world.log[before:])
        if why:
            raise Failed(why)

    def _view(self, step: View) -> None:
        if why := view_failure(step, self.cast):
            raise Failed(why)
