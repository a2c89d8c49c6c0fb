"""The scenarios on real Kafka and PostgreSQL say, event by event, what the pure cores say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from relance.comparison import differences
from relance.scenario import load
from relance.simulation.company import read_company
from relance.stack.home import Home
from relance.stack.stack import RULEBOOK
from shared.contract.envelope import Envelope, Event
from shared.contract.pipeline import LeadCreated
from tests.system.ensemble import Play, play_of
from tests.system.real_stage import events_of


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of its own: this stack has another clock than the session's."""
    folder = Path(tempfile.mkdtemp(prefix="relance-play-"))
    folder.chmod(0o755)
    home = Home(folder)
    yield home
    home.remove()


@pytest.fixture(scope="module")
def play() -> Play:
    return play_of(load([RULEBOOK / "scenarios"]), read_company(RULEBOOK))


def test_played_together_every_scenario_goes_as_it_goes_alone(play: Play) -> None:
    together = _stories(play.world.log)

    for outcome in play.alone:
        for line, told in _stories(outcome.log).items():
            assert together[line][: len(told)] == told, outcome.scenario.name


def test_every_scenario_tells_the_same_story_on_the_real_stack(play: Play, home: Home) -> None:
    real = events_of(play, home)

    told = differences(play.world.log, real)
    assert not told, "\n".join(told[:20])
    assert len(real) == len(play.world.log)


def _stories(log: Iterable[Envelope]) -> dict[tuple[str, str], list[Event]]:
    """What was said of each lead; an agent's digest speaks of everybody's leads."""
    log = list(log)
    leads = {event.subject for event in log if isinstance(event.data, LeadCreated)}
    stories: dict[tuple[str, str], list[Event]] = {}
    for event in log:
        if event.subject in leads:
            stories.setdefault((event.source, event.subject), []).append(event.data)
    return stories
