"""How agents work: they do what is due in open hours, mostly in time, and what a rule asks for.

They know the rulebook's own words and nothing else: its stages, tasks, codes, reasons.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from relance.people.commitment import commitments
from relance.people.deed import accomplish, actor_of
from relance.people.stand import MINUTE, Arguments, Stand
from services.pipeline.core.lead import Lead, Task
from shared.domain.rulebook.rulebook import Rulebook

IN_TIME = 0.88
"""So many tasks are done before they are due."""
REACHED = 0.55
"""So many calls are answered."""
FORWARD, GIVES_UP, NOTHING_FOR_US = 0.6, 0.14, 0.05
"""After a conversation the lead goes on, is lost, or was none; else it is spoken of again."""
SELDOM = {
    "book": 0.15,
    "move_appointment": 0.05,
    "cancel_appointment": 0.05,
    "miss_appointment": 0.2,
    "block": 0.01,
}
"""So often at a sitting, where it can be done."""
TRIES_AT_MOST = 12
"""Then an agent tries to close the lead, each time they work on it."""
PATIENCE_DAYS = 120
"""A lead older than that is closed however it can be."""


def next_work(stand: Stand, lead: Lead, rng: Random) -> datetime:
    """When somebody works on the lead next, in the open hours of its site."""
    hours = stand.world.directory.opening(lead.site)
    due = min((t.due_at for t in lead.open_tasks() if t.due_at is not None), default=None)
    now = stand.now
    if due is None or due <= now:  # nobody is waiting: the morning's digest, or a bad conscience
        at = now + timedelta(hours=rng.uniform(1, 30))
    elif rng.random() < IN_TIME:
        at = now + (due - now) * rng.uniform(0.05, 0.95)
    else:
        at = due + timedelta(hours=rng.expovariate(1 / 6))
    return max(hours.first_open(at), now + MINUTE)


class Agent:
    """Whoever has the lead in hand; `rng` makes every choice."""

    def __init__(self, stand: Stand, rng: Random) -> None:
        self.stand, self.rng, self.book = stand, rng, stand.book

    def work(self, lead: Lead) -> None:
        """One sitting: the most urgent task, or whatever keeps the lead going."""
        self._commits(lead)
        lead = self.stand.lead(lead.id)
        if not lead.is_open:
            return
        if self._is_hopeless(lead) and self._ends(lead):
            return
        task = min(lead.open_tasks(), key=_urgency, default=None)
        if self.rng.random() >= REACHED:
            self._tries(lead, reached=False)
            return
        self._tries(lead, reached=True)
        if task is not None:
            self._does(lead, {"act": "complete_task", "task": task.id, "note": "ok"})
        self._decides(self.stand.lead(lead.id))

    def _commits(self, lead: Lead) -> None:
        """Takes the lead up and answers what was asked; books, cancels or moves now and then."""
        for _, arguments in list(commitments(self.stand, lead)):
            act = arguments["act"]
            if act in ("acknowledge", "answer") or self.rng.random() < SELDOM.get(str(act), 0.0):
                self._does(lead, arguments)

    def _tries(self, lead: Lead, *, reached: bool) -> None:
        codes = [c for c in self.book.attempts.values() if c.channel == "call"]
        code = self.rng.choice(codes or list(self.book.attempts.values()) or [None])
        if code is not None:
            outcome = None if reached else unreached(self.book)
            said = {} if outcome is None else {"outcome": outcome}
            self._does(lead, {"act": "log_attempt", "code": code.id, **said})
        if reached:
            self._does(lead, {"act": "log_contact", "channel": "call"})

    def _decides(self, lead: Lead) -> None:
        """What comes of a conversation."""
        if not lead.is_open:
            return
        dice = self.rng.random()
        if dice < FORWARD:
            if self._goes_on(lead):
                return
        elif dice < FORWARD + GIVES_UP:
            if self._ends(lead):
                return
        elif dice < FORWARD + GIVES_UP + NOTHING_FOR_US and self._was_none(lead):
            return
        self._speaks_again(self.stand.lead(lead.id))

    def _goes_on(self, lead: Lead) -> bool:
        stages = [
            stage
            for name in self.book.stages[(lead.pipeline, lead.stage)].next
            if (stage := self.book.stages[(lead.pipeline, name)]).closes in (None, "won")
        ]
        if not stages:
            return False
        self.rng.shuffle(stages)
        return any(self._does(lead, {"act": "move", "to": stage.id}) for stage in stages)

    def _ends(self, lead: Lead) -> bool:
        """Closed for one of the reasons that the rulebook allows now."""
        reasons = self.rng.sample(list(self.book.reasons), min(4, len(self.book.reasons)))
        said: list[Arguments] = [{"reason": reason} for reason in reasons] or [{}]
        return any(self._does(lead, {"act": "close", "status": "lost", **each}) for each in said)

    def _was_none(self, lead: Lead) -> bool:
        closing = [o.id for o in self.book.outcomes.values() if o.closes == "invalid"]
        if not closing:
            return self._does(lead, {"act": "close", "status": "invalid"})
        return self._does(lead, {"act": "classify", "outcome": self.rng.choice(closing)})

    def _speaks_again(self, lead: Lead) -> None:
        calls = [task.id for task in self.book.tasks.values() if task.channel == "call"]
        if lead.is_open and not lead.open_tasks() and calls:
            due = {"in": f"{self.rng.randint(1, 6)}d", "of": "working_days"}
            self._does(lead, {"act": "create_task", "task": calls[0], "due": due})

    def _does(self, lead: Lead, arguments: Arguments) -> bool:
        by = actor_of(self.stand, self.stand.lead(lead.id))
        return accomplish(self.stand, lead.id, arguments, by, may_wait=False)

    def _is_hopeless(self, lead: Lead) -> bool:
        age = self.stand.now - lead.received_at
        return age > timedelta(days=PATIENCE_DAYS) or (
            len(lead.attempts) >= TRIES_AT_MOST and not lead.contacts
        )


def unreached(book: Rulebook) -> str | None:
    """The outcome of an attempt that some rule waits for and that ends nothing: not reached."""
    waited = [v for rule in book.rules if rule.when.word == "attempt" for v in rule.when.values]
    open_ends = [v for v in waited if v in book.outcomes and book.outcomes[v].closes is None]
    return next(iter(open_ends), None)


def _urgency(task: Task) -> tuple[bool, str]:
    return (task.due_at is None, task.due_at.isoformat() if task.due_at else "")
