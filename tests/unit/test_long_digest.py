"""A digest of however many leads goes out: the first lines by urgency, and how many more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from services.notifications.core.template import render
from services.pipeline.core.abridgement import LINES_AT_MOST, LONGEST, Line, abridged, share
from services.pipeline.core.digest import digest, owners_for
from shared.contract.pipeline import DeadlineSet, NotificationRequested
from shared.contract.reminders import DeadlinePlanned, DigestDue
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime.outbox import MAX_EVENT_BYTES
from shared.runtime.rulebook_folder import read
from tests.unit.pipeline_desk import IVAN, MONDAY, Desk

EVER = datetime(2026, 1, 1, tzinfo=UTC)
RULEBOOKS = ("axelerator", "car_bdc", "carvivo", "pagesjaunes", "sales_academy")
SECTIONS = ("late", "today", "no_open_task", "shortfall", "tasks")
MORE = {"axelerator": "… и ещё {}, здесь только первые"}
IN_FRENCH = "… et encore {} : seuls les premiers sont ici"


def line(number: int, name: str = "Иван") -> Line:
    due_at = (EVER + timedelta(minutes=number)).isoformat()
    return {
        "number": f"N{number}", "name": name, "company": name, "phone": "+375291234567",
        "email": f"{'i' * 64}@{'x' * 180}.example", "stage": "Отправлено КП", "task": name,
        "due_at": due_at, "day": "2026-03-02", "tried": {"call": 0, "sms": 1}, "rounds": 3,
        "to": "Анна",
    }  # fmt: skip


def sections(**many: int) -> dict[str, list[Line]]:
    return {name: [line(n) for n in range(many.get(name, 0))] for name in SECTIONS}


@given(st.lists(st.integers(0, 400), max_size=40), st.integers(0, 400))
def test_what_is_shown_is_as_much_as_there_is_room_for_and_fair(
    sizes: list[int], most: int
) -> None:
    of_each = share(sizes, most)
    shown = sum(min(size, of_each) for size in sizes)
    assert shown <= most
    assert shown == sum(sizes) or sum(min(size, of_each + 1) for size in sizes) > most


def test_one_advisers_long_list_takes_no_line_of_the_others() -> None:
    long, short = _dicts(abridged([sections(late=5_000), sections(late=3, today=40)]))
    assert [len(long["late"]), long["more"]["late"], long["total"]] == [257, 4_743, 5_000]
    assert (short["late"], short["total"]) == (sections(late=3)["late"], 43)
    assert short["more"] == dict.fromkeys(SECTIONS, 0)


def test_five_thousand_late_leads_are_an_event_that_can_be_said_the_longest_overdue_first() -> None:
    desk = Desk()
    lead = desk.receive(IVAN, channel="call", name="щ" * 190)
    armed = desk.envelope_of(DeadlineSet)
    assert isinstance(armed.data, DeadlineSet)
    due_at = desk.now + timedelta(hours=1)
    desk.put(DeadlinePlanned(name=armed.data.name, deadline_set=armed.id, due_at=due_at), lead.id)
    (lead,) = desk.world.leads.values()
    ((name, task),) = lead.tasks.items()
    many = [
        lead.model_copy(
            update={
                "id": f"lead-{number}",
                "number": str(number),
                "tasks": {
                    name: task.model_copy(update={"due_at": due_at - timedelta(minutes=number)})
                },
            }
        )
        for number in range(5_000)
    ]
    desk.now = MONDAY + timedelta(days=1, hours=-1)
    due = desk.envelope(DigestDue(agent="boss", date=desk.now.date(), due_at=desk.now), "boss")
    assert lead.owner in owners_for(desk.directory, "boss")

    (asked,) = digest(desk.book, desk.directory, due, many)

    assert len(asked.to_bytes()) < MAX_EVENT_BYTES / 3
    assert isinstance(asked.data, NotificationRequested)
    (adviser,) = _advisers(asked.data.values)
    numbers = [each["number"] for each in adviser["late"]]
    assert numbers == [str(number) for number in range(4_999, 4_999 - LINES_AT_MOST, -1)]
    assert adviser["more"]["late"] == 5_000 - LINES_AT_MOST
    assert {len(each["name"]) for each in adviser["late"]} == {LONGEST}


@pytest.mark.parametrize("rulebook", RULEBOOKS)
@pytest.mark.parametrize("template", ["digest_agent", "digest_manager"])
def test_every_companys_mail_of_five_thousand_leads_reads_to_the_end(
    rulebook: str, template: str
) -> None:
    book = read(Path("rulebooks") / rulebook)
    long = {name: [line(n, "&" * 200) for n in range(1_000)] for name in SECTIONS}
    (shown,) = abridged([long])
    each = LINES_AT_MOST // len(SECTIONS)
    more = MORE.get(rulebook, IN_FRENCH).format(1_000 - each)

    for body in ("txt", "html"):
        text = _written(book, template, body, shown)
        assert text.count("N0") >= 1
        assert f"N{each}" not in text
        assert text.count("1000") >= text.count(more) >= 2
        assert len(text.encode()) < 1_000_000


@pytest.mark.parametrize("rulebook", RULEBOOKS)
def test_a_manager_of_more_advisers_than_lines_reads_how_many_each_has(rulebook: str) -> None:
    book = read(Path("rulebooks") / rulebook)
    shown = abridged([sections(late=9) for _ in range(LINES_AT_MOST + 1)])
    assert all(each["late"] == [] for each in shown)
    for body in ("txt", "html"):
        text = _written(book, "digest_manager", body, *shown)
        assert text.count(MORE.get(rulebook, IN_FRENCH).format(9)) == LINES_AT_MOST + 1


def _written(book: Rulebook, template: str, body: Any, *shown: dict[str, JsonValue]) -> str:
    declared = book.messages.templates[template]
    values = {
        "recipient": {"name": "Вера"}, "date": "2026-03-03", "as_of": None, "company": "X",
        "zone": "Europe/Minsk", "language": book.language, "absent": [],
        "advisers": [{"name": "Анна", **each} for each in shown], **shown[0],
    }  # fmt: skip
    return render(declared.files[body], body, book.messages.partials, values)


def _advisers(values: Any) -> list[dict[str, Any]]:
    return _dicts(values["advisers"])


def _dicts(shown: Any) -> list[dict[str, Any]]:
    """As a template meets them: nobody has typed what JSON holds."""
    dicts: list[dict[str, Any]] = shown
    return dicts
