"""What `relance audit` prints: counts, findings, a conclusion, for people in 80 columns."""

import json
from dataclasses import replace

import pytest

from relance.audit import audit
from relance.audit_command import MOST_SHOWN, WIDTH, as_json, as_text
from relance.promises.evidence import Waiting
from relance.promises.finding import Finding
from tests.unit.audited_house import kept
from tests.unit.broken_promises import BROKEN


def test_where_nothing_is_found_that_is_said_with_what_was_counted() -> None:
    text = as_text(audit(kept()))

    assert "        2  inputs on intake.events.v1" in text
    assert "        1  lead\n" in text
    assert text.endswith("order kept, nobody told twice.")


def test_providers_books_are_counted_only_where_they_were_read() -> None:
    assert "handed over once more than told (email and sms)" in as_text(audit(kept()))
    assert "handed over" not in as_text(audit(replace(kept(), delivered={})))


@pytest.mark.parametrize("what", BROKEN)
def test_every_finding_fits_into_the_screen(what: str) -> None:
    lines = as_text(audit(BROKEN[what][1])).splitlines()

    assert max(map(len, lines)) <= WIDTH
    assert any(
        line.startswith(BROKEN[what][0].partition(":")[0].replace("_", " ")) for line in lines
    )


def test_a_long_list_is_cut_and_says_so() -> None:
    held = [(f"event-{number}", "lead", "why") for number in range(MOST_SHOWN + 5)]
    text = as_text(audit(replace(kept(), waiting={"pipeline": Waiting(parked=held)})))

    assert "… and 5 more: --json has all of them." in text
    assert f"{MOST_SHOWN + 5} found: {MOST_SHOWN + 5} stuck." in text


def test_as_data_every_finding_is_there() -> None:
    report = audit(BROKEN["an open lead has no owner"][1])
    told = json.loads(as_json(report))

    assert told["ok"] is False
    assert told["counts"]["leads"] == 1
    assert [Finding(**each) for each in told["findings"]] == list(report.findings)
