"""How agents work: they do what is due in open hours, mostly in time, and what a rule asks for.

They know the rulebook's own words and nothing else: its stages, tasks, codes, reasons.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from random import Random

from relance.people.commitment import commitments
from relance.people.deed import accomplish, actor_of, refusal_in
from relance.people.stand import MINUTE, Arguments, Stand
from relance.year.mind import Mind
from relance.year.reason import Reasons
from services.pipeline.core.condition import CHANNELS_OF_POINT, all_hold
from services.pipeline.core.lead import Lead, Task
from shared.domain.calendar import OpenHours
from shared.domain.rulebook.condition import Condition
from shared.domain.rulebook.rulebook import Rulebook

IN_TIME = 0.94
"""So many tasks are done before they are due."""
FIRST_TRY_MINUTES = 45
"""Of open time until somebody turns to a new lead, on average."""
SELDOM = {
    "book": 0.15,
    "move_appointment": 0.05,
    "cancel_appointment": 0.05,
    "miss_appointment": 0.2,
    "block": 0.01,
}
"""So often at a sitting, where it can be done."""
TRIES_AT_MOST = 8
"""So many calls in vain one after the other; then an agent tries to close the lead each time."""
CLASSES_TRIED = 3
"""So many kinds of case are thought of after a conversation."""
PUT_OFF_DAYS_AT_MOST = 4
"""So long a call is put off after many in vain."""
PATIENCE_DAYS = 120
"""A lead older than that is closed however it can be."""


class Agent:
    """Whoever has this contact's leads in hand; `rng` makes every choice."""

    def __init__(self, stand: Stand, mind: Mind, rng: Random) -> None:
        self.stand, self.mind, self.rng, self.book = stand, mind, rng, stand.book
        reasons = Reasons.of(self.book)
        self._no = rng.sample(reasons.refusal, len(reasons.refusal))
        self._silence = rng.sample(reasons.silence, len(reasons.silence))
        self._needs = _classes(self.book)
        self._classes = sorted(self._needs, key=lambda each: -len(self._needs[each]))
        self._in_vain: Counter[str] = Counter()

    def work(self, lead: Lead) -> None:
        """One sitting: what can be done at the desk, then a call, then what comes of it."""
        self._commits(lead)
        self._does_desk_work(self.stand.lead(lead.id))
        lead = self.stand.lead(lead.id)
        if not lead.is_open or (self._is_hopeless(lead) and self._ends(lead)):
            return
        task = min(lead.open_tasks(), key=_urgency, default=None)
        if self.mind.is_reached(len(lead.contacts), self.rng):
            self._in_vain[lead.id] = 0
            self._tries(lead, reached=True)
            if task is not None:
                self._does(lead, {"act": "complete_task", "task": task.id, "note": "ok"})
            self._decides(self.stand.lead(lead.id))
            self._classifies(self.stand.lead(lead.id), reached=True)
        else:
            self._in_vain[lead.id] += 1
            self._tries(lead, reached=False)
            self._classifies(self.stand.lead(lead.id), reached=False)
            if task is not None:
                self._puts_off(self.stand.lead(lead.id), task)

    def next_work(self, lead: Lead) -> datetime:
        """When somebody works on the lead next, in the open hours of its site."""
        hours = self.stand.world.directory.opening(lead.site)
        now, due, rng = self.stand.now, due_of(lead), self.rng
        if not lead.attempts and not lead.contacts and (due is None or due > now):
            at = hours.add_open(now, round(rng.expovariate(1 / FIRST_TRY_MINUTES)))
        elif due is None:  # nobody is waiting: the morning's digest, or a bad conscience
            at = now + timedelta(days=rng.uniform(1, 6 if self._is_hopeless(lead) else 4))
        elif due <= now:
            at = now + timedelta(hours=rng.uniform(1, 30))
        elif rng.random() < IN_TIME:
            left = sum((end - start for start, end in hours.open_between(now, due)), timedelta())
            at = hours.add_open(now, round(left / MINUTE * rng.uniform(0.05, 0.95)))
        else:
            at = due + timedelta(hours=rng.expovariate(1 / 6))
        return self._back(lead.owner, max(hours.first_open(at), now + MINUTE), hours)

    def _back(self, owner: str | None, at: datetime, hours: OpenHours) -> datetime:
        """Then, or when the owner is back and the site is open."""
        away = self.stand.world.directory.away(owner, at) if owner else None
        while away is not None and owner is not None:
            at = hours.first_open(away.until)
            away = self.stand.world.directory.away(owner, at)
        return at

    def _commits(self, lead: Lead) -> None:
        """Takes the lead up and answers what was asked; books, cancels or moves now and then."""
        for _, arguments in list(commitments(self.stand, lead)):
            act = arguments["act"]
            if act in ("acknowledge", "answer") or self.rng.random() < SELDOM.get(str(act), 0.0):
                self._does(lead, arguments)

    def _does_desk_work(self, lead: Lead) -> None:
        """Tasks that need nobody at the other end."""
        for task in lead.open_tasks() if lead.is_open else ():
            if self.book.tasks[task.name].channel is None:
                self._does(lead, {"act": "complete_task", "task": task.id, "note": "ok"})

    def _tries(self, lead: Lead, *, reached: bool) -> None:
        codes = [code for code in self.book.attempts.values() if code.channel == "call"]
        code = self.rng.choice(codes or list(self.book.attempts.values()) or [None])
        if code is not None:
            outcome = None if reached else unreached(self.book)
            said = {} if outcome is None else {"outcome": outcome}
            self._does(lead, {"act": "log_attempt", "code": code.id, **said})
        if reached:
            self._does(lead, {"act": "log_contact", "channel": "call"})
        elif self._in_vain[lead.id] % 2 == 0:
            self._writes(lead)

    def _writes(self, lead: Lead) -> None:
        """Who does not answer calls gets a word on another channel that is known."""
        kinds = {point.kind for point in self.stand.scene(lead.id).contact.points}
        channels = {channel for kind in kinds for channel in CHANNELS_OF_POINT.get(kind, ())}
        codes = [c for c in self.book.attempts.values() if c.channel in channels - {"call"}]
        if codes:
            self._does(lead, {"act": "log_attempt", "code": self.rng.choice(codes).id})

    def _puts_off(self, lead: Lead, task: Task) -> None:
        """Not reached: tomorrow again, later after many tries, where no rule has said when."""
        still = next((each for each in lead.open_tasks() if each.id == task.id), None)
        if lead.is_open and still is not None and still.due_at == task.due_at:
            days = min(1 + self._in_vain[lead.id] // 2, PUT_OFF_DAYS_AT_MOST)
            due = {"in": f"{days}d", "of": "working_days"}
            self._does(lead, {"act": "postpone_task", "task": task.id, "due": due})

    def _classifies(self, lead: Lead, *, reached: bool) -> None:
        """Where the rulebook has something to say about it: what kind of case it is now.

        Not reached: what says most of those that are true as it is. Reached: what was agreed.
        """
        if not self._classes or not lead.is_open:
            return
        scene = self.stand.scene(lead.id)
        true = [each for each in self._classes if all_hold(self._needs[each], scene)]
        agreed = self.rng.sample(self._classes, min(len(self._classes), CLASSES_TRIED))
        for outcome in agreed if reached else true[:1]:
            if self._does(lead, {"act": "classify", "outcome": outcome}):
                return

    def _decides(self, lead: Lead) -> None:
        """What comes of a conversation."""
        if not lead.is_open:
            return
        if self.mind.kind == "none" and self._was_none(lead):
            return
        if self.mind.says_no(self.rng) and self._ends(lead):
            return
        if self.mind.goes_on(self.rng) and self._goes_on(lead):
            return
        self._speaks_again(self.stand.lead(lead.id))

    def _goes_on(self, lead: Lead) -> bool:
        ends = (None, "won") if self.mind.kind == "buys" else (None,)
        stages = [
            stage
            for name in self.book.stages[(lead.pipeline, lead.stage)].next
            if (stage := self.book.stages[(lead.pipeline, name)]).closes in ends
        ]
        self.rng.shuffle(stages)
        return any(self._does(lead, {"act": "move", "to": stage.id}) for stage in stages)

    def _ends(self, lead: Lead) -> bool:
        """Lost, where leads can be, for a reason that the rulebook allows now.

        What the reason asks for is not made up: no call is noted that nobody made.
        """
        stages = self.book.stages.items()
        if not any(key[0] == lead.pipeline and each.closes == "lost" for key, each in stages):
            return False
        silent = self._is_hopeless(lead)
        reasons = (self._silence or self._no) if silent else (self._no or self._silence)
        said: list[Arguments] = [{"reason": reason} for reason in reasons] or [{}]
        for each in said:
            before = len(self.stand.world.log)
            if self._does(lead, {"act": "close", "status": "lost", **each}, may_invent=False):
                return True
            refusal = refusal_in(self.stand.world.log[before:])
            if refusal and any(need.condition in ("attempts", "elapsed") for need in refusal.needs):
                return False  # not yet
        return False

    def _was_none(self, lead: Lead) -> bool:
        closing = [o.id for o in self.book.outcomes.values() if o.closes == "invalid"]
        for outcome in self.rng.sample(closing, len(closing)):
            if self._does(lead, {"act": "classify", "outcome": outcome}):
                return True
        return not closing and self._does(lead, {"act": "close", "status": "invalid"})

    def _speaks_again(self, lead: Lead) -> None:
        calls = [task.id for task in self.book.tasks.values() if task.channel == "call"]
        if lead.is_open and not lead.open_tasks() and calls:
            due = {"in": f"{self.rng.randint(1, 6)}d", "of": "working_days"}
            self._does(lead, {"act": "create_task", "task": calls[0], "due": due})

    def _does(self, lead: Lead, arguments: Arguments, *, may_invent: bool = True) -> bool:
        by = actor_of(self.stand, self.stand.lead(lead.id))
        return accomplish(self.stand, lead.id, arguments, by, may_wait=False, may_invent=may_invent)

    def _is_hopeless(self, lead: Lead) -> bool:
        age = self.stand.now - lead.received_at
        return age > timedelta(days=PATIENCE_DAYS) or self._in_vain[lead.id] >= TRIES_AT_MOST


def due_of(lead: Lead) -> datetime | None:
    """When the first of its open tasks is due."""
    return min((t.due_at for t in lead.open_tasks() if t.due_at is not None), default=None)


def unreached(book: Rulebook) -> str | None:
    """The outcome of a call that ends nothing, first of all one that a rule waits for."""
    waited = [v for rule in book.rules if rule.when.word == "attempt" for v in rule.when.values]
    known = [*waited, *book.outcomes]
    return next((v for v in known if v in book.outcomes and not book.outcomes[v].closes), None)


def _classes(book: Rulebook) -> dict[str, tuple[Condition, ...]]:
    """Outcomes that end nothing and that some rule answers, each with what classifying asks for."""
    waited = [v for rule in book.rules if rule.when.word == "classified" for v in rule.when.values]
    return {
        outcome.id: tuple(
            need
            for each in book.requires
            if each.to.action == "classify" and outcome.id in each.to.values
            for need in each.need
        )
        for outcome in book.outcomes.values()
        if outcome.id in waited and outcome.closes is None
    }


def _urgency(task: Task) -> tuple[bool, str]:
    return (task.due_at is None, task.due_at.isoformat() if task.due_at else "")
