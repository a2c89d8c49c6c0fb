"""A contact is not disturbed at night or on Sundays, by the clock where they live."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.notifications.core.quiet import quiet_until
from shared.contract.intake import ContactPoint
from shared.domain.rulebook.message import Quiet
from shared.domain.zone import zone_of

NIGHTS = Quiet.model_validate(
    {"channels": ["sms"], "from": "20:00", "until": "08:00", "days": ["sun"], "rule": "house-05"}
)
LUNCH = Quiet.model_validate(
    {"channels": ["sms"], "from": "12:00", "until": "14:00", "rule": "house-05"}
)
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        (NIGHTS, "2026-03-02T19:59", None),
        (NIGHTS, "2026-03-02T20:00", "2026-03-03T08:00"),
        (NIGHTS, "2026-03-03T07:59", "2026-03-03T08:00"),
        (NIGHTS, "2026-03-03T08:00", None),
        (NIGHTS, "2026-03-07T21:00", "2026-03-09T08:00"),  # Saturday night: Sunday is quiet too
        (NIGHTS, "2026-03-08T12:00", "2026-03-09T08:00"),
        (NIGHTS, "2026-03-28T21:00", "2026-03-30T08:00"),  # the clocks change that Sunday
        (LUNCH, "2026-03-02T11:59", None),
        (LUNCH, "2026-03-02T12:30", "2026-03-02T14:00"),
    ],
)
def test_a_message_waits_for_the_end_of_the_quiet_time(
    quiet: Quiet, now: str, until: str | None
) -> None:
    waits = quiet_until(quiet, datetime.fromisoformat(now).replace(tzinfo=PARIS), PARIS)

    wanted = until and datetime.fromisoformat(until).replace(tzinfo=PARIS).astimezone(UTC)
    assert waits == wanted


def test_the_hours_are_those_of_the_country_of_the_phone() -> None:
    reunion = ContactPoint(kind="phone", value="+262692123456")
    russia = ContactPoint(kind="phone", value="+79161234567")
    mail = ContactPoint(kind="email", value="lea@example.com")

    assert zone_of([mail, reunion], "Europe/Paris") == "Indian/Reunion"
    assert zone_of([russia], "Europe/Minsk") == "Europe/Minsk"  # Russia has many zones
    assert zone_of([mail], "Europe/Paris") == "Europe/Paris"
