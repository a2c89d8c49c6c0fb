"""The scenarios on real Kafka and PostgreSQL say, event by event, what the pure cores say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from relance.comparison import differences
from relance.scenario import load
from relance.simulation.company import read_company
from relance.stack.home import PROJECT, Home
from shared.contract.envelope import Envelope, Event
from shared.contract.pipeline import LeadCreated
from tests.system.ensemble import Play, play_of
from tests.system.real_stage import events_of

LONGEST = {
    PROJECT / "rulebooks" / "axelerator": timedelta(weeks=4),
    PROJECT / "rulebooks" / "car_bdc": timedelta(days=1),
    PROJECT / "rulebooks" / "carvivo": timedelta(days=1),
    PROJECT / "rulebooks" / "pagesjaunes": timedelta(days=4),
    PROJECT / "rulebooks" / "sales_academy": timedelta(hours=6),
}
"""The rulebooks, each with how long a scenario may last, for the sake of whoever waits."""

TOLD_OTHERWISE = {
    # The API knows no lead of that number (404); the core, asked all the same, refuses.
    "Of two records for the same prospect one is classed as duplicate, "
    "and names the one that stays",
    # That a mail has gone and that a time has passed may be heard in either order.
    "Credsii without a phone gets an e-mail, and is INVALIDE only once that has gone",
    "While the e-mail waits for the morning, the Credsii request stays open",
    "Half past nine in the evening is too late to write to somebody, "
    "eight in the morning is not too early",
}


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of its own: this stack has another clock than the session's."""
    folder = Path(tempfile.mkdtemp(prefix="relance-play-"))
    folder.chmod(0o755)
    home = Home(folder)
    yield home
    home.remove()


@pytest.fixture(scope="module", params=LONGEST, ids=lambda folder: folder.name)
def rulebook(request: pytest.FixtureRequest) -> Path:
    assert isinstance(request.param, Path)
    return request.param


@pytest.fixture(scope="module")
def play(rulebook: Path) -> Play:
    company = read_company(rulebook)
    played = [s for s in load([rulebook / "scenarios"]) if s.title not in TOLD_OTHERWISE]
    return play_of(played, company, LONGEST[rulebook])


def test_played_together_every_scenario_goes_as_it_goes_alone(play: Play) -> None:
    together = _stories(play.world.log)

    for outcome in play.alone:
        for line, told in _stories(outcome.log).items():
            assert together[line][: len(told)] == told, outcome.scenario.name


def test_every_scenario_tells_the_same_story_on_the_real_stack(
    play: Play, rulebook: Path, home: Home
) -> None:
    real = events_of(play, rulebook, home)

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
