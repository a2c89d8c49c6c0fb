"""Who gets in touch, with what, and what agents do about it."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

NAMES = ("Иван", "Ольга", "Пётр", "Мария", "Анна-Луиза", "Γιώργος", "O'Neil", "李")
AGENTS = ("anna", "boris", "boss")

ACTIONS: tuple[tuple[int, dict[str, Any]], ...] = (
    (20, {"act": "note", "text": "перезвонить после обеда"}),
    (15, {"act": "set_fields", "fields": {"platform": "amocrm"}}),
    (15, {"act": "move", "to": "in_work"}),  # refused without a platform
    (15, {"act": "log_attempt", "code": "call", "outcome": "no_answer"}),
    (5, {"act": "log_contact", "channel": "call"}),
    (5, {"act": "postpone_task", "task": "call_back", "due": {"in": "1h", "of": "open_hours"}}),
    (5, {"act": "complete_task", "task": "qualify"}),
    (5, {"act": "assign", "to": "boris"}),
    # Due a minute ago, so at once: reminders fires it, pipeline judges it, the owner is told.
    (15, {"act": "create_task", "task": "write_back", "due": {"before": "1m"}}),
    (5, {"act": "classify", "outcome": "spam"}),
)
"""How often, and what."""


@dataclass(frozen=True)
class Person:
    name: str
    phone: str
    email: str


@dataclass(frozen=True)
class Input:
    """One input; `id` is its sender's own, `chance` decides its details."""

    id: str
    door: str
    person: Person
    chance: float

    def as_call(self) -> dict[str, str]:
        return {"call_id": self.id, "from": self.person.phone, "status": "missed"}

    def as_form(self) -> dict[str, str]:
        """With both contact points, or with only one of them."""
        known = {"name": self.person.name, "submission": self.id, "message": "Сколько стоит?"}
        if self.chance < 0.7:
            known["phone"] = self.person.phone
        if self.chance > 0.3:
            known["email"] = self.person.email
        return known


@dataclass(frozen=True)
class Action:
    """What an agent does to a lead, under one Idempotency-Key."""

    key: str
    agent: str
    lead: str
    what: dict[str, Any]


def persons(chance: random.Random) -> Iterator[Person]:
    """People nobody knows yet; in another run of the same stack, others."""
    first = chance.randrange(1_000_000, 9_000_000)
    for number in itertools.count(first):
        phone = f"+375 29 {number // 10_000:03d}-{number // 100 % 100:02d}-{number % 100:02d}"
        yield Person(chance.choice(NAMES), phone, f"client{number}@example.by")


def action(chance: random.Random) -> dict[str, Any]:
    """One of `ACTIONS`."""
    weights, acts = zip(*ACTIONS, strict=True)
    return dict(chance.choices(acts, weights)[0])
