"""`messages.toml` and `templates/`: what a company says, to whom, by which channels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from functools import cached_property
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from shared.contract.directory import Weekday
from shared.contract.notifications import MessageChannel
from shared.domain.rulebook.source import SecretReference
from shared.domain.rulebook.word import Listed, Part, Ref

Purpose = Literal["alert", "notice", "digest", "service"]
"""alert: something is late · notice: something happened · digest: the day's summary ·
service: to the contact, about their own request."""

Policy = Literal["at_most_once", "at_least_once"]
"""What is done when nobody knows whether a message went: never again, or once more."""

Body = Literal["sms", "chat", "txt", "html"]
"""The ending of a template's file; an e-mail is `txt` with an optional `html` beside it."""

BODIES: tuple[Body, ...] = ("sms", "chat", "txt", "html")
NEEDED: Mapping[MessageChannel, Body] = {"sms": "sms", "email": "txt", "chat": "chat"}
CHANNEL_OF: Mapping[Body, MessageChannel] = {
    "sms": "sms",
    "chat": "chat",
    "txt": "email",
    "html": "email",
}

CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)

FileName = Annotated[str, StringConstraints(pattern=r"^[\w][\w. -]{0,120}$")]
TemplateId = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,62}$")]


class AttachBy(Part):
    """Which files go along for which value of a field; while it is empty, nothing can be sent."""

    field: Annotated[str, Ref("field")]
    files: dict[str, Annotated[tuple[FileName, ...], Listed]] = Field(min_length=1)


class Template(Part):
    """One message in every channel it has.

    `label` is its name for agents, `to` who can receive it, `rule` the numbered sentence it
    fulfils, `subject` (Liquid) what an e-mail is called. `language` sets the form of dates; the
    rulebook's own when absent. Sending it counts as an `attempt` of that code. `attach` names
    files of the rulebook's folder `files/` that go along; `attach_by` chooses them by a field of
    the lead (001-32). `ics`: the lead's appointment goes along for the contact's calendar, or its
    cancellation; without an appointment nothing is sent.
    `files` holds the Liquid sources by ending; `read_messages` fills it from the folder.
    """

    id: TemplateId
    label: str = ""
    to: Literal["agent", "contact"]
    channels: Annotated[tuple[MessageChannel, ...], Field(min_length=1)]
    purpose: Purpose
    policy: Policy
    rule: str | None = None
    subject: str | None = None
    language: str | None = None
    attempt: Annotated[str, Ref("attempt")] | None = None
    attach: Annotated[tuple[FileName, ...], Listed] = ()
    attach_by: AttachBy | None = None
    ics: bool = False
    files: dict[Body, str] = {}

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        """Each channel is named once and has what it needs; nothing else is declared."""
        problems = []
        if "webhook" in self.channels:
            problems.append("another system is a [[target]], not a channel of a template")
        if len(set(self.channels)) != len(self.channels):
            problems.append("a channel is named twice")
        if ("email" in self.channels) != (self.subject is not None):
            problems.append("channel email and a subject belong together")
        if self.to == "contact" and "chat" in self.channels:
            problems.append("the chat is the company's own: only agents are told by it")
        if (self.purpose == "service") != (self.to == "contact"):
            problems.append("purpose service is for contacts, the others are for agents")
        if self.ics and (self.channels, self.to) != (("email",), "contact"):
            problems.append("an invitation (ics) goes to the contact, by e-mail only")
        if problems:
            raise ValueError(f"template {self.id!r}: " + "; ".join(problems))
        return self

    def speaks_of(self, name: str) -> bool:
        """Whether one of its texts names that value; a piece that it shares must be given it."""
        return any(name in text for text in self.files.values())


class Target(Part):
    """Another system that is handed leads: a POST signed as Standard Webhooks asks.

    `url` and `secret` are references (`env:NAME`, `file:/path`); while nothing stands behind
    `url`, our own sandbox shows what it would have been told. A repeat has the same `webhook-id`.
    """

    id: TemplateId
    label: Annotated[str, StringConstraints(min_length=1)]
    url: SecretReference
    secret: SecretReference
    rule: str | None = None
    says: str | None = None
    policy: Policy = "at_least_once"


class Hold(Part):
    """The numbered rules by which a message waits; that it waits needs no rule.

    `closed`: an alert or notice to an agent is never sent while their site is closed; `absent`:
    nor while they are away.
    """

    closed: str | None = None
    absent: str | None = None


class Quiet(Part):
    """When contacts are not disturbed by these channels, by the clock where they live: from
    `from` to `until` each night, and all day on `days`. What is asked for then waits."""

    channels: Annotated[tuple[MessageChannel, ...], Field(min_length=1)]
    from_: Annotated[str, StringConstraints(pattern=CLOCK)] = Field(alias="from")
    until: Annotated[str, StringConstraints(pattern=CLOCK)]
    days: Annotated[tuple[Weekday, ...], Field(max_length=6)] = ()
    rule: str
    says: str | None = None

    @property
    def starts(self) -> time:
        """Local time at which it begins."""
        return time.fromisoformat(self.from_)

    @property
    def ends(self) -> time:
        """Local time at which it ends; before `starts` it runs over midnight."""
        return time.fromisoformat(self.until)


class Messages(Part):
    """The whole of `messages.toml`, with the sources of its templates.

    `company` is the name that recipients see. `partials` are pieces that templates share, by
    name and ending (`lead.html`); a template uses them with `{% render 'lead' %}`.
    """

    company: Annotated[str, StringConstraints(min_length=1)]
    hold: Hold = Hold()
    quiet: tuple[Quiet, ...] = ()
    template: tuple[Template, ...] = ()
    target: tuple[Target, ...] = ()
    partials: dict[str, str] = {}

    @model_validator(mode="after")
    def _no_two_alike(self) -> Self:
        """An id names one template, or one target."""
        ids = [t.id for t in self.template] + [t.id for t in self.target]
        for id_ in ids:
            if ids.count(id_) > 1:
                raise ValueError(f"template or target {id_!r} is declared twice")
        return self

    @property
    def targets(self) -> dict[str, Target]:
        """The systems that leads are handed to, by id."""
        return {target.id: target for target in self.target}

    @cached_property
    def templates(self) -> dict[str, Template]:
        """The templates by id."""
        return {template.id: template for template in self.template}

    def by_id(self, id_: str) -> Template | None:
        """The template of that id."""
        return self.templates.get(id_)


def read_messages(document: Mapping[str, object], folder: Mapping[str, str]) -> Messages:
    """The messages of a rulebook: parsed `messages.toml` and the texts of `templates/`.

    `folder` maps file names, with or without `templates/` before them, to their text. Raises
    pydantic's `ValidationError` for the document and `ValueError`, naming the file and what was
    expected, for a template without its file or a file without its template.
    """
    messages = Messages.model_validate(dict(document))
    known = messages.templates
    files: dict[str, dict[Body, str]] = {id_: {} for id_ in known}
    partials: dict[str, str] = {}
    for path, text in sorted(folder.items()):
        name, body = _name_and_body(path)
        if name.startswith("_"):
            partials[f"{name[1:]}.{body}"] = text
        elif name not in known:
            raise ValueError(
                f"templates/{name}.{body}.liquid: messages.toml has no template {name!r}"
            )
        elif CHANNEL_OF[body] not in known[name].channels:
            raise ValueError(
                f"templates/{name}.{body}.liquid: messages.toml gives template {name!r} "
                f"no channel {CHANNEL_OF[body]!r}"
            )
        else:
            files[name][body] = text
    for template in messages.template:
        for channel in template.channels:
            if NEEDED[channel] not in files[template.id]:
                raise ValueError(
                    f"messages.toml: template {template.id!r} has channel {channel!r}, "
                    f"so templates/{template.id}.{NEEDED[channel]}.liquid is expected"
                )
    filled = [t.model_copy(update={"files": files[t.id]}) for t in messages.template]
    return messages.model_copy(update={"template": tuple(filled), "partials": partials})


def _name_and_body(path: str) -> tuple[str, Body]:
    """`new_lead` and `sms` of `templates/new_lead.sms.liquid`."""
    parts = path.removeprefix("templates/").split(".")
    if len(parts) == 3 and parts[2] == "liquid":
        for body in BODIES:
            if parts[1] == body:
                return parts[0], body
    raise ValueError(f"{path}: expected templates/<template>.<sms|chat|txt|html>.liquid")
