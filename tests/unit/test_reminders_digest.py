"""The daily digest: nine o'clock of the agent's site, on its open days, once."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from services.reminders.core.digest import Digest, Digests, DigestTime, fire, replan
from shared.contract.directory import Calendar, Interval
from shared.contract.envelope import Because
from shared.contract.reminders import DigestDue
from tests.unit.office import DIRECTORY, OFFICE, agent, at, site

NINE = DigestTime("axelerator", time(9), Because(rulebook="b", version="1", rule="003-08"))
MONDAY = date(2026, 3, 2)


def planned(now: datetime) -> Digests:
    return replan(Digests(), DIRECTORY, NINE, now)


def dates(said: list[Digest]) -> list[tuple[str, date]]:
    return [(each.agent, each.date) for each in said]


def test_every_agent_is_told_at_nine_of_their_own_site() -> None:
    digests = planned(at("2026-03-01T20:00"))

    assert digests.by_agent["anna"].due_at == at("2026-03-02T09:00")
    assert digests.by_agent["paul"].due_at == at("2026-03-02T09:00", "Europe/Paris")
    assert digests.next_due() == at("2026-03-02T09:00")


def test_each_is_told_once_and_next_on_the_following_open_day() -> None:
    friday_nine = at("2026-03-06T09:00")
    digests, said = fire(planned(at("2026-03-05T12:00")), DIRECTORY, NINE, friday_nine)
    again, nothing = fire(digests, DIRECTORY, NINE, friday_nine)

    assert dates(said) == [("anna", date(2026, 3, 6)), ("boris", date(2026, 3, 6))]
    assert nothing == []
    assert again.by_agent["anna"].due_at == at("2026-03-09T09:00")


def test_nobody_is_told_on_a_closed_day() -> None:
    digests = planned(at("2026-03-06T09:00"))

    _, said = fire(digests, DIRECTORY, NINE, at("2026-03-08T23:59"))

    assert said == []
    assert {each.date for each in digests.by_agent.values()} == {date(2026, 3, 9), date(2026, 3, 6)}


def test_a_late_start_tells_today_once_and_no_day_before() -> None:
    digests = planned(at("2026-03-02T08:00"))

    later, said = fire(digests, DIRECTORY, NINE, at("2026-03-05T11:30"))

    assert dates(said) == [(name, date(2026, 3, 5)) for name in ("anna", "boris", "paul")]
    assert later.by_agent["anna"].due_at == at("2026-03-06T09:00")


def test_a_start_that_is_late_by_days_but_before_nine_waits_for_nine() -> None:
    digests = planned(at("2026-03-02T08:00"))

    later, said = fire(digests, DIRECTORY, NINE, at("2026-03-05T08:30"))

    assert said == []
    assert later.by_agent["anna"].due_at == at("2026-03-05T09:00")


def test_a_start_on_a_closed_day_waits_for_the_next_open_one() -> None:
    digests = planned(at("2026-03-06T08:00"))

    later, said = fire(digests, DIRECTORY, NINE, at("2026-03-07T12:00"))

    assert said == []
    assert later.by_agent["anna"].due_at == at("2026-03-09T09:00")


def test_somebody_new_is_told_from_the_next_nine_o_clock_on() -> None:
    afternoon = at("2026-03-02T15:00")
    grown = DIRECTORY.with_(agent("clara"))

    digests = replan(planned(afternoon), grown, NINE, afternoon)

    assert digests.by_agent["clara"].due_at == at("2026-03-03T09:00")


def test_a_changed_directory_keeps_what_is_due_already() -> None:
    digests = planned(at("2026-03-02T08:00"))
    moved = DIRECTORY.with_(site("minsk", zone="Europe/London"))

    digests = replan(digests, moved, NINE, at("2026-03-02T09:30"))

    assert digests.by_agent["anna"].due_at == at("2026-03-02T09:00")


def test_who_left_or_whose_site_is_unknown_or_never_open_is_told_nothing() -> None:
    odd = DIRECTORY.with_(
        agent("anna", withdrawn=True), agent("boris", "nowhere"), agent("paul", "shut")
    )

    digests = replan(planned(at("2026-03-02T08:00")), odd, NINE, at("2026-03-02T08:00"))
    _, said = fire(planned(at("2026-03-02T08:00")), odd, NINE, at("2026-03-02T11:30"))

    assert digests.by_agent == {}
    assert said == []


def test_nine_o_clock_counts_even_where_the_doors_open_at_ten() -> None:
    late_riser = OFFICE.model_copy(
        update={"weekly": {"mon": (Interval(opens=time(10), closes=time(18)),)}}
    )

    digests = replan(Digests(), DIRECTORY.with_(late_riser), NINE, at("2026-03-01T12:00"))

    assert isinstance(late_riser, Calendar)
    assert digests.by_agent["anna"].due_at == at("2026-03-02T09:00")


def test_the_digest_says_for_whom_and_for_which_day_with_the_rule_that_made_it() -> None:
    due_at = at("2026-03-02T09:00")
    digest = Digest("anna", MONDAY, due_at)

    said = digest.said(NINE, due_at + timedelta(minutes=3))

    assert said.data == DigestDue(because=NINE.because, agent="anna", date=MONDAY, due_at=due_at)
    assert (said.subject, said.tenant, said.time) == (
        "axelerator/anna",
        "axelerator",
        datetime(2026, 3, 2, 6, 3, tzinfo=UTC),
    )
    assert said.id == digest.said(NINE, due_at).id
