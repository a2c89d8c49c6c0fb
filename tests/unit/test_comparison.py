"""Two runs of one story are equal, whatever ids they made; two different stories are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from relance.comparison import differences
from shared.contract.envelope import Envelope, Event
from shared.contract.notifications import NotificationSuppressed
from shared.contract.pipeline import LeadAssigned, TaskCompleted, TaskCreated
from shared.contract.reminders import DeadlinePlanned

START = datetime(2026, 3, 2, 14, 50, tzinfo=UTC)


def event(subject: str, data: Event, source: str = "/pipeline") -> Envelope:
    return Envelope(
        id=str(uuid4()),
        source=source,
        type=data.type,
        subject=subject,
        time=START,
        tenant="axelerator",
        data=data,
    )


def run(owner: str = "anna", later: timedelta = timedelta()) -> list[Envelope]:
    lead, task, setting = str(uuid4()), str(uuid4()), str(uuid4())
    return [
        event(lead, LeadAssigned(owner=owner)),
        event(lead, TaskCreated(task=task, name="qualify", title="Провести квалификацию")),
        event(
            lead,
            DeadlinePlanned(name=task, deadline_set=setting, due_at=START + later),
            "/reminders",
        ),
        event(lead, TaskCompleted(task=task, name="qualify", note="ok")),
    ]


def test_runs_that_differ_only_in_their_ids_are_equal() -> None:
    assert differences(run(), run()) == []


def test_an_instant_may_be_a_second_off_but_not_two() -> None:
    assert differences(run(), run(later=timedelta(seconds=1))) == []
    assert differences(run(), run(later=timedelta(seconds=2))) != []


def test_another_owner_is_another_story() -> None:
    assert len(differences(run(), run(owner="boris"))) == 2


def test_a_missing_event_is_named() -> None:
    here = run()

    found = differences(here, here[:-1])

    assert found == [
        f"/pipeline of {here[0].subject}: event 3 is only here: relance.task.completed.v1 "
        "{'because': None, 'task': '#1', 'name': 'qualify', 'note': 'ok', 'by': None}"
    ]


def test_completing_another_task_than_the_one_created_is_noticed() -> None:
    here = run()
    wrong = event(here[0].subject, TaskCompleted(task=str(uuid4()), name="qualify", note="ok"))

    assert differences(here, [*here[:-1], wrong]) != []


def test_the_order_between_subjects_is_free_but_within_one_it_counts() -> None:
    first, second = run(), run("boris")

    assert differences(first + second, second + first) == []
    assert differences(first, [first[1], first[0], *first[2:]]) != []


def test_sms_and_mail_about_a_lead_may_leave_in_any_order() -> None:
    def message(channel: str) -> Envelope:
        data = NotificationSuppressed.model_validate(
            {
                "notification": str(uuid4()),
                "request": "r",
                "to": "anna",
                "channel": channel,
                "template": "overdue",
                "occasion": "o",
                "why": "withdrawn",
            }
        )
        return event("lead", data, "/notifications")

    sms, mail = message("sms"), message("email")

    assert differences([sms, mail], [mail, sms]) == []
    assert differences([sms, mail], [sms, sms]) != []
