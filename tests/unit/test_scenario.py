"""Scenario files say what they mean, and a slip of the pen in one is found before it runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from relance.scenario import Scenario, ScenarioError, load, parse, read_step
from relance.simulation.expectation import Known, failure
from relance.simulation.expected import Expect, ExpectNo
from relance.simulation.step import Act, Until, Wait
from relance.story import Teller, tell
from shared.contract.envelope import Because, Envelope, Event
from shared.contract.intake import ContactPoint
from shared.contract.notifications import NotificationDeferred
from shared.contract.pipeline import LeadAssigned, LeadCreated, NoteAdded, TaskCreated
from shared.contract.reminders import DeadlinePlanned
from shared.contract.topics import DIRECTORY, EVENT_CLASSES
from shared.domain.names import Names
from shared.domain.wording import WORDS, words_for

MINSK = ZoneInfo("Europe/Minsk")
NOON = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def scenario(steps: str, title: str = "A sentence to check") -> Scenario:
    text = (
        f'[[scenario]]\nrule = "001-01"\ntitle = "{title}"\nsite = "minsk"\n'
        f'start = "2026-03-02T10:00"\nsteps = [{steps}]'
    )
    return parse(text, "calls.toml")[0]


def said(data: Event, subject: str = "lead-1") -> Envelope:
    return Envelope(
        id=str(uuid4()),
        source="/pipeline",
        type=data.type,
        subject=subject,
        time=NOON,
        tenant="axelerator",
        data=data,
    )


def test_a_step_is_named_by_its_first_word() -> None:
    steps = scenario(
        '{ receive = "call", phone = "+375 29 123-45-67" }, { wait = "31m" }, '
        '{ until = "2026-03-02T12:00" }, { expect = "NotificationDeferred", until = "2026-03-03" }'
    ).steps

    assert isinstance(steps[1], Wait)
    assert steps[1].wait == timedelta(minutes=31)
    assert steps[2] == Until(until=datetime(2026, 3, 2, 12))
    assert isinstance(steps[3], Expect)
    assert steps[3].given == {"until": "2026-03-03"}


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ('{ expect = "LeadMade" }', "no event is called LeadMade; did you mean LeadLate?"),
        (
            '{ expect = "LeadClosed", statuss = "lost" }',
            "LeadClosed has no field statuss; did you mean status?",
        ),
        ('{ expect_no = "LeadClosed", text_has = "x" }', "LeadClosed carries no text"),
        ('{ expect = "LeadClosed", times = 0 }', "times: 0 is out of bounds: write at least 1"),
        ('{ recieve = "call" }', "a step begins with one of receive, call"),
        ('{ receive = "telex" }', "'call', 'form', 'email', 'sms' or 'file'"),
        ('{ receive = "call", fone = "1" }', "fone: nobody knows this key"),
        ('{ act = "mvoe", by = "anna" }', "mvoe"),
        ('{ act = "move", to = "in_work" }', "by: this key is missing"),
        ('{ act = "move", into = "in_work", by = "anna" }', "move.to: this key is missing"),
        ('{ receive = "email", phone = "1" }', "carries no phone; it carries auto, email"),
        ('{ declare = "calendar", friday = [["09:00", "18:00"]] }', "friday"),
        ('{ declare = "calendar", fri = [["09:00", "25:00"]] }', "fri.0.closes"),
        ('{ declare = "calendar", fri = 1 }', "write hours as a list of [opens, closes]"),
        (
            '{ declare = "closing", on = "2026-03-03", hours = [["14:00"]] }',
            "write hours as [opens",
        ),
        (
            '{ declare = "absence", agent = "anna", from = "2026-03-03T00:00", '
            'to = "2026-03-02T00:00" }',
            "an absence ends after it begins",
        ),
        ('{ expect = "LeadAssigned", time = "9:00" }', "time: '9:00' is no local time such as"),
        ('{ expect = "LeadAssigned", time = 3 }', "time: 3 is no local time such as"),
        ('{ act = "mov", by = "anna", to = "x" }', "there is no mov; one of"),
        ('{ wait = "soon" }', "'soon' is no duration: write 30m, 2h, 1d, 1w or 3mo"),
        ('{ until = "2026-03-02T10:00+03:00" }', "write local time of the site"),
    ],
)
def test_a_slip_in_a_step_is_an_error_that_names_the_place(step: str, sentence: str) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(f'{{ wait = "1m" }}, {step}')

    assert str(error.value).startswith("calls.toml, scenario 1 (A sentence to check), step 2: ")
    assert sentence in str(error.value)


def test_an_empty_folder_is_not_a_passed_test(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="there are no scenarios in"):
        load([tmp_path])


def test_expectations_count_how_often_something_happened() -> None:
    known, seen = Known(MINSK), [said(NoteAdded(text="не поднял"))] * 2

    assert failure(Expect(expect="NoteAdded"), seen, known) is None
    assert failure(Expect(expect="NoteAdded", times=2), seen, known) is None
    assert failure(Expect(expect="NoteAdded", times=1), seen, known) == (
        "expected NoteAdded once, but it happened twice"
    )
    assert failure(ExpectNo(expect_no="NoteAdded"), seen, known) == (
        "expected no NoteAdded, but it happened twice"
    )
    assert failure(Expect(expect="LeadClosed"), seen, known) == (
        "expected LeadClosed, but it did not happen"
    )


def test_given_fields_must_match_and_words_must_be_there() -> None:
    known, seen = Known(MINSK), [said(NoteAdded(text="не поднял трубку", by="anna"))]

    def holds(step: str) -> bool:
        wanted = scenario(f'{{ wait = "1m" }}, {step}').steps[1]
        assert isinstance(wanted, Expect)
        return failure(wanted, seen, known) is None

    assert holds('{ expect = "NoteAdded", by = "anna" }')
    assert not holds('{ expect = "NoteAdded", by = "boris" }')
    assert not holds('{ expect = "NoteAdded", text = "не поднял" }')
    assert holds('{ expect = "NoteAdded", text_has = ["не поднял", "трубку"] }')
    assert not holds('{ expect = "NoteAdded", text_has = ["не поднял", "письмо"] }')
    assert not holds('{ expect = "NoteAdded", rule = "001-03" }')
    assert holds('{ expect = "NoteAdded", time = "2026-03-02T12:00" }')
    assert not holds('{ expect = "NoteAdded", time = "2026-03-02T12:01" }')


def test_a_task_is_known_by_its_kind_wherever_its_id_stands() -> None:
    known = Known(MINSK)
    known.learn([said(TaskCreated(task="id-7", name="call_back", title="Перезвонить"))])
    due = said(DeadlinePlanned(name="id-7", deadline_set="x", due_at=NOON))

    def is_due(task: str) -> bool:
        asked = {"expect": "DeadlinePlanned", "task": task, "due_at": "2026-03-02T12:00"}
        return failure(Expect.model_validate(asked), [due], known) is None

    assert is_due("call_back")
    assert not is_due("qualify")


def test_a_lead_is_known_by_the_name_it_was_received_under() -> None:
    known = Known(MINSK, leads={"A": "lead-1", "B": "lead-2"})
    seen = [said(LeadAssigned(owner="anna"))]

    def is_assigned(lead: str) -> bool:
        asked = Expect.model_validate({"expect": "LeadAssigned", "lead": lead})
        return failure(asked, seen, known) is None

    assert is_assigned("A")
    assert not is_assigned("B")


def test_an_action_reads_as_an_agent_sends_it() -> None:
    step = read_step({"act": "move", "to": "in_work", "by": "anna", "lead": "A"})

    assert isinstance(step, Act)
    assert step.json_action == {"act": "move", "to": "in_work"}
    assert step.action.act == "move"


def test_every_event_has_words_for_people() -> None:
    told = set(WORDS) | set(DIRECTORY.events)

    assert set(EVENT_CLASSES.values()) - told == set()


def test_the_story_fits_80_columns_and_says_time_service_lead_and_rule() -> None:
    created = LeadCreated(
        number="7KQ2",
        pipeline="sales",
        contact="c",
        site="minsk",
        channel="call",
        source="phone",
        received_at=NOON,
        points=(ContactPoint(kind="phone", value="+375291234567"),),
        tags=("amoCRM",),
    )
    owner = LeadAssigned(
        owner="anna", because=Because(rulebook="axelerator", version="1", rule="house-01")
    )
    long = NoteAdded(text="Клиент просил перезвонить после обеда, когда вернётся бухгалтер, " * 2)
    names = Names(agents={"anna": "Анна Соколова"})

    story = tell(Teller(MINSK, names), [said(created), said(owner), said(long)])

    lines = story.splitlines()
    assert lines[0] == "Monday 2 March 2026"
    assert lines[1] == "12:00 pipeline      7KQ2     new lead: +375291234567 #amoCRM"
    assert lines[2].split() == ["7KQ2", "owner", "is", "Анна", "Соколова", "house-01"]
    assert max(map(len, lines)) <= 80
    assert len(lines) > 4


def test_a_held_message_is_told_with_the_local_time_until_which_it_waits() -> None:
    held = NotificationDeferred(
        notification="n",
        request="r",
        to="anna",
        channel="sms",
        template="overdue",
        occasion="o",
        why="closed",
        until=datetime(2026, 3, 9, 6, 0, tzinfo=UTC),
    )

    assert words_for(held, Names(agents={"anna": "Анна"}), MINSK) == (
        "SMS overdue to Анна held until Mon 9 Mar 09:00: closed"
    )
