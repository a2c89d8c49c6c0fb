"""The first company's own templates, as people would read them."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from services.notifications.core.content import compose
from services.notifications.core.message import Content, Message
from services.notifications.core.template import problems
from shared.contract.envelope import Envelope, derived_id
from shared.contract.intake import ContactPoint
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import NotificationRequested, Recipient
from shared.domain.rulebook.rulebook import Rulebook
from shared.runtime.rulebook_folder import read
from tests.unit.message_house import DIRECTORY, at, event

NIGHT = at("2026-03-02T20:00")
DUE = "2026-03-02T14:50:00Z"
LEAD: dict[str, JsonValue] = {
    "number": "7F3K2A",
    "name": "Иван <Петров>",
    "company": "ООО «Ромашка»",
    "phone": "+375291234567",
    "email": "ivan@example.com",
    "source": "Форма на нашем сайте",
    "channel": "form",
    "subject": None,
    "text": "Нужно внедрить amoCRM для отдела продаж из пяти человек, понять сроки и цену.",
    "received_at": DUE,
    "stage": "Новая заявка",
    "owner": "Анна Соколова",
}
CALL: dict[str, JsonValue] = {
    **dict.fromkeys(LEAD),
    "number": "7F3K2B",
    "phone": "+375297654321",
    "source": "Телефон",
    "channel": "call",
    "received_at": DUE,
    "stage": "Новая заявка",
}
TASK: dict[str, JsonValue] = {
    "title": "Связаться с клиентом – Провести квалификацию",
    "due_at": DUE,
    "channel": "call",
}


def line(name: str, task: str | None) -> JsonValue:
    return {**LEAD, "name": name, "task": task, "due_at": DUE if task else None}


SECTIONS: dict[str, JsonValue] = {
    "today": [line("Ольга", "Перезвонить"), line("Пётр", "Написать")],
    "late": [line("Глеб", "Перезвонить")],
    "no_open_task": [line("Инна", None)],
}
ABOUT: dict[str, JsonValue] = {
    "task": TASK,
    "status": "lost",
    "reason": "не дозвонился",
    "attempts": 4,
    "closed_at": DUE,
    "round": 1,
    "written": {"subject": "О встрече", "text": "Ждём вас во вторник в 11:00."},
}
VALUES: dict[str, dict[str, JsonValue]] = {
    "digest_agent": {"date": "2026-03-03", **SECTIONS},
    "digest_manager": {
        "date": "2026-03-03",
        "advisers": [
            {"name": "Анна Соколова", **SECTIONS},
            {
                "name": "Борис Левин",
                "today": [line("Лида", "Написать")],
                "late": [],
                "no_open_task": [],
            },
        ],
        "absent": [{"name": "Глеб Зайцев", "until": "2026-03-05T00:00:00+03:00"}],
    },
}


@pytest.fixture(scope="module")
def axelerator() -> Rulebook:
    return read(Path("rulebooks/axelerator"))


def written(
    book: Rulebook,
    template: str,
    channel: MessageChannel,
    values: dict[str, JsonValue],
    now: datetime = NIGHT,
) -> Content:
    """The message in words, as it would go out."""
    declared = book.messages.templates[template]
    recipient = Recipient(kind="agent", id="anna")
    if declared.to == "contact":
        point = ContactPoint(kind="email", value="ivan@example.com")
        recipient = Recipient(kind="contact", id=derived_id("ivan"), points=(point,))
    asked = NotificationRequested(
        to=recipient, template=template, occasion="one", site="minsk", lead="x", values=values
    )
    request: Envelope = event(asked, now)
    message = Message(derived_id("m"), request, channel, send_after=now)
    return compose(message, declared, "to@x.example", now=now, book=book, directory=DIRECTORY)


def test_every_template_is_well_formed(axelerator: Rulebook) -> None:
    assert problems(axelerator.messages) == []


@pytest.mark.parametrize("lead", [LEAD, CALL], ids=["form", "call"])
@pytest.mark.parametrize("task", [TASK, {**TASK, "due_at": None}, None], ids=["due", "undue", "no"])
def test_every_template_renders_in_every_channel_for_much_and_for_little_known(
    axelerator: Rulebook, lead: dict[str, JsonValue], task: JsonValue
) -> None:
    for template in axelerator.messages.template:
        values = VALUES.get(template.id, {**ABOUT, "lead": lead, "task": task})
        for channel in template.channels:
            said = written(axelerator, template.id, channel, values)
            assert said.parts <= 2
            assert len(said.text) > 20
            assert not re.search(r"\{|\}|None|nil", said.text + (said.subject or ""))


def test_the_owner_reads_who_from_where_what_and_whom_to_call(axelerator: Rulebook) -> None:
    said = written(axelerator, "new_lead", "sms", {**ABOUT, "lead": LEAD}).text
    assert said == (
        "Новая заявка: Иван <Петров> (Форма на нашем сайте).\n"
        "«Нужно внедрить amoCRM для отдела продаж…»\n"
        "+375291234567"
    )
    mail = written(axelerator, "new_lead", "email", {**ABOUT, "lead": LEAD})
    assert mail.subject == "Новая заявка: Иван <Петров> · Форма на нашем сайте"
    assert mail.html is not None
    assert '<a href="tel:+375291234567"' in mail.html
    assert "Иван &lt;Петров&gt;" in mail.html
    assert "Иван <Петров>" not in mail.html


def test_a_call_from_nobody_known_is_told_in_one_part(axelerator: Rulebook) -> None:
    said = written(axelerator, "new_lead", "sms", {**ABOUT, "lead": CALL})
    assert (said.text, said.parts) == ("Новый звонок (Телефон).\n+375297654321", 1)


def test_003_02_the_alert_names_what_is_late_and_since_when(axelerator: Rulebook) -> None:
    said = written(axelerator, "overdue", "sms", {**ABOUT, "lead": LEAD}).text
    assert "Провести квалификацию" in said
    assert "Срок был: пн, 2 марта, 17:50" in said


def test_the_phone_of_somebody_without_a_name_is_said_once(axelerator: Rulebook) -> None:
    said = written(axelerator, "overdue", "sms", {**ABOUT, "lead": CALL}).text
    assert said.endswith("Срок был: пн, 2 марта, 17:50.\n+375297654321")
    assert "29 765" not in said
    values: dict[str, JsonValue] = {
        "date": "2026-03-02",
        "today": [{**CALL, "task": "Перезвонить", "due_at": DUE}],
        "late": [],
        "no_open_task": [],
    }
    mail = written(axelerator, "digest_agent", "email", values)
    assert mail.subject == "План на 2 марта: 1 дело"
    assert "- 17:50 +375 29 765-43-21: Перезвонить\n" in mail.text
    assert str(mail.html).count("+375 29 765-43-21") == mail.text.count("+375 29 765-43-21") == 1


def test_003_10_the_digest_lists_people_by_name_in_sections(axelerator: Rulebook) -> None:
    mail = written(axelerator, "digest_agent", "email", VALUES["digest_agent"])
    assert mail.subject == "План на 3 марта: 4 дела"
    heads = ["ПРОСРОЧЕНО (1)", "Глеб", "НА СЕГОДНЯ (2)", "Ольга", "Пётр", "БЕЗ ОТКРЫТОЙ ЗАДАЧИ (1)"]
    places = [mail.text.index(head) for head in heads]
    assert places == sorted(places)


def test_003_09_the_manager_reads_them_per_adviser(axelerator: Rulebook) -> None:
    text = written(axelerator, "digest_manager", "email", VALUES["digest_manager"]).text
    anna, boris = text.index("=== Анна Соколова ==="), text.index("=== Борис Левин ===")
    assert anna < text.index("Глеб") < boris < text.index("Лида")
    assert "ПРОСРОЧЕНО" not in text[boris:]


def test_a_digest_that_could_not_wait_says_as_of_when_it_is(axelerator: Rulebook) -> None:
    for digest in ("digest_agent", "digest_manager"):
        late = {**VALUES[digest], "as_of": "2026-03-03T05:40:00+00:00"}
        assert "Данные на 08:40" in written(axelerator, digest, "email", late).text
        assert "Данные на" not in written(axelerator, digest, "email", VALUES[digest]).text


def test_001_22_the_welcome_says_when_the_work_begins(axelerator: Rulebook) -> None:
    night = written(axelerator, "welcome", "sms", {**ABOUT, "lead": LEAD}).text
    day = written(
        axelerator, "welcome", "sms", {**ABOUT, "lead": LEAD}, at("2026-03-02T12:00")
    ).text
    assert night.endswith("в самое ближайшее рабочее время: вт, 3 марта, 09:00.")
    assert day.endswith("в самое ближайшее рабочее время.")


def test_001_11_the_second_request_for_data_says_so(axelerator: Rulebook) -> None:
    first = written(axelerator, "request_contact_data", "email", {**ABOUT, "lead": LEAD}).text
    second = written(
        axelerator, "request_contact_data", "email", {**ABOUT, "lead": LEAD, "round": 2}
    ).text
    assert "телефон" in first
    assert "ещё ждём ответа" not in first
    assert "ещё ждём ответа" in second
