"""`sources.toml`: by which doors the outside reaches a company, and how each input is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.contract.intake import Channel
from shared.domain.duration import parse
from shared.domain.rulebook.word import Part

Format = Literal["call", "form", "mail", "sms", "csv"]
Door = Literal["http", "smtp", "topic", "file"]

WORDS = frozenset(
    {"name", "company", "phone", "email", "subject", "text", "language", "id", "owner", "consent"}
)
"""What a form field or a column can be; any other word of a mapping is a field id of the rulebook.
`owner` is an agent, by id, initials, e-mail or name; `consent` a box that was ticked."""

MAPPED: frozenset[Format] = frozenset({"form", "csv"})
"""The formats whose fields only the mapping explains."""

IGNORED = "ignore"
"""The mapping's word for a form field that nobody needs to see (a tracking mark)."""

REPEAT_WITHIN_MOST = timedelta(days=120)
"""No longer than ids are remembered."""

CHANNELS: Mapping[Format, Channel] = {
    "call": "call",
    "form": "form",
    "mail": "email",
    "sms": "sms",
}

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
SecretReference = Annotated[str, StringConstraints(pattern=r"^(env:[A-Z][A-Z0-9_]*|file:.+)$")]
Origin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+$")]
Mailbox = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", to_lower=True)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]


class Source(Part):
    """One way in.

    `format` says how the bytes are read, `doors` where they may come from, `site` whose opening
    hours and phone region count, `pipeline` what kind of work it begins (by default the
    rulebook's first), `channel` how the person got in touch (by default what the
    format implies). `label` is for people, in the company's language.

    Over HTTP either one of `secrets` (`env:NAME` or `file:/path`, two while one replaces the
    other) proves the sender, or a browser form is let in by its `origins`.

    `mapping` names for each form field, or column of a file, what it is: a word of `WORDS`, a
    field id of the rulebook, or `ignore`. What is not mapped is kept in the text. `asks` is what
    a complete input gives; what is absent is marked as missing. A filled `honeypot` field means
    a robot. `portal`: a mail from there is always a request, never a reply. `page` serves a plain
    form to try the source with, `thanks_url` is where a browser goes afterwards. `mailbox` is the
    SMTP recipient, `cloudevents_source` the `source` attribute on the `inbound.*` topics.

    `consent` names the channels by which the person allows to be contacted again here, after they
    or an agent had forbidden it: by ticking what the mapping calls `consent`, or by a reply that
    is nothing but START. A reply that is nothing but STOP forbids its channel, whatever the source.
    `repeat_within`: an input without an id of the sender's own that says what one of the same
    person said less than that ago is the same input (0m: each is an input of its own). Ten
    minutes are an impatient click or a retry; whoever writes the same later wants an answer.
    """

    id: Slug
    label: Annotated[str, StringConstraints(min_length=1)]
    rule: str | None = None
    format: Format
    doors: Annotated[tuple[Door, ...], Field(min_length=1)]
    site: str
    pipeline: str | None = None
    channel: Channel = "form"
    tags: tuple[str, ...] = ()
    secrets: Annotated[tuple[SecretReference, ...], Field(max_length=2)] = ()
    origins: tuple[Origin, ...] = ()
    mapping: dict[str, str] = {}
    asks: tuple[Literal["name", "company", "phone", "email", "text"], ...] = ()
    honeypot: str | None = None
    page: bool = False
    portal: bool = False
    thanks_url: Url | None = None
    mailbox: Mailbox | None = None
    cloudevents_source: str | None = None
    consent: tuple[Channel, ...] = ()
    repeat_within: str = "10m"

    @model_validator(mode="before")
    @classmethod
    def _channel_of_format(cls, data: object) -> object:
        """The format implies the channel: a call is a call."""
        if isinstance(data, Mapping) and "channel" not in data and data.get("format") in CHANNELS:
            return {**data, "channel": CHANNELS[data["format"]]}
        return data

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        """Each door has what it needs, and nothing is declared that no door would use."""
        doors, problems = set(self.doors), []
        if "http" in doors and not (self.secrets or self.origins):
            problems.append("door http needs secrets, or origins for a browser form")
        if "smtp" in doors and (self.format != "mail" or self.mailbox is None):
            problems.append("door smtp needs format mail and a mailbox")
        if "topic" in doors and self.cloudevents_source is None:
            problems.append("door topic needs cloudevents_source")
        if self.format != "form" and (self.origins or self.page or self.honeypot):
            problems.append("origins, page and honeypot are for format form")
        if self.format not in MAPPED and self.mapping:
            problems.append("a mapping is for formats form and csv")
        if self.format in MAPPED and not self.reachable_by:
            problems.append(f"the mapping of a {self.format} needs a phone or an email")
        if "file" in doors and self.format != "csv":
            problems.append("door file needs format csv")
        if self.page and "http" not in doors:
            problems.append("page needs door http")
        if "consent" in self.mapping.values() and not self.consent:
            problems.append("a mapping to consent needs consent: the channels that it allows")
        problems += self._window_problems()
        if problems:
            raise ValueError(f"source {self.id!r}: " + "; ".join(problems))
        return self

    def _window_problems(self) -> list[str]:
        try:
            window = self.repeat_window
        except ValueError as error:
            return [f"repeat_within: {error}"]
        long = window > REPEAT_WITHIN_MOST
        return ["repeat_within is at most 120d, as long as ids are remembered"] if long else []

    @property
    def repeat_window(self) -> timedelta:
        """How long the same words of the same person are the same input (`runtime.md` 10)."""
        return parse(self.repeat_within).length

    @property
    def reachable_by(self) -> tuple[str, ...]:
        """The form fields that hold a phone or an e-mail, in the order of the mapping."""
        return tuple(field for field, word in self.mapping.items() if word in ("phone", "email"))

    @property
    def field_ids(self) -> frozenset[str]:
        """The rulebook fields that this source fills; they must be declared there."""
        return frozenset(self.mapping.values()) - WORDS - {IGNORED}


class Sources(Part):
    """The whole of `sources.toml`."""

    source: tuple[Source, ...] = ()

    @model_validator(mode="after")
    def _no_two_alike(self) -> Self:
        """Ids, mailboxes and CloudEvents sources each lead to one source."""
        _unique("id", self.source, lambda source: source.id)
        _unique("mailbox", self.source, lambda source: source.mailbox)
        _unique("cloudevents_source", self.source, lambda source: source.cloudevents_source)
        return self

    def by_id(self, id_: str) -> Source | None:
        """The source of that id."""
        return self._by_id.get(id_)

    @cached_property
    def _by_id(self) -> dict[str, Source]:
        return {source.id: source for source in self.source}

    def by_mailbox(self, address: str) -> Source | None:
        """The source that this SMTP recipient belongs to; case does not matter."""
        wanted = address.lower()
        return next((source for source in self.source if source.mailbox == wanted), None)

    def by_cloudevents_source(self, name: str) -> Source | None:
        """The source that an upstream system calls `name`."""
        return next((s for s in self.source if s.cloudevents_source == name), None)


def _unique(key: str, sources: Iterable[Source], of: Callable[[Source], str | None]) -> None:
    seen: dict[str, str] = {}
    for source in sources:
        value = of(source)
        if value is None:
            continue
        if value in seen:
            raise ValueError(
                f"{key} {value!r} is declared by both {seen[value]!r} and {source.id!r}"
            )
        seen[value] = source.id
