"""A small company for the tests of notifications: two agents in Minsk, one in Paris, a client."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from shared.contract.directory import Agent, Calendar, Document, Interval, Site
from shared.contract.envelope import Because, Envelope, Event, derived_id
from shared.contract.intake import ContactPoint
from shared.contract.pipeline import NotificationRequested, NotificationWithdrawn, Recipient
from shared.domain.directory import Directory
from shared.domain.rulebook.loader import load
from shared.domain.rulebook.rulebook import Rulebook

RULEBOOK = """
name = "small"
tenant = "small"
language = "ru"

[[pipeline]]
id = "sales"
label = "Продажи"

[[pipeline.stage]]
id = "new"
label = "Новая"
next = ["refused"]

[[pipeline.stage]]
id = "refused"
label = "Отказ"
closes = "lost"
"""

MESSAGES = """
company = "Ромашка"
hold = { closed = "003-05" }

[[template]]
id = "alert"
to = "agent"
channels = ["sms", "email"]
purpose = "alert"
policy = "at_least_once"
subject = "Срочно: {{ word }}"

[[template]]
id = "digest"
to = "agent"
channels = ["email"]
purpose = "digest"
policy = "at_least_once"
subject = "Сводка"

[[template]]
id = "hello"
to = "contact"
channels = ["sms", "email"]
purpose = "service"
policy = "at_most_once"
subject = "Здравствуйте"
"""

TARGETS = """
[[target]]
id = "factory"
label = "Завод"
url = "env:FACTORY_URL"
secret = "env:FACTORY_SECRET"

[[target]]
id = "archive"
label = "Архив"
url = "env:ARCHIVE_URL"
secret = "env:ARCHIVE_SECRET"
"""

TEMPLATES = {
    "templates/alert.sms.liquid": "{{ recipient.initials }}: {{ word }}",
    "templates/alert.txt.liquid": "{{ recipient.name }}, {{ word }}",
    "templates/alert.html.liquid": "<p>{{ word }}</p>",
    "templates/digest.txt.liquid": "{{ word }}",
    "templates/hello.sms.liquid": "{{ company }}: {{ word }}",
    "templates/hello.txt.liquid": "{{ word }}",
}


def book(**templates: str) -> Rulebook:
    """The company's rulebook; `alert_sms="…"` puts another text in a template's place."""
    changed = {
        f"templates/{name.replace('_', '.')}.liquid": text for name, text in templates.items()
    }
    return load({**files(), **changed})


def files() -> dict[str, str]:
    """The files of the company's rulebook, by name."""
    return {"rulebook.toml": RULEBOOK, "messages.toml": MESSAGES + TARGETS, **TEMPLATES}


BOOK = book()
LEAD = derived_id("a lead")

_NINE_TO_SIX = (Interval(opens=time(9), closes=time(18)),)
DOCUMENTS: tuple[Document, ...] = (
    Calendar(id="office", weekly=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), _NINE_TO_SIX)),
    Calendar(id="late", weekly={"mon": (Interval(opens=time(10), closes=time(18)),)}),
    Calendar(id="never", weekly={}),
    Site(id="minsk", name="Минск", zone="Europe/Minsk", region="BY", calendar="office"),
    Site(id="brest", name="Брест", zone="Europe/Minsk", region="BY", calendar="late"),
    Site(id="moon", name="Луна", zone="UTC", region="BY", calendar="never"),
    Agent(
        id="anna",
        name="Анна Соколова",
        initials="АС",
        site="minsk",
        email="anna@small.example",
        mobile="+375291000001",
        channels=("sms", "email"),
    ),
    Agent(id="mail-only", name="Олег", initials="О", site="minsk", email="oleg@small.example"),
    Agent(
        id="sms-only-without-mobile",
        name="Пётр",
        initials="П",
        site="minsk",
        email="petr@small.example",
        channels=("sms",),
    ),
    Agent(id="late", name="Лев", initials="Л", site="brest", email="lev@small.example"),
    Agent(id="moon", name="Нил", initials="Н", site="moon", email="nil@small.example"),
    Agent(
        id="gone",
        name="Яна",
        initials="Я",
        site="minsk",
        email="yana@small.example",
        withdrawn=True,
    ),
)
DIRECTORY = Directory.of(DOCUMENTS)


def at(text: str, zone: str = "Europe/Minsk") -> datetime:
    """The site's local time as an instant: 2 March 2026 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def event(data: Event, when: datetime, id_: str = "") -> Envelope:
    """What pipeline says at `when`."""
    return Envelope(
        id=derived_id("event", id_ or repr(data), when.isoformat()),
        source="/pipeline",
        type=data.type,
        subject=LEAD,
        time=when,
        tenant="small",
        correlationid=derived_id("the input"),
        data=data,
    )


def to_agent(
    id_: str = "anna",
    *,
    when: datetime,
    template: str = "alert",
    occasion: str = "one",
    values: dict[str, JsonValue] | None = None,
) -> Envelope:
    """A request to tell an agent."""
    return event(agent_is_told(id_, template=template, occasion=occasion, values=values), when)


def agent_is_told(
    id_: str = "anna",
    *,
    template: str = "alert",
    occasion: str = "one",
    lead: str = LEAD,
    values: dict[str, JsonValue] | None = None,
) -> NotificationRequested:
    """What pipeline asks for."""
    return NotificationRequested(
        to=Recipient(kind="agent", id=id_),
        template=template,
        occasion=occasion,
        site="minsk",
        lead=lead,
        values={"word": "перезвоните"} if values is None else values,
        because=Because(rulebook="small", version="1", rule="house-02"),
    )


def to_contact(
    *points: tuple[str, str], when: datetime, template: str = "hello", occasion: str = "one"
) -> Envelope:
    """A request to tell the client, by these (kind, value)."""
    return event(contact_is_told(*points, template=template, occasion=occasion), when)


def contact_is_told(
    *points: tuple[str, str], template: str = "hello", occasion: str = "one", lead: str = LEAD
) -> NotificationRequested:
    """What pipeline asks for."""
    return NotificationRequested(
        to=Recipient(
            kind="contact",
            id=derived_id("a contact"),
            points=tuple(
                ContactPoint.model_validate({"kind": kind, "value": value})
                for kind, value in points
            ),
        ),
        template=template,
        occasion=occasion,
        site="minsk",
        lead=lead,
        values={"word": "спасибо"},
    )


def withdrawal(*, when: datetime, to: str | None = None, template: str | None = None) -> Envelope:
    """pipeline takes back what was asked for the lead."""
    return event(NotificationWithdrawn(lead=LEAD, to=to, template=template, why="closed"), when)
