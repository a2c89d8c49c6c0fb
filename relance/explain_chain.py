"""The chain of causes behind an event, from what came in to the event itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

from services.pipeline.core.action import ActionRequested
from shared.contract.envelope import Envelope
from shared.contract.pipeline import NotificationRequested
from shared.contract.reminders import DeadlinePlanned
from shared.domain.names import Names
from shared.domain.wording import words_for

LONGEST_WORDS = 80
LINKS_AT_MOST = 40


def by_id(envelopes: Iterable[Envelope]) -> dict[str, Envelope]:
    """Envelopes by their ids."""
    return {envelope.id: envelope for envelope in envelopes}


def chain(envelope: Envelope, known: Mapping[str, Envelope]) -> tuple[Envelope, ...]:
    """What led to it, the first first, without itself; as far back as it is kept."""
    links: list[Envelope] = []
    cause = known.get(envelope.causationid or "")
    while cause is not None and len(links) < LINKS_AT_MOST:
        links.append(cause)
        cause = known.get(cause.causationid or "")
    return tuple(link for link in reversed(links) if not isinstance(link.data, DeadlinePlanned))


def told(links: Iterable[Envelope], names: Names, zone: ZoneInfo) -> str:
    """`web form from Иван (Mon 10:00) → «Перезвонить» is due (001-08) → …`.

    That the message was asked for is left out: it is what the message itself says.
    """
    said = [link for link in links if not isinstance(link.data, NotificationRequested)]
    return " → ".join(_link(link, names, zone) for link in said)


def _link(envelope: Envelope, names: Names, zone: ZoneInfo) -> str:
    data = envelope.data
    local = envelope.time.astimezone(zone)
    if isinstance(data, ActionRequested):
        about = ", ".join(data.action.main_arguments)
        what = f"{names.agent(data.by)}: {data.action.act.replace('_', ' ')} {about}".rstrip()
    else:
        what = words_for(data, names, zone)
    if len(what) > LONGEST_WORDS:
        what = what[: LONGEST_WORDS - 1].rstrip() + "…"
    rule = f", {data.because.rule}" if data.because else ""
    return f"{what} ({local:%a %H:%M}{rule})"
