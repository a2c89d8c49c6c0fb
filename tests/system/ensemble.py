"""All scenarios as one play: what comes from outside, merged by time, for one stack.

Each scenario gets people of its own (phones, e-mails), so that they do not meet. Those that
last for weeks play after the others, so that these do not wait for them; those that change the
directory would change the others' day: they play alone, later still.

No door takes an opened mail yet: scenarios that need one play on the pure cores only, and so do
those that last longer than four weeks, for the sake of whoever waits for the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any
from zoneinfo import ZoneInfo

from relance.scenario import Scenario
from relance.simulate import world_of
from relance.simulation.company import Company
from relance.simulation.cue import Acted, Cue, Declared, Passed, Received
from relance.simulation.expected import Expect, ExpectNo, Refuse, View
from relance.simulation.performance import Outcome, Performance
from relance.simulation.service import Pipeline
from relance.simulation.step import (
    Act,
    Answer,
    Call,
    Declare,
    FileRow,
    Receive,
    Reply,
    Step,
    Until,
    Wait,
)
from relance.simulation.world import World
from services.pipeline.core.action import Close
from shared.contract.directory import Absence, Availability, Document
from shared.domain.contact_point import read_email
from shared.domain.directory import Directory

WEEK = timedelta(weeks=1)
LONGEST = 4 * WEEK
A_YEAR = 52 * WEEK
"""A story of years ago plays on the pure cores only: every nine o'clock since would be played."""
LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?")
EVER = datetime.min.replace(tzinfo=UTC)
CARRIED = (
    Receive,
    Reply,
    Call,
    Answer,
    Act,
    Declare,
    Wait,
    Until,
    Refuse,
    Expect,
    ExpectNo,
    View,
)
"""The steps that today's doors and API can carry."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What comes from outside at one instant: the cues of a round do not depend on each other."""

    at: datetime
    rounds: tuple[tuple[Cue, ...], ...]


@dataclass
class Play:
    """Everything to do on a stack whose clock stands at `start`; `world` is how it went here.

    `alone` is how each scenario went in a world of its own.
    """

    start: datetime
    world: World
    alone: list[Outcome] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    end: datetime = EVER


def play_of(scenarios: Sequence[Scenario], company: Company, longest: timedelta = LONGEST) -> Play:
    """Those scenarios that can be played here, as one play, played in one simulated world."""
    scenarios = [each for each in scenarios if _can_be_played(each, longest)]
    latest = max(scenario.start for scenario in scenarios)
    scenarios = [each for each in scenarios if latest - each.start < A_YEAR]
    first = min(_instant(scenario, company, scenario.start) for scenario in scenarios)
    play = Play(first, world_of(company, first))
    for wave in _waves(scenarios):
        later = _weeks_until(play.end, min(_instant(each, company, each.start) for each in wave))
        outcomes = [
            _performed(_alone(scenario, scenarios.index(scenario), later), company)
            for scenario in wave
        ]
        play.alone += outcomes
        cues = [outcome.cues for outcome in outcomes]
        play.end = max(cue.until for each in cues for cue in each if isinstance(cue, Passed))
        for moment in _moments(cues):
            _perform(play, moment)
        play.world.until(play.end)
        _perform(play, _cleared_stage(play, company))
    return play


def _can_be_played(scenario: Scenario, longest: timedelta) -> bool:
    carried = all(isinstance(step, CARRIED) for step in scenario.steps)
    # The rows of one file come in by their persons' partitions: which of them carries the one
    # message about all is free.
    one_by_one = all(len(step.rows) < 2 for step in scenario.steps if isinstance(step, Receive))
    # Without an id of the sender's the lead has another id each time: no cue could name it.
    named = not any(isinstance(step, Receive) and step.anonymous for step in scenario.steps)
    return carried and one_by_one and named and _lasts(scenario) <= longest


def _lasts(scenario: Scenario) -> timedelta:
    now = scenario.start
    for step in scenario.steps:
        if isinstance(step, Wait):
            now += step.wait
        elif isinstance(step, Until):
            now = max(now, step.until)
    return now - scenario.start


def _weeks_until(end: datetime, start: datetime) -> timedelta:
    """So many whole weeks later is the first time after `end`: the same days of the week."""
    later = timedelta()
    while start + later <= end:
        later += WEEK
    return later


def _waves(scenarios: Iterable[Scenario]) -> list[list[Scenario]]:
    together: list[Scenario] = []
    long: list[Scenario] = []
    alone: list[Scenario] = []
    for scenario in scenarios:
        if any(isinstance(step, Declare) for step in scenario.steps):
            alone.append(scenario)
        else:
            (long if _lasts(scenario) > WEEK + WEEK / 2 else together).append(scenario)
    return [wave for wave in (together, long, *([each] for each in alone)) if wave]


def _alone(scenario: Scenario, number: int, later: timedelta) -> Scenario:
    """The scenario without its expectations, with people of its own, so much later."""
    steps = (step for step in scenario.steps if not isinstance(step, Expect | ExpectNo | View))
    moved = tuple(_own(step, number, later) for step in steps)
    last = Wait.model_validate({"wait": "0m"})  # so that every story ends with time that passes
    return scenario.model_copy(
        update={"start": scenario.start + later, "steps": (*moved, last), "file": f"s{number}"}
    )


def _own(step: Step, number: int, later: timedelta) -> Step:
    if later and not isinstance(step, Wait):
        said = step.model_dump(by_alias=True, exclude_unset=True)
        step = type(step).model_validate(_moved(said, later))
    if isinstance(step, Receive):
        rows = tuple(_own_row(row, number) for row in step.rows)
        return step.model_copy(update={**_points(step, number), "rows": rows})
    if isinstance(step, Call):
        return step.model_copy(update={"phone": _phone(step.phone, number)})
    if isinstance(step, Refuse) and isinstance(step.refuse, Act):
        return step.model_copy(update={"refuse": _own(step.refuse, number, later)})
    if isinstance(step, Act) and step.act == "set_fields":
        fields = _own_points(step.json_action["fields"], number)
        return Act.model_validate({**step.model_dump(by_alias=True), "fields": fields})
    if isinstance(step, Act) and step.act == "create_lead":
        return Act.model_validate(_own_points(step.model_dump(by_alias=True), number))
    return step


def _points(said: Receive | FileRow, number: int) -> dict[str, str | None]:
    return {"phone": _phone(said.phone, number), "email": _email(said.email, number)}


def _own_row(row: FileRow, number: int) -> FileRow:
    id_ = None if row.id is None else f"s{number}-{row.id}"
    return row.model_copy(update={**_points(row, number), "id": id_})


def _moved(said: Any, later: timedelta) -> Any:
    """Every local date and time that is said, so much later."""
    if isinstance(said, datetime):
        return said + later
    if isinstance(said, dict):
        return {name: _moved(value, later) for name, value in said.items()}
    if isinstance(said, list | tuple):
        return [_moved(value, later) for value in said]
    if isinstance(said, str) and LOCAL.fullmatch(said):
        moved = datetime.fromisoformat(said) + later
        return moved.isoformat(timespec="minutes")[: len(said)]
    return said


def _own_points(said: Mapping[str, Any], number: int) -> dict[str, Any]:
    own = dict(said)
    own |= {"phone": _phone(own["phone"], number)} if "phone" in own else {}
    own |= {"email": _email(own["email"], number)} if "email" in own else {}
    return own


def _phone(text: str | None, number: int) -> str | None:
    """The same way of writing, another subscriber: the first three of its last seven digits."""
    if text is None or sum(map(str.isdigit, text)) < 7:  # nobody's number stays nobody's
        return text
    places = [place for place, sign in enumerate(text) if sign.isdigit()][-7:-4]
    signs = list(text)
    for place, digit in zip(places, f"{200 + number}", strict=True):
        signs[place] = digit
    return "".join(signs)


def _email(text: str | None, number: int) -> str | None:
    if text is None or read_email(text).point is None:  # nobody's address stays nobody's
        return text
    return text.replace("@", f".s{number}@")


def _instant(scenario: Scenario, company: Company, local: datetime) -> datetime:
    zone = ZoneInfo(company.directory.site(scenario.site).zone)
    return local.replace(tzinfo=zone).astimezone(UTC)


def _performed(scenario: Scenario, company: Company) -> Outcome:
    """The scenario in a world of its own: its cues have the ids that the play will have too."""
    world = world_of(company, _instant(scenario, company, scenario.start))
    outcome = Performance(scenario, scenario.file, company.book, world).run()
    assert outcome.passed, f"{scenario.name}: step {outcome.failed_step}: {outcome.why}"
    return outcome


def _moments(of_each: Iterable[Sequence[Cue]]) -> list[Moment]:
    """Merged by time; at one instant the n-th cues of all scenarios are one round."""
    at: dict[datetime, list[list[Cue]]] = {}
    for cues in of_each:
        mine: dict[datetime, list[Cue]] = {}
        for cue in cues:
            if not isinstance(cue, Passed):
                mine.setdefault(cue.at, []).append(cue)
        for instant, here in mine.items():
            at.setdefault(instant, []).append(here)
    return [
        Moment(
            instant,
            tuple(
                tuple(cue for cue in one if cue is not None) for one in zip_longest(*at[instant])
            ),
        )
        for instant in sorted(at)
    ]


def _cleared_stage(play: Play, company: Company) -> Moment:
    """Every open lead is closed and the directory as it was: the next wave starts from there."""
    leads = [
        lead.id
        for service in play.world.services
        if isinstance(service, Pipeline)
        for lead in service.world.leads.values()
        if lead.is_open
    ]
    close, at, boss = Close(status="invalid"), play.end, _manager(company.directory)
    closing = [Acted(at, lead, boss, close, f"{at.isoformat()}-{lead}") for lead in leads]
    restored = Declared(at, (*_documents(company), *_taken_back(play)))
    # One after the other: what becomes of a lead may depend on another one of its contact.
    return Moment(at, ((restored,), *((one,) for one in closing)))


def _taken_back(play: Play) -> Iterable[Document]:
    """Everybody is there again and can take a call."""
    cues = (cue for moment in play.moments for one in moment.rounds for cue in one)
    for document in (d for cue in cues if isinstance(cue, Declared) for d in cue.documents):
        if isinstance(document, Absence):
            yield document.model_copy(update={"withdrawn": True})
        elif isinstance(document, Availability):
            yield document.model_copy(update={"state": "available"})


def _manager(directory: Directory) -> str:
    teams = (directory.team(agent.team) for agent in directory.agents if agent.team)
    return next(team.manager for team in teams if team.manager)


def _documents(company: Company) -> tuple[Document, ...]:
    directory = company.directory
    calendars = dict.fromkeys(site.calendar for site in directory.sites)
    return (*(directory.calendar(each) for each in calendars), *directory.sites)


def _perform(play: Play, moment: Moment) -> None:
    play.moments.append(moment)
    world = play.world
    world.until(moment.at)
    for cue in (cue for one in moment.rounds for cue in one):
        if isinstance(cue, Received) and cue.sent.file is not None:
            world.receive_file(cue.sent)
        elif isinstance(cue, Received):
            world.receive(cue.sent)
        elif isinstance(cue, Acted):
            world.act(cue.lead, cue.by, cue.action, cue.key)
        elif isinstance(cue, Declared):
            world.declare(*cue.documents)
