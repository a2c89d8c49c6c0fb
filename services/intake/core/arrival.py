"""What a format reads in an input, still as the sender wrote it."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from shared.contract.envelope import Value
from shared.contract.intake import CalendarAnswer, CallFacts, MailFacts


class Typed(Value):
    """A contact point as somebody typed it, and the name of the field it was typed into."""

    field: str
    text: str


class CallNews(Value):
    """A call that is no lead by itself: it goes on, or it was ours and is over."""

    call: str
    phase: Literal["started", "ended"]
    direction: Literal["inbound", "outbound"]
    outcome: Literal["missed", "answered"] | None = None
    dialled: str | None = None
    agent: str | None = None
    duration_s: int | None = None
    recording_url: str | None = None


class Arrival(Value):
    """One input, read. `provider_id` is the id that the sender's own system gave it.

    `ignored` says why it is no lead (an auto-reply, a bounce); everything else is then of no
    interest. `news` is a call that is no lead, `answer` what a calendar answers to an invitation
    of ours; `consents`: a box was ticked. `mailbox` loops and honeypots are found by the formats,
    because only they know.
    """

    provider_id: str | None = None
    phones: tuple[Typed, ...] = ()
    emails: tuple[Typed, ...] = ()
    name: str | None = None
    company: str | None = None
    subject: str | None = None
    text: str | None = None
    language: str | None = None
    fields: dict[str, str] = {}
    occurred_at: AwareDatetime | None = None
    call: CallFacts | None = None
    news: CallNews | None = None
    mail: MailFacts | None = None
    owner: str | None = None
    batch: str | None = None
    answer: CalendarAnswer | None = None
    consents: bool = False
    ignored: str | None = None


class Refusal(Exception):
    """The input cannot be used: `sentence` says why, `field` where, for whoever sent it."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field
