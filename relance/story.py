"""The story of events, told in lines: local time, service, lead, what happened, which rule.

Used for the failures of `relance simulate`, by `relance demo` and by `relance explain`. A line
is plain text; a `Sheet` lays lines out for 80 columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from textwrap import wrap
from zoneinfo import ZoneInfo

from shared.contract.envelope import Envelope
from shared.contract.intake import RawReceived
from shared.contract.pipeline import (
    DeadlineCleared,
    DeadlineSet,
    LeadCreated,
    NotificationRequested,
    NotificationWithdrawn,
    TaskCreated,
)
from shared.domain.names import Names
from shared.domain.wording import words_for

UNTOLD = (RawReceived, DeadlineSet, DeadlineCleared, NotificationRequested, NotificationWithdrawn)
"""Said again, better, by the event that follows: what was planned, what was sent."""

WIDTH = 80
SERVICE_WIDTH = 13
NUMBER_WIDTH = 8
RULE_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One event for a person. `number` is the lead's, `rule` the numbered reason, or empty."""

    local: datetime
    service: str
    number: str
    text: str
    rule: str


@dataclass
class Teller:
    """Tells events one by one; remembers lead numbers and the names of tasks as they come up.

    `zone` is where the reader sits: the site's. `everything` also tells the events between the
    services that only prepare another one (`UNTOLD`).
    """

    zone: ZoneInfo
    names: Names = field(default_factory=Names)
    everything: bool = False
    numbers: dict[str, str] = field(default_factory=dict)

    def line(self, envelope: Envelope) -> Line | None:
        """The line of one event; None for one that is not told."""
        event = envelope.data
        if isinstance(event, LeadCreated):
            self.numbers[envelope.subject] = event.number
        if isinstance(event, TaskCreated):
            self.names.tasks[event.task] = event.title
        if isinstance(event, UNTOLD) and not self.everything:
            return None
        lead = getattr(event, "lead", None) or envelope.subject
        return Line(
            local=envelope.time.astimezone(self.zone),
            service=envelope.source.strip("/").split("/")[0],
            number=self.numbers.get(lead, ""),
            text=words_for(event, self.names, self.zone),
            rule=event.because.rule if event.because else "",
        )

    def lines(self, envelopes: Iterable[Envelope]) -> Iterator[Line]:
        """The lines of all events that are told."""
        return (line for each in envelopes if (line := self.line(each)) is not None)


class Sheet:
    """Lines laid out for 80 columns: a heading a day, times and services only when they change.

    17:50 intake                 web form from Иван, +375291234567
          pipeline      7KQ2T9   new lead                            001-01
    """

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._day: date | None = None
        self._before: Line | None = None

    def add(self, envelopes: Iterable[Envelope]) -> list[str]:
        """The next lines of the sheet, for the next events."""
        text: list[str] = []
        for line in self._teller.lines(envelopes):
            text += self.begin(line.local.date())
            text += _laid_out(line, self._before)
            self._before = line
        return text

    def begin(self, day: date) -> list[str]:
        """The heading of the day, unless the sheet has it already."""
        if day == self._day:
            return []
        first, self._day, self._before = self._day is None, day, None
        return [heading(day)] if first else ["", heading(day)]


def tell(teller: Teller, envelopes: Iterable[Envelope]) -> str:
    """The whole story on one sheet."""
    return "\n".join(Sheet(teller).add(envelopes))


def heading(day: date) -> str:
    """`Monday 2 March 2026`."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def _laid_out(line: Line, before: Line | None) -> list[str]:
    """The lines of paper that one event takes; what the line before said is not repeated."""
    time = f"{line.local:%H:%M}"
    if before and f"{before.local:%H:%M}" == time:
        time = " " * 5
        service = "" if before.service == line.service else line.service
    else:
        service = line.service
    left = f"{time} {service:<{SERVICE_WIDTH}} {line.number:<{NUMBER_WIDTH}} "
    room = WIDTH - len(left) - RULE_WIDTH - 1
    first, *rest = wrap(line.text, room, subsequent_indent="  ", break_long_words=True) or [""]
    return [
        f"{left}{first:<{room}} {line.rule}".rstrip(),
        *(" " * len(left) + more for more in rest),
    ]
