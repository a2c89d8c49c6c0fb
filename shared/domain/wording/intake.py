"""What came in, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.contract import intake
from shared.contract.envelope import Event
from shared.domain.wording.say import Say, quoted


def _received(e: intake.LeadReceived, say: Say) -> str:
    how = {"form": "web form", "email": "e-mail", "sms": "SMS"}.get(e.channel, e.channel)
    if e.call:
        how = f"{e.call.outcome} call" if e.call.direction == "inbound" else "outbound call"
    source = say.names.sources.get(e.source, e.source)
    who = say.person(e.name, e.points) or "nobody named"
    words = " ".join(part for part in (quoted(e.subject), quoted(e.text)) if part)
    return f"{how} from {who} ({source})" + (f" {words}" if words else "")


def _invited(e: intake.InvitationAnswered, _: Say) -> str:
    text = f" {quoted(e.text)}" if e.text else ""
    return f"the contact {_ANSWERS[e.answer]} the invitation{text}"


_ANSWERS = {"accepted": "accepted", "declined": "declined", "tentative": "may follow"}


def _ignored(e: intake.InboundIgnored, say: Say) -> str:
    return f"no lead: {e.why} ({say.names.sources.get(e.source, e.source)})"


def _quarantined(e: intake.InboundQuarantined, _: Say) -> str:
    return f"set aside, could not be read: {e.why}"


def _call_started(e: intake.CallStarted, say: Say) -> str:
    taken = f", taken by {say.names.agent(e.agent)}" if e.agent else ""
    who = say.person(None, e.points) or "somebody"
    return f"{who} is calling{taken}" if e.direction == "inbound" else f"we are calling {who}"


def _call_ended(e: intake.CallEnded, say: Say) -> str:
    who = say.person(None, e.points) or "somebody"
    return f"our call to {who} is over: {e.outcome}{say.by(e.agent)}"


def _stopped(e: intake.OptOutReceived, say: Say) -> str:
    who = say.person(None, e.points) or "the contact"
    return f"{who} wants no more by {e.channel}: {quoted(e.text)}"


def _started(e: intake.OptInReceived, say: Say) -> str:
    who = say.person(None, e.points) or "the contact"
    return f"{who} may be contacted again by {', '.join(e.channels)}: {quoted(e.text)}"


WORDS: dict[type[Event], Callable[[Any, Say], str]] = {
    intake.LeadReceived: _received,
    intake.CallStarted: _call_started,
    intake.CallEnded: _call_ended,
    intake.EmailOpened: lambda _, __: "the contact opened our e-mail",
    intake.InboundIgnored: _ignored,
    intake.InboundQuarantined: _quarantined,
    intake.RawReceived: lambda e, _: f"{len(e.body_base64) * 3 // 4} bytes at door {e.door}",
    intake.InvitationAnswered: _invited,
    intake.OptOutReceived: _stopped,
    intake.OptInReceived: _started,
}
