"""Every rulebook, whatever people do in whatever order: nothing breaks, a refusal changes nothing,
what is told twice counts once, and who gets in touch in whatever order is one person."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relance.check.moves import LEADS_AT_MOST, deeds
from relance.cli_rulebook import RULEBOOKS, all_rulebooks
from relance.people.deed import actor_of, refusal_in
from relance.people.stand import MINUTE, House, Stand, action_of, working_morning
from relance.people.values import sent_by, ways_in
from relance.simulation.company import read_company
from relance.simulation.step import Receive
from services.pipeline.core.engine import handle
from shared.contract.reminders import DeadlinePlanned, DeadlineReached, LeadOverdue
from shared.domain.rulebook.source import Source

BOOKS = [folder.name for folder in all_rulebooks()]
CHOICES = st.lists(st.integers(0, 10_000), min_size=1, max_size=30)
TOLD_TWICE = (DeadlinePlanned, DeadlineReached, LeadOverdue)


@cache
def house(name: str) -> House:
    return House.of(read_company(RULEBOOKS / name))


def walked(name: str, choices: list[int]) -> Stand:
    """A stand after that many steps, each an arrival, a wait or an agent's action."""
    stand = Stand(house(name), f"random {name}", working_morning(house(name).company.directory))
    for choice in choices:
        kind, rest = choice % 8, choice // 8
        if not stand.leads or (kind == 0 and len(stand.leads) < LEADS_AT_MOST):
            arrive(stand, rest)
        elif kind == 1:
            stand.until(stand.next_instant() or stand.now + MINUTE)
        else:
            act(stand, rest)
    return stand


def arrive(stand: Stand, choice: int) -> None:
    directory = stand.world.directory
    ways = [
        (source, step)
        for source in stand.book.sources.source
        for step in ways_in(source, directory.site(source.site).region, directory.agents[0].id)
    ]
    source, step = ways[choice % len(ways)]
    sent = sent_by(step, source, f"{stand.name}-{stand.key()}", stand.now)
    if sent is not None:
        stand.receive(sent)


def act(stand: Stand, choice: int) -> None:
    lead = stand.leads[choice % len(stand.leads)]
    ways = list(deeds(stand, lead))
    action = action_of(ways[(choice // 3) % len(ways)][1])
    assert action is not None
    before = stand.pipeline.world
    said = stand.act(lead.id, actor_of(stand, lead), action)
    if refusal_in(said) is not None:
        assert len(said) == 1
        assert stand.pipeline.world == before


@pytest.mark.parametrize("name", BOOKS)
@settings(max_examples=12, deadline=None)
@given(choices=CHOICES)
def test_no_order_of_inputs_breaks_a_rulebook_and_a_refused_action_changes_nothing(
    name: str, choices: list[int]
) -> None:
    stand = walked(name, choices)

    for lead in stand.leads:
        assert (lead.status == "open") == (lead.closed_at is None)
        held = {d.name for d in lead.deadlines.values() if d.kind == "task"}
        assert held <= {task.id for task in lead.open_tasks()}
    ids = [envelope.id for envelope in stand.world.log]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", BOOKS)
@settings(max_examples=12, deadline=None)
@given(choices=CHOICES)
def test_a_firing_or_a_planned_instant_told_twice_counts_once(
    name: str, choices: list[int]
) -> None:
    stand = walked(name, choices)
    world = stand.pipeline.world

    for envelope in [e for e in stand.world.log if isinstance(e.data, TOLD_TWICE)]:
        after, said = handle(world, envelope, stand.book, stand.world.directory)
        assert said == []
        assert after.leads == world.leads or isinstance(envelope.data, DeadlinePlanned)
        again, _ = handle(after, envelope, stand.book, stand.world.directory)
        assert again.leads == after.leads


def ways_of_one_person(name: str) -> dict[tuple[bool, bool], tuple[Source, Receive]]:
    """A way in for each of: phone and e-mail, phone alone, e-mail alone, at one pipeline."""
    company = house(name).company
    found: dict[tuple[bool, bool], tuple[Source, Receive]] = {}
    for source in company.book.sources.source:
        for step in ways_in(source, company.directory.site(source.site).region, None):
            if source.pipeline in (None, next(iter(company.book.pipelines))):
                found.setdefault((bool(step.phone), bool(step.email)), (source, step))
    return found


LINKING = [name for name in BOOKS if len(ways_of_one_person(name)) == 3]
"""Companies that have a way in by which phone and e-mail become known as one person's."""


def test_most_companies_can_learn_that_a_phone_and_an_email_are_one_person() -> None:
    assert "axelerator" in LINKING
    assert len(LINKING) >= 3


@pytest.mark.parametrize("name", LINKING)
def test_who_gets_in_touch_in_any_order_is_one_person_with_the_same_points(name: str) -> None:
    ways = ways_of_one_person(name)
    seen = set()
    for order in permutations(sorted(ways)):
        stand = Stand(house(name), "order", working_morning(house(name).company.directory))
        for known in order:
            source, step = ways[known]
            sent = sent_by(step, source, f"order-{known}", stand.now)
            assert sent is not None
            stand.until(stand.now + MINUTE)
            stand.receive(sent)
        points = stand.pipeline.world.points
        seen.add((len(set(points.values())), tuple(sorted(points))))

    assert len(seen) == 1, seen
    assert {people for people, _ in seen} == {1}
