"""What happens in the demo: two days at Axelerator in Minsk, as data.

Each scene is at a local time and does one thing at a real door. In between the clock steps from
one planned instant to the next, so alerts and digests come by themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx2

from relance.outside import AgentAtWork, Outside, mail_from

ZONE = ZoneInfo("Europe/Minsk")
SITE_ORIGIN = "https://axelerator.example"
MAILBOX = "sales@axelerator.example"
TELEPHONY = "//telephony.axelerator.example"
CALLER, VISITOR, STRANGER, UPSTREAM = (
    "+375291112233",
    "+375447654321",
    "pavel.kostin@mail.example",
    "+375333210987",
)


def at(text: str) -> datetime:
    """A local time of the site."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


START, END = at("2026-03-02T15:55"), at("2026-03-03T09:31")


@dataclass
class Cast:
    """Who plays: the world outside, the agents by id, and which lead belongs to whom.

    `lead_of` finds the lead of a contact point, among what the topics have told so far.
    `answers` collects what the doors and the API answered, for the checks.
    """

    outside: Outside
    agents: dict[str, AgentAtWork]
    lead_of: Callable[[str], tuple[str, str]]
    accepted: set[str] = field(default_factory=set)
    answers: list[httpx2.Response] = field(default_factory=list)

    async def as_owner(self, point: str, act: str, **arguments: object) -> None:
        """The owner of the lead with this contact point acts on it."""
        lead, owner = self.lead_of(point)
        self.answers.append(await self.agents[owner].act(lead, act, **arguments))

    def took(self, answer: httpx2.Response) -> None:
        """Remember an input that a door accepted."""
        self.answers.append(answer)
        if answer.is_success and "id" in (body := answer.json()):
            self.accepted.add(str(body["id"]))


@dataclass(frozen=True, slots=True)
class Scene:
    """At a local time, `says` what the onlooker should know, `play` does it."""

    at: datetime
    says: str
    play: Callable[[Cast], Awaitable[None]]


async def _missed_call(cast: Cast) -> None:
    cast.took(
        await cast.outside.call(
            "phone",
            {
                "call_id": "demo-call-1",
                "direction": "inbound",
                "from": CALLER,
                "to": "+375172000000",
                "status": "missed",
                "started_at": at("2026-03-02T15:59:40").isoformat(),
            },
        )
    )


async def _web_form(cast: Cast) -> None:
    form = {
        "submission": "demo-form-1",
        "name": "Ольга Романова",
        "phone": "8 044 765-43-21",
        "email": "olga@romashka.example",
        "message": "Нужна amoCRM для отдела из шести человек.",
        "website": "",
    }
    cast.answers.append(await cast.outside.form("site", SITE_ORIGIN, form))


async def _mail(cast: Cast) -> None:
    text = "Здравствуйте! Сколько стоит внедрение и сколько времени занимает?\n\nПавел Костин"
    await cast.outside.mail(
        mail_from(
            f"Павел Костин <{STRANGER}>",
            MAILBOX,
            "Внедрение CRM",
            text,
            "<demo-mail-1@mail.example>",
        )
    )


async def _upstream_call(cast: Cast) -> None:
    call = {
        "call_id": "demo-call-2",
        "direction": "inbound",
        "from": UPSTREAM,
        "to": "+375172000000",
        "status": "missed",
    }
    await cast.outside.publish_call(TELEPHONY, "demo-call-2", at("2026-03-02T16:10"), call)


async def _no_answer(cast: Cast) -> None:
    await cast.as_owner(CALLER, "log_attempt", code="call", outcome="no_answer")


async def _move_refused(cast: Cast) -> None:
    await cast.as_owner(VISITOR, "move", to="in_work")


async def _set_platform(cast: Cast) -> None:
    await cast.as_owner(VISITOR, "set_fields", fields={"platform": "amocrm"})


async def _move(cast: Cast) -> None:
    await cast.as_owner(VISITOR, "move", to="in_work")


SCENES = (
    Scene(
        at("2026-03-02T16:00"),
        "A call is missed; the telephone system calls the webhook.",
        _missed_call,
    ),
    Scene(at("2026-03-02T16:03"), "A visitor sends the form of the company's own site.", _web_form),
    Scene(at("2026-03-02T16:06"), "A stranger writes to the sales mailbox.", _mail),
    Scene(
        at("2026-03-02T16:10"),
        "An upstream system publishes a missed call on its topic.",
        _upstream_call,
    ),
    Scene(at("2026-03-02T16:20"), "The owner calls the first one back: no answer.", _no_answer),
    Scene(
        at("2026-03-02T16:25"),
        "The owner takes the form into work without its platform.",
        _move_refused,
    ),
    Scene(at("2026-03-02T16:26"), "The owner fills in the platform…", _set_platform),
    Scene(at("2026-03-02T16:27"), "…and moves it again. Then forgets to qualify it.", _move),
    Scene(at("2026-03-02T17:10"), "The owner calls the first one again: no answer.", _no_answer),
)
