"""The scenarios on real Kafka and PostgreSQL say, event by event, what the pure cores say."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relance.comparison import differences
from relance.scenario import load
from relance.simulation.company import read_company
from relance.stack.home import Home
from relance.stack.stack import RULEBOOK
from tests.system.ensemble import play_of
from tests.system.real_stage import events_of


@pytest.fixture
def home() -> Iterator[Home]:
    """A home of its own: this stack has another clock than the session's."""
    folder = Path(tempfile.mkdtemp(prefix="relance-play-"))
    folder.chmod(0o755)
    home = Home(folder)
    yield home
    home.remove()


def test_every_scenario_tells_the_same_story_on_the_real_stack(home: Home) -> None:
    company = read_company(RULEBOOK)
    play = play_of(load([RULEBOOK / "scenarios"]), company)

    real = events_of(play, home, company.book.tenant)

    told = differences(play.world.log, real)
    assert not told, "\n".join(told[:20])
    assert len(real) == len(play.world.log)
