"""From a request to the words a person reads: address, values, rendered texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from services.notifications.core import sms
from services.notifications.core.consent import POINT_OF
from services.notifications.core.invitation import calendar_of
from services.notifications.core.message import Content, Message
from services.notifications.core.template import TemplateError, render
from shared.contract.notifications import MessageChannel
from shared.contract.pipeline import NotificationRequested
from shared.domain.calendar import NeverOpen
from shared.domain.directory import Directory
from shared.domain.rulebook.message import Body, Template
from shared.domain.rulebook.rulebook import Rulebook
from shared.domain.signed_link import VALID_FOR, Link

SECTIONS = ("late", "today", "no_open_task", "shortfall", "tasks")
"""Of a digest: lists of lines; `more` says of each how many further ones there are."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where agents act by a link, and the key that signs it."""

    url: str
    key: bytes

    def answer(self, message: Message, question: str, now: datetime) -> str:
        """The address at which the recipient answers that question."""
        asked, tenant = message.asked, message.request.tenant
        link = Link(tenant, asked.lead or "", question, asked.to.id, now + VALID_FOR)
        return f"{self.url.rstrip('/')}/answer/{link.token(self.key)}"


def address_of(
    asked: NotificationRequested, channel: MessageChannel, directory: Directory
) -> str | None:
    """Where the recipient gets this channel; None when that is not known.

    An agent's comes from the directory, the contact's travels in the request (the first of its
    kind). Raises the directory's `Unknown`.
    """
    if asked.to.kind == "agent":
        agent = directory.agent(asked.to.id)
        addresses = {"sms": agent.mobile, "email": agent.email, "chat": agent.chat}
        return None if agent.withdrawn else addresses[channel]
    kind = POINT_OF.get(channel)
    return next((point.value for point in asked.to.points if point.kind == kind), None)


def compose(
    message: Message,
    template: Template,
    address: str,
    *,
    now: datetime,
    book: Rulebook,
    directory: Directory,
    links: Links | None = None,
) -> Content:
    """The message in words, for `address`. Raises `TemplateError` and `Unknown`.

    `leads` and `count`: all that it speaks of, one unless it collects, whoever was received first
    before the others: the rows of a file come by many ways. One that asks something has
    `answer_url`, where its recipient, and nobody else, answers.
    """
    values = _values(message.asked, template, now, book, directory)
    leads = sorted([message.asked.values.get("lead"), *message.more], key=_received)
    values |= {"leads": leads, "count": len(leads)}
    question = message.asked.values.get("question")
    if isinstance(question, Mapping):
        name = str(question["name"])
        values["answer_url"] = links.answer(message, name, now) if links else None
    partials, company = book.messages.partials, book.messages.company

    def text_of(body: Body) -> str:
        return render(template.files[body], body, partials, values)

    if message.channel == "sms":
        text = sms.normalised(text_of("sms"))
        parts = sms.parts(text)
        if parts > sms.PARTS_AT_MOST:
            raise TemplateError(f"the text has {parts} SMS parts, at most {sms.PARTS_AT_MOST} go")
        return Content(address, text, sender=company, parts=parts)
    if message.channel == "chat":
        return Content(address, _tidy(text_of("chat")).strip(), sender=company)
    subject = " ".join(render(template.subject or "", "txt", partials, values).split())
    html = text_of("html") if "html" in template.files else None
    text = _tidy(text_of("txt"))
    invitation = message.asked.invitation
    if invitation is None:
        return Content(address, text, sender=company, subject=subject, html=html)
    calendar = calendar_of(
        invitation,
        guest=address,
        title=subject,
        text=text,
        site=message.asked.site,
        now=now,
        book=book,
        directory=directory,
    )
    return Content(
        address,
        text,
        sender=company,
        subject=subject,
        html=html,
        calendar=calendar,
        method=invitation.method.upper(),
    )


def _received(lead: JsonValue | Mapping[str, JsonValue]) -> str:
    """When a lead was received, as a text that sorts (always in UTC)."""
    return str(lead.get("received_at")) if isinstance(lead, Mapping) else ""


def _values(
    asked: NotificationRequested,
    template: Template,
    now: datetime,
    book: Rulebook,
    directory: Directory,
) -> dict[str, object]:
    """What a template can name: the request's values and what notifications knows itself."""
    site = directory.site(asked.site)
    opening = directory.opening(site.id)
    closed = not opening.is_open(now)
    try:
        next_opening = opening.next_opening(now).isoformat()
    except NeverOpen:
        next_opening = None
    recipient: dict[str, object]
    if asked.to.kind == "agent":
        agent = directory.agent(asked.to.id)
        zone = directory.site(agent.site).zone
        recipient = {"name": agent.name, "initials": agent.initials}
    else:
        lead = asked.values.get("lead")
        name = lead.get("name") if isinstance(lead, Mapping) else None
        zone = asked.to.zone or site.zone
        recipient = {"name": name, "initials": None}
    own: dict[str, object] = {
        "recipient": recipient,
        "site": {
            "id": site.id,
            "name": site.name,
            "closed": closed,
            "next_opening": next_opening,
        },
        "company": book.messages.company,
        "language": template.language or book.language,
        "zone": zone,
    }
    # What requests of older releases lack.
    return {**_LACKING, **_nothing_left_out(asked.values), **own}


_LACKING: Mapping[str, object] = {
    "as_of": None,
    "history": [],
    "earlier": 0,
    "done": [],
    "documents": [],
}


def _nothing_left_out(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A digest of an older release said all its lines."""
    lists = [lines for name in SECTIONS if isinstance(lines := values.get(name), list)]
    nothing: dict[str, JsonValue] = dict.fromkeys(SECTIONS, 0)
    whole: dict[str, JsonValue] = {"more": nothing, "total": sum(map(len, lists)), **values}
    advisers = values.get("advisers")
    if isinstance(advisers, list):
        told = [_nothing_left_out(each) if isinstance(each, dict) else each for each in advisers]
        whole["advisers"] = told
    return whole


def _tidy(text: str) -> str:
    """A plain text without the blank lines that tags leave behind: at most one in a row."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.rstrip())
    return "\n".join(lines) + "\n"
