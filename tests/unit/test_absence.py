"""Absences: those that meet are one, a day of them is told once, a link lets answer once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from services.reminders.core.absence import LongAbsences, fire, replan
from shared.contract.directory import Absence
from shared.domain.directory import Away
from shared.domain.signed_link import VALID_FOR, BadLink, Link, read_link
from tests.unit.office import DIRECTORY, at

MONDAY = at("2026-03-02T00:00")
DAY = timedelta(days=1)
KEY = b"of the test"


def absence(id_: str, begins: datetime, ends: datetime, agent: str = "anna") -> Absence:
    return Absence(id=id_, agent=agent, begins=begins, ends=ends)


def test_absences_that_meet_or_overlap_are_one_and_who_is_there_is_not_away() -> None:
    directory = DIRECTORY.with_(
        absence("a", MONDAY, MONDAY + DAY),
        absence("b", MONDAY + DAY, MONDAY + 2 * DAY),
        absence("c", MONDAY + DAY, MONDAY + 3 * DAY),
        absence("d", MONDAY + 5 * DAY, MONDAY + 6 * DAY),
    )

    assert directory.away("anna", MONDAY) == Away("anna", MONDAY, MONDAY + 3 * DAY)
    assert directory.away("anna", MONDAY + 3 * DAY) is None
    assert directory.away("anna", MONDAY - timedelta(seconds=1)) is None
    assert directory.away("boris", MONDAY) is None
    assert len(directory.absences) == 2


def test_one_that_is_taken_back_does_not_count() -> None:
    taken_back = absence("a", MONDAY, MONDAY + DAY).model_copy(update={"withdrawn": True})

    assert DIRECTORY.with_(taken_back).away("anna", MONDAY) is None


def test_an_absence_must_end_after_it_begins() -> None:
    with pytest.raises(ValidationError, match="ends after it begins"):
        absence("a", MONDAY, MONDAY)


@pytest.mark.parametrize(("hours", "times"), [(24, 0), (25, 1), (72, 1)])
def test_more_than_a_day_is_told_after_a_day_and_once(hours: int, times: int) -> None:
    directory = DIRECTORY.with_(absence("a", MONDAY, MONDAY + timedelta(hours=hours)))
    known = replan(LongAbsences(), directory, MONDAY - DAY)

    early, nothing = fire(known, MONDAY + DAY - timedelta(seconds=1))
    later, told = fire(early, MONDAY + DAY)
    again = replan(later, directory, MONDAY + DAY)

    assert nothing == []
    assert [each.due_at for each in told] == [MONDAY + DAY] * times
    assert fire(again, MONDAY + 9 * DAY)[1] == []


def test_one_that_is_declared_late_is_told_at_once_and_one_that_is_over_never() -> None:
    directory = DIRECTORY.with_(
        absence("a", MONDAY, MONDAY + 9 * DAY),
        absence("b", MONDAY - 9 * DAY, MONDAY, "boris"),
    )
    now = MONDAY + 4 * DAY

    _, told = fire(replan(LongAbsences(), directory, now), now)

    assert [(each.away.agent, each.tell("t", now).time) for each in told] == [("anna", now)]


def test_a_signed_link_is_read_back_until_it_expires_and_by_no_other_key() -> None:
    link = Link("carvivo", "a-lead", "owner_absent", "chloé", MONDAY + VALID_FOR)
    token = link.token(KEY)

    assert read_link(token, KEY, MONDAY) == link
    with pytest.raises(BadLink, match="expired"):
        read_link(token, KEY, MONDAY + VALID_FOR)
    for wrong in (token[:-1], token[1:], f"{token}.x", "", "a.b", token.replace(".", "")):
        with pytest.raises(BadLink, match="not complete"):
            read_link(wrong, KEY, MONDAY)
    with pytest.raises(BadLink):
        read_link(token, b"another", MONDAY)
